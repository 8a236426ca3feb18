//! Stack traces, each kept once: Linux's stack depot.
//!
//! What remembers where something was allocated keeps a [`Handle`] of four bytes; the few hundred traces that there are lie here, found by their hash. They are
//! never given up. Looking one up takes no lock, so that the usual case, a trace that is known, is the same in any context.
//!
//! A record lies in a pool of words: hash and the next record of the bucket, the depth, the addresses. It is complete before its bucket leads to it.

use alloc::alloc::{Layout, alloc_zeroed};
use core::fmt;
use core::num::NonZeroU32;
use core::ptr;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

use crate::arch::x86::stacktrace::save_stack_trace;
use crate::locking::IrqSpinLock;
use crate::panic::ReturnAddress;
use crate::prelude::*;

/// The most addresses of a trace: Linux's number for allocations.
pub const DEPTH: usize = 16;

/// Bytes of a pool: Linux's four pages.
const POOL_BYTES: usize = 16 << 10;
const POOL_WORDS: usize = POOL_BYTES / 8;
/// Pools at the most, 8 MiB together.
const POOLS: usize = 512;
const BUCKETS: usize = 4096;
/// Words of a record before the addresses.
const HEADER: usize = 2;

static BUCKET: [AtomicU32; BUCKETS] = [const { AtomicU32::new(0) }; BUCKETS];
static POOL: [AtomicPtr<AtomicU64>; POOLS] = [const { AtomicPtr::new(ptr::null_mut()) }; POOLS];
static WRITER: IrqSpinLock<Writer> = IrqSpinLock::new(Writer { used: 0 });
static TRACES: AtomicUsize = AtomicUsize::new(0);

/// A trace that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle(NonZeroU32);

/// The one who appends, under the lock.
struct Writer {
    /// Words in use, those left over at the ends of pools included; the first is never used, so that no handle is 0.
    used: usize,
}

/// A pool's words.
fn pool(index: usize) -> Option<&'static [AtomicU64; POOL_WORDS]> {
    let pool = POOL.get(index)?.load(Acquire).cast::<[AtomicU64; POOL_WORDS]>();
    // SAFETY: a pointer in the list leads to a pool that was allocated zeroed, of that size, and is never given back.
    unsafe { pool.as_ref() }
}

/// A record's words, from its first to the end of its pool.
fn record(at: u32) -> Option<&'static [AtomicU64]> {
    let at = at as usize;
    pool(at / POOL_WORDS).map(|pool| &pool[at % POOL_WORDS..])
}

fn hash(trace: &[usize]) -> u32 {
    let mixed = trace.iter().fold(trace.len() as u64, |hash, address| {
        (hash ^ *address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    (mixed ^ (mixed >> 32)) as u32
}

/// The record of `trace` in its bucket.
fn find(trace: &[usize], hash: u32) -> Option<Handle> {
    let mut at = BUCKET[hash as usize % BUCKETS].load(Acquire);
    while let Some(handle) = NonZeroU32::new(at) {
        let [head, depth, addresses @ ..] = record(at)? else { return None };
        let head = head.load(Relaxed);
        if (head >> 32) as u32 == hash
            && depth.load(Relaxed) == trace.len() as u64
            && addresses
                .iter()
                .zip(trace)
                .all(|(kept, address)| kept.load(Relaxed) == *address as u64)
        {
            return Some(Handle(handle));
        }
        at = head as u32;
    }
    None
}

impl Writer {
    /// The place of the next record of `words` words; the pool that it lies in may not exist yet.
    fn place(&self, words: usize) -> usize {
        let used = self.used.max(1);
        if used % POOL_WORDS + words > POOL_WORDS {
            used.next_multiple_of(POOL_WORDS)
        } else {
            used
        }
    }

    fn append(&mut self, trace: &[usize], hash: u32) -> Option<Handle> {
        let words = HEADER + trace.len();
        let at = self.place(words);
        let handle = NonZeroU32::new(u32::try_from(at).ok()?)?;
        let [head, depth, addresses @ ..] = record(handle.get())? else {
            return None;
        };
        let bucket = &BUCKET[hash as usize % BUCKETS];
        head.store(u64::from(hash) << 32 | u64::from(bucket.load(Relaxed)), Relaxed);
        depth.store(trace.len() as u64, Relaxed);
        for (kept, address) in addresses.iter().zip(trace) {
            kept.store(*address as u64, Relaxed);
        }
        bucket.store(handle.get(), Release);
        self.used = at + words;
        TRACES.fetch_add(1, Relaxed);
        Some(Handle(handle))
    }
}

/// Sees to it that the next record has a pool, without a lock: allocating may itself lead here, and finds no pool then.
fn make_room(words: usize) {
    static BUSY: AtomicU32 = AtomicU32::new(0);
    let index = WRITER.lock().place(words) / POOL_WORDS;
    if index >= POOLS || pool(index).is_some() || BUSY.swap(1, Acquire) != 0 {
        return;
    }
    let layout = Layout::new::<[AtomicU64; POOL_WORDS]>();
    // SAFETY: the layout has a size.
    let new = crate::mm::fault_inject::exempt(|| unsafe { alloc_zeroed(layout) });
    if POOL[index].compare_exchange(ptr::null_mut(), new.cast(), Release, Relaxed).is_err() {
        // SAFETY: nobody else has seen the block, which was just allocated: another one was faster.
        unsafe { alloc::alloc::dealloc(new, layout) };
    }
    BUSY.store(0, Release);
}

/// Keeps a trace, of which the first [`DEPTH`] addresses count. Nothing if there is no memory for it.
#[must_use]
pub fn save(trace: &[usize]) -> Option<Handle> {
    let trace = &trace[..trace.len().min(DEPTH)];
    let hash = hash(trace);
    if let Some(known) = find(trace, hash) {
        return Some(known);
    }
    make_room(HEADER + trace.len());
    let mut writer = WRITER.lock();
    find(trace, hash).or_else(|| writer.append(trace, hash))
}

/// Keeps the trace of the caller; `skip` leaves out as many of the innermost callers.
#[inline(never)]
#[must_use]
pub fn save_here(skip: usize) -> Option<Handle> {
    let mut trace = [0; DEPTH];
    let depth = save_stack_trace(&mut trace, skip + 1);
    save(&trace[..depth])
}

/// How many traces are kept, and how many bytes are taken for them.
#[must_use]
pub fn stats() -> (usize, usize) {
    let pools = POOL.iter().filter(|pool| !pool.load(Relaxed).is_null()).count();
    (TRACES.load(Relaxed), pools * POOL_BYTES)
}

impl Handle {
    /// As a number for a field of four bytes, never 0.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The handle that [`Handle::get`] made the number from; nothing for 0.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Handle> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Handle(number)),
            None => None,
        }
    }

    /// The return addresses, the innermost first.
    pub fn addresses(self) -> impl Iterator<Item = usize> {
        let (depth, addresses) = match record(self.get()) {
            Some([_, depth, addresses @ ..]) => (depth.load(Relaxed) as usize, addresses),
            _ => (0, &[][..]),
        };
        addresses
            .iter()
            .take(depth.min(DEPTH))
            .map(|address| address.load(Relaxed) as usize)
    }

    /// Logs the trace, a line for each address with `indent` before it: Linux's `stack_depot_print`.
    pub fn print(self, level: Level, indent: &str) {
        for address in self.addresses() {
            printk!(level, "{indent}{}", ReturnAddress(address));
        }
    }
}

/// A line for each address, a space before it.
impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addresses().try_for_each(|address| writeln!(f, " {}", ReturnAddress(address)))
    }
}

mod tests;

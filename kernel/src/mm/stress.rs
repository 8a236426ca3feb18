//! Everything that gives memory, used by turns in an order that nobody would write down, and nothing lost at the end.
//!
//! Four users take and free by turns, each what any of them took; then all CPUs do so at the same time. Every block is marked at both ends with what it is, and looked at before it is
//! freed: a block that was given out twice, or whose end is another's beginning, has a wrong mark.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::page_alloc::{alloc_pages, drain_all_pages, free_pages, free_pages_and_kept};
use super::slab::{KVec, kfree, kmalloc, shrink_all};
use super::vmalloc::{vfree, vm_unmap_aliases, vmalloc};
use super::{Gfp, PAGE_SIZE, page};
use crate::cpu::masks::ONLINE;
use crate::locking::SpinLock;
use crate::prelude::*;
use crate::smp;

/// How many operations the test makes; with every checker on, each takes ten times as long as without.
#[param(name = "operations", module = "mm_stress")]
static OPERATIONS: AtomicU64 = AtomicU64::new(10_000_000);
/// How many blocks may live at once.
const SLOTS: usize = 1024;
/// Users that take turns, as CPUs would.
const USERS: u64 = 4;

/// The generator of the sequence: xorshift, from a seed of its own, so that a failure comes again.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Where one user's blocks are, which others take from there, too.
type Slots = SpinLock<KVec<Option<Block>>>;

/// Where a block is from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Pages(u32),
    Slab,
    Vmalloc,
    Heap,
}

/// A block, and the mark that it must have.
struct Block {
    source: Source,
    address: NonNull<u8>,
    size: usize,
    mark: u64,
}

// SAFETY: a block is memory that nobody else knows of, and every CPU reaches it by the same address.
unsafe impl Send for Block {}

impl Block {
    fn take(sequence: &mut Sequence, mark: u64) -> Option<Block> {
        let (source, size) = match sequence.below(16) {
            0..3 => {
                let order = sequence.below(5) as u32;
                (Source::Pages(order), PAGE_SIZE << order)
            }
            3 => (Source::Vmalloc, 16 + sequence.below(8 * PAGE_SIZE as u64) as usize),
            4..7 => (Source::Heap, 16 + sequence.below(4096) as usize),
            _ => {
                let limit = 1 << (4 + sequence.below(11));
                (Source::Slab, 16 + sequence.below(limit) as usize)
            }
        };
        let address = match source {
            Source::Pages(order) => NonNull::new(page::page_address(alloc_pages(Gfp::NOWAIT | Gfp::NOWARN, order)?)),
            Source::Slab => kmalloc(size, Gfp::NOWAIT | Gfp::NOWARN),
            Source::Vmalloc => vmalloc(size),
            // SAFETY: the size is not 0.
            Source::Heap => NonNull::new(unsafe { alloc::alloc::alloc(layout(size)) }),
        }?;
        let block = Block {
            source,
            address,
            size,
            mark,
        };
        for place in block.ends() {
            // SAFETY: both words lie in the block, which is ours.
            unsafe { place.write_unaligned(mark) };
        }
        Some(block)
    }

    /// The first and the last word.
    fn ends(&self) -> [NonNull<u64>; 2] {
        // SAFETY: no block is shorter than two words.
        let last = unsafe { self.address.add(self.size - size_of::<u64>()) };
        [self.address.cast(), last.cast()]
    }

    /// Looks at the marks, and gives the block back.
    fn free(self) {
        for place in self.ends() {
            // SAFETY: as in `take`.
            let found = unsafe { place.read_unaligned() };
            assert_eq!(
                found, self.mark,
                "{:?}, {} bytes at {:p}, belongs to another",
                self.source, self.size, self.address
            );
        }
        // SAFETY: the block is from this source, of this size, and nobody else knows of it.
        unsafe {
            match self.source {
                Source::Pages(order) => free_pages(page::virt_to_page(self.address.as_ptr()), order),
                Source::Slab => kfree(self.address),
                Source::Vmalloc => vfree(self.address),
                Source::Heap => alloc::alloc::dealloc(self.address.as_ptr(), layout(self.size)),
            }
        }
    }
}

fn layout(size: usize) -> core::alloc::Layout {
    core::alloc::Layout::from_size_align(size, 8).expect("a small size")
}

/// Pages that are free when what is kept back for later is given back, too.
fn free_for_good() -> u64 {
    shrink_all();
    vm_unmap_aliases();
    drain_all_pages();
    free_pages_and_kept()
}

/// The users take and free by turns, and in the end free all. Says how often there was no memory.
fn run(operations: u64) -> u64 {
    let mut slots: [KVec<Option<Block>>; USERS as usize] =
        core::array::from_fn(|_| KVec::collect((0..SLOTS / USERS as usize).map(|_| None)).expect("memory"));
    let mut sequence = Sequence(0x9e37_79b9_7f4a_7c15);
    let mut failures = 0;
    for operation in 0..operations {
        #[cfg(CONFIG_LOCKUP_DETECTOR)]
        crate::watchdog::touch_softlockup_watchdog();
        let user = sequence.below(USERS) as usize;
        let slot = sequence.below(slots[user].len() as u64) as usize;
        if let Some(block) = slots[user][slot].take() {
            block.free();
            continue;
        }
        let block = Block::take(&mut sequence, operation | (user as u64) << 56);
        failures += u64::from(block.is_none());
        // Half of the blocks are freed by another user than took them.
        let owner = if operation % 2 == 0 { user } else { (user + 1) % USERS as usize };
        if let Some(old) = core::mem::replace(&mut slots[owner][slot], block) {
            old.free();
        }
    }
    slots
        .iter_mut()
        .flat_map(|slots| slots.iter_mut())
        .filter_map(Option::take)
        .for_each(Block::free);
    failures
}

#[ktest]
fn ten_million_operations_lose_nothing() {
    // What grows with use and stays, page tables and nodes of trees, has grown when the first half is done; the second is the same again.
    let operations = OPERATIONS.load(Relaxed);
    let failures = run(operations / 2);
    let before = free_for_good();
    assert_eq!(run(operations / 2), failures);
    assert_eq!(free_for_good(), before);
    assert!(
        failures <= operations / 100,
        "{failures} of {operations} operations found no memory"
    );
}

/// What one of many users does that take and free at the same time: half of what it takes the next one frees.
fn run_among(slots: &[Slots], user: usize, operations: u64) {
    let mut sequence = Sequence(0x9e37_79b9_7f4a_7c15 ^ (user as u64 + 1) << 32);
    for operation in 0..operations {
        let place = &slots[(user + (operation % 2) as usize) % slots.len()];
        let slot = sequence.below(SLOTS as u64 / USERS) as usize;
        let before = place.lock()[slot].take();
        let after = match before {
            Some(block) => {
                block.free();
                None
            }
            None => Block::take(&mut sequence, operation | (user as u64) << 56),
        };
        // Another may have put one there meanwhile.
        let replaced = core::mem::replace(&mut place.lock()[slot], after);
        if let Some(block) = replaced {
            block.free();
        }
    }
}

/// All CPUs take and free at the same time, and in the end all is free.
fn run_on_all_cpus(operations: u64) {
    let cpus = ONLINE.weight();
    let slots = KVec::collect((0..cpus).map(|_| {
        let slots = KVec::collect((0..SLOTS / USERS as usize).map(|_| None)).expect("memory");
        Slots::new(slots)
    }));
    let slots = slots.expect("memory");
    let next = AtomicU64::new(0);
    let work = || run_among(&slots, next.fetch_add(1, Relaxed) as usize, operations / cpus as u64);
    smp::work_on_each_cpu(&work).expect("memory");
    for slots in &*slots {
        slots.lock().iter_mut().filter_map(Option::take).for_each(Block::free);
    }
}

#[ktest]
fn cpus_that_take_and_free_at_the_same_time_lose_nothing() {
    // What describes areas grows with how many there are, which is not the same each time: so it has grown before as far as it can.
    let most = 2 * ONLINE.weight() * SLOTS / USERS as usize;
    let areas = KVec::collect((0..most).map_while(|_| vmalloc(1))).expect("memory");
    for every_second in [0, 1] {
        for area in areas.iter().skip(every_second).step_by(2) {
            // SAFETY: just allocated, and used by nobody.
            unsafe { vfree(*area) };
        }
    }
    drop(areas);
    // Fewer: where a CPU is a thread, who waits for a lock waits for the one that has it to be given time.
    let operations = OPERATIONS.load(Relaxed) / 200;
    run_on_all_cpus(operations / 10);
    let before = free_for_good();
    run_on_all_cpus(operations);
    assert_eq!(free_for_good(), before);
}

//! What is known of each object, found by its address: a hash table of lists, and the pool that their elements come from.

use core::cell::UnsafeCell;
use core::mem;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{Descr, State};
use crate::locking::IrqSpinLock;
use crate::mm::slab::KBox;
use crate::mm::{Gfp, PAGE_SHIFT};

/// Elements that the image brings along: Linux's `ODEBUG_POOL_SIZE`.
const POOL_SIZE: usize = 1024;
/// Fewer than this in the pool, and it is filled.
const POOL_MIN_LEVEL: usize = 256;
/// How many are taken from the heap at once.
const BATCH: usize = 16;
/// Lists; all objects of a page are in the same.
const BUCKETS: usize = 4096;

/// What is known of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) object: usize,
    pub(super) descr: &'static Descr,
    pub(super) state: State,
    pub(super) active_state: u32,
}

impl Seen {
    /// One that nothing is known of.
    pub(super) const fn unknown(object: usize, descr: &'static Descr) -> Seen {
        Seen {
            object,
            descr,
            state: State::NotAvailable,
            active_state: 0,
        }
    }
}

/// An element of a list.
struct Tracked {
    seen: Seen,
    next: List,
}

type List = Option<&'static mut Tracked>;

/// What an element holds that is in the pool.
static NOTHING: Descr = Descr::new("");

impl Tracked {
    const FREE: Tracked = Tracked {
        seen: Seen::unknown(0, &NOTHING),
        next: None,
    };
}

/// The elements that the image brings along.
struct StaticPool(UnsafeCell<[Tracked; POOL_SIZE]>);

// SAFETY: `add_static_pool` takes the elements out once; nothing else names the cell.
unsafe impl Sync for StaticPool {}

static STATIC_POOL: StaticPool = StaticPool(UnsafeCell::new([Tracked::FREE; POOL_SIZE]));

pub(super) static TABLE: IrqSpinLock<Table> = IrqSpinLock::new(Table {
    buckets: [const { None }; BUCKETS],
    pool: None,
    counts: Counts::ZERO,
    has_static_pool: false,
});

static USE_HEAP: AtomicBool = AtomicBool::new(false);

/// All objects that are followed.
pub(super) struct Table {
    buckets: [List; BUCKETS],
    pool: List,
    counts: Counts,
    has_static_pool: bool,
}

/// Linux's figures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) pool_free: usize,
    pub(super) pool_min_free: usize,
    pub(super) pool_used: usize,
    pub(super) pool_max_used: usize,
    pub(super) allocated: usize,
}

impl Counts {
    const ZERO: Counts = Counts {
        pool_free: 0,
        pool_min_free: 0,
        pool_used: 0,
        pool_max_used: 0,
        allocated: 0,
    };
}

fn bucket_of(page: usize) -> usize {
    page.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - BUCKETS.ilog2())
}

impl Table {
    /// Puts the elements of the image into the pool, once.
    pub(super) fn add_static_pool(&mut self) {
        if mem::replace(&mut self.has_static_pool, true) {
            return;
        }
        // SAFETY: the flag lets this through once, under the lock, and nothing else names the cell.
        let pool: &'static mut [Tracked; POOL_SIZE] = unsafe { &mut *STATIC_POOL.0.get() };
        for tracked in pool {
            self.give(tracked);
        }
        self.counts.pool_min_free = self.counts.pool_free;
    }

    fn give(&mut self, tracked: &'static mut Tracked) {
        tracked.next = self.pool.take();
        self.pool = Some(tracked);
        self.counts.pool_free += 1;
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// How many objects are in the longest list.
    pub(super) fn longest_chain(&self) -> usize {
        let chain = |list: &List| core::iter::successors(list.as_deref(), |tracked| tracked.next.as_deref()).count();
        self.buckets.iter().map(chain).max().unwrap_or(0)
    }

    /// What is known of the object at this address.
    pub(super) fn find(&mut self, object: usize) -> Option<&mut Seen> {
        let mut list = &mut self.buckets[bucket_of(object >> PAGE_SHIFT)];
        while let Some(tracked) = list {
            if tracked.seen.object == object {
                return Some(&mut tracked.seen);
            }
            list = &mut tracked.next;
        }
        None
    }

    /// Follows one more object. `false`: the pool is empty.
    pub(super) fn add(&mut self, seen: Seen) -> bool {
        let Some(tracked) = self.pool.take() else { return false };
        self.pool = tracked.next.take();
        let bucket = &mut self.buckets[bucket_of(seen.object >> PAGE_SHIFT)];
        tracked.seen = seen;
        tracked.next = bucket.take();
        *bucket = Some(tracked);
        let counts = &mut self.counts;
        counts.pool_free -= 1;
        counts.pool_min_free = counts.pool_min_free.min(counts.pool_free);
        counts.pool_used += 1;
        counts.pool_max_used = counts.pool_max_used.max(counts.pool_used);
        true
    }

    /// Forgets the object at this address.
    pub(super) fn remove(&mut self, object: usize) {
        self.remove_from(object >> PAGE_SHIFT, |seen| seen.object == object);
    }

    /// Forgets the objects in this memory, up to one that is active, which is the answer.
    pub(super) fn forget_range(&mut self, start: usize, size: usize) -> Option<Seen> {
        let end = start.saturating_add(size);
        let inside = |seen: &Seen| (start..end).contains(&seen.object);
        for page in start >> PAGE_SHIFT..=end.saturating_sub(1).max(start) >> PAGE_SHIFT {
            self.remove_from(page, |seen| inside(seen) && seen.state != State::Active);
            let mut list = self.buckets[bucket_of(page)].as_deref();
            while let Some(tracked) = list {
                if inside(&tracked.seen) {
                    return Some(tracked.seen);
                }
                list = tracked.next.as_deref();
            }
        }
        None
    }

    /// Forgets those of a page's list that `goes` says so of.
    fn remove_from(&mut self, page: usize, goes: impl Fn(&Seen) -> bool) {
        let mut rest = self.buckets[bucket_of(page)].take();
        let mut kept: List = None;
        while let Some(tracked) = rest {
            rest = tracked.next.take();
            if goes(&tracked.seen) {
                self.counts.pool_used -= 1;
                self.give(tracked);
            } else {
                tracked.next = kept;
                kept = Some(tracked);
            }
        }
        self.buckets[bucket_of(page)] = kept;
    }
}

/// The pool is filled from the heap from now on.
pub(super) fn use_heap() {
    USE_HEAP.store(true, Relaxed);
}

/// Fills the pool if it runs low, outside of the table's lock: the heap may free something meanwhile, which asks the table.
pub(super) fn fill_pool() {
    if !USE_HEAP.load(Relaxed) || TABLE.lock().counts.pool_free >= POOL_MIN_LEVEL {
        return;
    }
    for _ in 0..BATCH {
        let Some(tracked) = crate::mm::fault_inject::exempt(allocate) else {
            return;
        };
        let mut table = TABLE.lock();
        table.counts.allocated += 1;
        table.give(tracked);
    }
}

fn allocate() -> Option<&'static mut Tracked> {
    KBox::new(Tracked::FREE, Gfp::HIGH | Gfp::NOWARN).ok().map(KBox::leak)
}

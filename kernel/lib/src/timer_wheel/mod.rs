//! The timer wheel: many timers that mostly do not expire, added and deleted in constant time (Linux's, without cascading).
//!
//! There are [`LEVELS`] levels of [`SIZE`] buckets, each level eight times as coarse as the one below. A timer goes to the level that reaches far enough and stays there: it never
//! expires before its time, and late by at most what a bucket of its level covers, an eighth of how far away it was. What lies farther than the last level reaches is put into
//! its last bucket and, when that is due, looked at again.
//!
//! A timer is known by an [`Id`], which an [`Arena`] turns into its [`TimerNode`], as nodes of [`crate::rbtree`] are. Whoever has the [`Wheel`] exclusively may call everything here;
//! [`home`] is for those who first must find out which wheel a timer is in.

pub mod home;
#[cfg(test)]
mod tests;

use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// A timer's number.
pub type Id = NonZeroUsize;

/// Levels of the wheel.
pub const LEVELS: usize = 9;
/// Buckets of a level.
pub const SIZE: usize = 64;
/// Each level is coarser than the one below by this many bits.
const CLK_SHIFT: u32 = 3;
const CLK_MASK: u64 = (1 << CLK_SHIFT) - 1;
const MASK: u64 = SIZE as u64 - 1;
/// From this distance on timers go into the last bucket that there is.
const CUTOFF: u64 = level_start(LEVELS);
/// The farthest distance that a bucket can be away.
const FARTHEST: u64 = CUTOFF - granularity(LEVELS - 1);
/// [`TimerNode::bucket`] of a timer that waits for nothing.
const NOT_PENDING: u16 = u16::MAX;
/// Behind the buckets: for each level the list of timers that are due and have not been handed out.
const DUE: usize = LEVELS * SIZE;
const NR_LISTS: usize = DUE + LEVELS;

/// How many ticks a bucket of `level` covers.
#[must_use]
pub const fn granularity(level: usize) -> u64 {
    1 << (level as u32 * CLK_SHIFT)
}

/// The distance from which on timers go to `level`, which is not 0.
const fn level_start(level: usize) -> u64 {
    MASK << ((level as u32 - 1) * CLK_SHIFT)
}

/// What the wheel keeps in a timer: Linux's `struct timer_list` without the function.
#[derive(Debug)]
pub struct TimerNode {
    next: AtomicUsize,
    /// 0 in the first of a list.
    prev: AtomicUsize,
    expires: AtomicU64,
    /// The list that the timer is in.
    bucket: AtomicU16,
}

impl TimerNode {
    /// A timer that waits for nothing.
    #[must_use]
    pub const fn new() -> TimerNode {
        TimerNode {
            next: AtomicUsize::new(0),
            prev: AtomicUsize::new(0),
            expires: AtomicU64::new(0),
            bucket: AtomicU16::new(NOT_PENDING),
        }
    }

    /// Whether the timer is in a wheel. True for as long as its function has not been called.
    #[inline]
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.bucket.load(Relaxed) != NOT_PENDING
    }

    /// The tick at whose end it expires; of no meaning unless it is pending.
    #[inline]
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.expires.load(Relaxed)
    }
}

impl Default for TimerNode {
    fn default() -> Self {
        TimerNode::new()
    }
}

/// Where timers lie.
pub trait Arena {
    /// What the wheel keeps in the timer `id`, which is in the wheel or about to be.
    fn node(&self, id: Id) -> &TimerNode;
}

/// Timers of one CPU: Linux's `struct timer_base`.
#[derive(Debug)]
pub struct Wheel {
    /// The first tick that has not been looked at yet.
    clk: u64,
    /// The tick at which a bucket is due next; right only if [`Self::is_next_known`].
    next_expiry: u64,
    is_next_known: bool,
    /// Buckets that are not empty, by level.
    pending: [u64; LEVELS],
    /// Levels with timers that are due, a bit each.
    due: u16,
    lists: [usize; NR_LISTS],
}

impl Wheel {
    /// A wheel without timers. `clk` is the first tick that it will look at: the one behind the present.
    #[must_use]
    pub const fn new(clk: u64) -> Wheel {
        Wheel {
            clk,
            next_expiry: u64::MAX,
            is_next_known: true,
            pending: [0; LEVELS],
            due: 0,
            lists: [0; NR_LISTS],
        }
    }

    /// The first tick that has not been looked at.
    #[inline]
    #[must_use]
    pub fn clk(&self) -> u64 {
        self.clk
    }

    /// Whether there is no timer in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.due == 0 && self.pending.iter().all(|&level| level == 0)
    }

    /// Puts `id`, which is in no wheel, in, to expire when tick `expires` has passed. Says whether a bucket is due earlier than any was before.
    #[inline]
    pub fn add<A: Arena>(&mut self, arena: &A, id: Id, expires: u64) -> bool {
        let node = arena.node(id);
        node.expires.store(expires, Relaxed);
        let (bucket, due_at) = bucket_of(expires, self.clk);
        self.add_to(arena, id, bucket, due_at)
    }

    /// Puts `id` into a bucket that is due at a tick. Says whether that is earlier than any was before.
    #[inline]
    fn add_to<A: Arena>(&mut self, arena: &A, id: Id, bucket: usize, due_at: u64) -> bool {
        self.push(arena, id, bucket);
        self.pending[bucket / SIZE] |= 1 << (bucket % SIZE);
        // One that is not known is at least as late as the one that is kept, so what is earlier than that is the earliest.
        let is_earlier = due_at < self.next_expiry;
        if is_earlier {
            self.next_expiry = due_at;
        }
        is_earlier
    }

    /// Takes `id` out. Says whether it was in.
    #[inline]
    pub fn remove<A: Arena>(&mut self, arena: &A, id: Id) -> bool {
        let node = arena.node(id);
        let bucket = usize::from(node.bucket.load(Relaxed));
        if bucket >= NR_LISTS {
            return false;
        }
        let (next, prev) = (Id::new(node.next.load(Relaxed)), Id::new(node.prev.load(Relaxed)));
        if let Some(next) = next {
            arena.node(next).prev.store(prev.map_or(0, Id::get), Relaxed);
        }
        match prev {
            Some(prev) => arena.node(prev).next.store(next.map_or(0, Id::get), Relaxed),
            None => {
                self.lists[bucket] = next.map_or(0, Id::get);
                if next.is_none() {
                    self.list_is_empty(bucket);
                }
            }
        }
        node.bucket.store(NOT_PENDING, Relaxed);
        true
    }

    /// Moves `id`, which is in this wheel or in none, to `expires`. Says whether it was in, and whether a bucket is due earlier than any was before.
    #[inline]
    pub fn modify<A: Arena>(&mut self, arena: &A, id: Id, expires: u64) -> (bool, bool) {
        let node = arena.node(id);
        let old = node.bucket.load(Relaxed);
        let (bucket, due_at) = bucket_of(expires, self.clk);
        node.expires.store(expires, Relaxed);
        let was_pending = old != NOT_PENDING;
        if was_pending {
            if usize::from(old) == bucket {
                return (true, false);
            }
            self.remove(arena, id);
        }
        (was_pending, self.add_to(arena, id, bucket, due_at))
    }

    /// Lets the wheel, which nothing has looked at for a while, begin at tick `now`, but not behind a bucket that is due: before a timer is added, so that its distance is counted
    /// from now on.
    #[inline]
    pub fn forward(&mut self, now: u64) {
        if self.clk < now {
            let next = self.next_expiry();
            self.clk = self.clk.max(now.min(next.unwrap_or(now)));
        }
    }

    /// The tick at which a bucket is due next, if there is a timer at all.
    #[inline]
    pub fn next_expiry(&mut self) -> Option<u64> {
        if !self.is_next_known {
            self.next_expiry = self.find_next();
            self.is_next_known = true;
        }
        (self.next_expiry != u64::MAX).then_some(self.next_expiry)
    }

    /// Makes the buckets due that are before the end of tick `now`, until there is a timer in one, which [`Wheel::pop_due`] hands out then. Says whether there is; to be called
    /// again until there is not.
    pub fn advance<A: Arena>(&mut self, arena: &A, now: u64) -> bool {
        while self.due == 0 {
            match self.next_expiry() {
                Some(next) if next <= now => {
                    self.clk = self.clk.max(next);
                    self.collect(arena);
                }
                _ => {
                    self.clk = self.clk.max(now.saturating_add(1));
                    return false;
                }
            }
        }
        true
    }

    /// Takes out a timer that is due. The coarser levels come first, as their timers have waited longest.
    pub fn pop_due<A: Arena>(&mut self, arena: &A) -> Option<Id> {
        while let Some(level) = self.due.checked_ilog2() {
            let id = Id::new(self.lists[DUE + level as usize])?;
            self.remove(arena, id);
            let expires = arena.node(id).expires();
            if expires < self.clk.saturating_sub(1) {
                return Some(id);
            }
            // It was farther away than the wheel reaches.
            self.add(arena, id, expires);
        }
        None
    }

    /// Any timer of the wheel, taken out: what a CPU that goes away leaves.
    pub fn pop_any<A: Arena>(&mut self, arena: &A) -> Option<Id> {
        let bucket = match self.due.checked_ilog2() {
            Some(level) => DUE + level as usize,
            None => {
                let level = self.pending.iter().position(|&level| level != 0)?;
                level * SIZE + self.pending[level].trailing_zeros() as usize
            }
        };
        let id = Id::new(self.lists[bucket])?;
        self.remove(arena, id);
        Some(id)
    }

    /// Calls `f` with each timer, in no particular order.
    pub fn for_each<A: Arena>(&self, arena: &A, mut f: impl FnMut(Id)) {
        for &first in &self.lists {
            let mut next = Id::new(first);
            while let Some(id) = next {
                f(id);
                next = Id::new(arena.node(id).next.load(Relaxed));
            }
        }
    }

    /// Moves the buckets that are due at the present tick to the lists of timers to be handed out, and goes on to the next tick.
    fn collect<A: Arena>(&mut self, arena: &A) {
        let mut clk = self.clk;
        for level in 0..LEVELS {
            let bucket = level * SIZE + (clk & MASK) as usize;
            if self.lists[bucket] != 0 {
                self.move_to_due(arena, bucket, level);
            }
            if clk & CLK_MASK != 0 {
                break;
            }
            clk >>= CLK_SHIFT;
        }
        self.clk += 1;
        self.is_next_known = false;
    }

    fn move_to_due<A: Arena>(&mut self, arena: &A, bucket: usize, level: usize) {
        let first = core::mem::take(&mut self.lists[bucket]);
        self.pending[level] &= !(1 << (bucket % SIZE));
        self.lists[DUE + level] = first;
        self.due |= 1 << level;
        let mut next = Id::new(first);
        while let Some(id) = next {
            let node = arena.node(id);
            node.bucket.store((DUE + level) as u16, Relaxed);
            next = Id::new(node.next.load(Relaxed));
        }
    }

    #[inline]
    fn push<A: Arena>(&mut self, arena: &A, id: Id, list: usize) {
        let node = arena.node(id);
        let first = core::mem::replace(&mut self.lists[list], id.get());
        node.next.store(first, Relaxed);
        node.prev.store(0, Relaxed);
        node.bucket.store(list as u16, Relaxed);
        if let Some(first) = Id::new(first) {
            arena.node(first).prev.store(id.get(), Relaxed);
        }
    }

    #[inline]
    fn list_is_empty(&mut self, list: usize) {
        if list >= DUE {
            self.due &= !(1 << (list - DUE));
        } else {
            self.pending[list / SIZE] &= !(1 << (list % SIZE));
            self.is_next_known = false;
        }
    }

    /// The earliest tick at which a bucket is due, [`u64::MAX`] if all are empty.
    fn find_next(&self) -> u64 {
        let mut next = u64::MAX;
        let mut clk = self.clk;
        for (level, &pending) in self.pending.iter().enumerate() {
            let in_level = clk & CLK_MASK;
            if pending != 0 {
                let distance = u64::from(pending.rotate_right((clk & MASK) as u32).trailing_zeros());
                next = next.min((clk + distance) << (level as u32 * CLK_SHIFT));
                // Due before the next level is looked at, so nothing that is coarser can be earlier.
                if distance <= (CLK_MASK + 1 - in_level) & CLK_MASK {
                    break;
                }
            }
            clk = (clk >> CLK_SHIFT) + u64::from(in_level != 0);
        }
        next
    }
}

/// The bucket for a timer that expires with tick `expires`, seen from tick `clk`, and the tick at which that bucket is due: behind `expires`, since the timer may have been armed
/// late in the present tick.
#[inline]
fn bucket_of(expires: u64, clk: u64) -> (usize, u64) {
    let Some(distance) = expires.checked_sub(clk) else {
        return ((clk & MASK) as usize, clk);
    };
    // Most are near, and each level that is looked at costs a comparison with a constant.
    for level in 0..LEVELS {
        if distance < level_start(level + 1) {
            return bucket_in(level, expires);
        }
    }
    bucket_in(LEVELS - 1, clk + FARTHEST)
}

/// The bucket of a level for `expires`, and when it is due.
#[inline(always)]
fn bucket_in(level: usize, expires: u64) -> (usize, u64) {
    let index = (expires >> (level as u32 * CLK_SHIFT)) + 1;
    (level * SIZE + (index & MASK) as usize, index << (level as u32 * CLK_SHIFT))
}

//! Sequence counts: data that are read often and written seldom, by readers who write nothing and never wait for each other (Linux's `seqcount_t`).
//!
//! The data are atomics of any kind, read and written with relaxed order, so that a reader who comes in the middle of a change reads nonsense but does nothing wrong, finds the
//! count changed and tries again.

#[cfg(test)]
mod tests;

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::atomic::Atomic;

/// What `f` reads, unless a change comes in between: `count` is odd in the middle of one, and another number behind it. For who has the count in somebody else's layout. Any
/// context.
#[inline]
pub fn try_read<C: Atomic<u32>, R>(count: &C, f: impl FnOnce() -> R) -> Option<R> {
    // In the middle of a change this is the number from before it, which the count does not come to again.
    let before = count.load(Acquire) & !1;
    let result = f();
    C::fence(Acquire);
    (count.load(Relaxed) == before).then_some(result)
}

/// Counts the begins and the ends of changes: odd in the middle of one.
#[derive(Debug, Default)]
pub struct SeqCount<C = AtomicU32>(C);

impl SeqCount {
    /// Nothing has changed yet.
    #[must_use]
    pub const fn new() -> Self {
        SeqCount(AtomicU32::new(0))
    }
}

impl<C: Atomic<u32>> SeqCount<C> {
    /// What `f` reads when no change comes in between; `f` is called until then. Any context but one that may have interrupted [`SeqCount::write`] on its own CPU, which waits
    /// for good.
    #[inline]
    pub fn read<R>(&self, mut f: impl FnMut() -> R) -> R {
        loop {
            if let Some(result) = self.try_read(&mut f) {
                return result;
            }
            C::relax();
        }
    }

    /// What `f` reads, unless a change comes in between. Any context.
    #[inline]
    pub fn try_read<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        try_read(&self.0, f)
    }

    /// Lets `f` make a change. The caller sees to it that no other does at the same time, and that nobody who reads interrupts it on this CPU.
    #[inline]
    pub fn write<R>(&self, f: impl FnOnce() -> R) -> R {
        let before = self.0.load(Relaxed);
        self.0.store(before.wrapping_add(1), Relaxed);
        C::fence(Release);
        let result = f();
        self.0.store(before.wrapping_add(2), Release);
        result
    }
}

/// Two copies of the data, of which one is always whole: for readers who may interrupt the writer (Linux's `seqcount_latch_t`).
#[derive(Debug, Default)]
pub struct SeqCountLatch<C = AtomicU32>(C);

impl SeqCountLatch {
    /// Both copies are as they were made.
    #[must_use]
    pub const fn new() -> Self {
        SeqCountLatch(AtomicU32::new(0))
    }
}

impl<C: Atomic<u32>> SeqCountLatch<C> {
    /// What `f` reads from the copy, 0 or 1, that it is told, when that copy does not change meanwhile. Any context.
    #[inline]
    pub fn read<R>(&self, mut f: impl FnMut(usize) -> R) -> R {
        loop {
            let before = self.0.load(Acquire);
            let result = f((before & 1) as usize);
            C::fence(Acquire);
            if self.0.load(Relaxed) == before {
                return result;
            }
        }
    }

    /// Lets `f` change one copy and then the other, each when nobody is sent to it. One writer at a time.
    #[inline]
    pub fn write(&self, mut f: impl FnMut(usize)) {
        for copy in [0, 1] {
            let before = self.0.load(Relaxed);
            // What the last round wrote is whole before readers are sent there, and they are sent there before this round writes.
            self.0.store(before.wrapping_add(1), Release);
            C::fence(Release);
            f(copy);
        }
    }
}

//! Whether a timer with deadlines, which are counts of the time-stamp counter, goes by the counter that the CPU reads.
//!
//! An emulator may compare its deadlines with another counter, which stays where it is when the CPU's is set. If that one is ahead, each deadline lies in its past, and the timer
//! interrupts as soon as it is set: the CPU does nothing else any more. It is found by what it does, as nothing tells.

#[cfg(test)]
mod tests;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// So many interrupts in a row that are early are no accident: a few can be, one that waited while the timer was set anew, or one from another CPU.
pub const MAX_EARLY: u32 = 256;

/// Whether an interrupt that comes when the counter shows `now` is more than `slack` counts before `deadline`. The counter goes round.
#[inline]
#[must_use]
pub const fn is_early(deadline: u64, now: u64, slack: u64) -> bool {
    let left = deadline.wrapping_sub(now).cast_signed();
    left > 0 && left.cast_unsigned() > slack
}

/// How many interrupts of a CPU's timer were early, one after the other.
#[derive(Debug, Default)]
pub struct Streak(AtomicU32);

impl Streak {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Streak(AtomicU32::new(0))
    }

    /// An interrupt has come. Says whether the timer is not to be believed: that is said once in each [`MAX_EARLY`].
    #[inline]
    pub fn note(&self, is_early: bool) -> bool {
        // Only this CPU counts; who begins anew meanwhile does so a little earlier or later.
        let early = if is_early { self.0.load(Relaxed) + 1 } else { 0 };
        let is_over = early >= MAX_EARLY;
        self.0.store(if is_over { 0 } else { early }, Relaxed);
        is_over
    }

    /// The next interrupt is not the timer's. From any CPU.
    #[inline]
    pub fn forget(&self) {
        self.0.store(0, Relaxed);
    }
}

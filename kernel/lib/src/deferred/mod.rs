//! The state of work that is left for later: asked for at most once at a time, done by one CPU at a time, and not at all while it is disabled (Linux's `tasklet_struct` and `irq_work`).
//!
//! It is one word: whether the work is asked for, whether it is being done, and how often it is disabled. So that it is free of CPUs and lists, both belong to the caller: who is
//! told [`State::ask`] puts the work into a list, who takes it out asks [`State::begin`], and puts it back if that is refused.

#[cfg(test)]
mod tests;

use core::sync::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use crate::atomic::Atomic;

/// Somebody wants it done: it is in a list, or on its way there.
const ASKED: u32 = 1;
/// A CPU is doing it.
const RUNNING: u32 = 1 << 1;
/// One who has disabled it.
const DISABLED: u32 = 1 << 8;

/// The word.
#[derive(Debug, Default)]
pub struct State<W = AtomicU32>(W);

impl State {
    /// Nobody wants it, and it is enabled.
    #[must_use]
    pub const fn new() -> Self {
        State(AtomicU32::new(0))
    }

    /// Nobody wants it, and it is disabled once.
    #[must_use]
    pub const fn disabled() -> Self {
        State(AtomicU32::new(DISABLED))
    }
}

impl<W: Atomic<u32>> State<W> {
    /// State with a word of the caller's, which is 0.
    pub const fn around(word: W) -> Self {
        State(word)
    }

    /// Asks for the work; whether the caller is the one to put it into a list. What the caller wrote before is seen by the work.
    #[inline]
    pub fn ask(&self) -> bool {
        self.0.fetch_or(ASKED, AcqRel) & ASKED == 0
    }

    /// Begins the work that was in a list; from here on it can be asked for again. `false` if another CPU is still at it or it is disabled: it stays asked for, and goes back into a
    /// list.
    #[inline]
    pub fn begin(&self) -> bool {
        let mut state = self.0.load(Relaxed);
        while state == ASKED {
            if self.0.compare_exchange(ASKED, RUNNING, Acquire) {
                return true;
            }
            state = self.0.load(Relaxed);
        }
        false
    }

    /// The work is done.
    #[inline]
    pub fn end(&self) {
        self.0.fetch_and(!RUNNING, Release);
    }

    /// Takes back that the work was asked for, for one whom [`State::ask`] told to put it into a list and who has not.
    pub fn take_back(&self) {
        self.0.fetch_and(!ASKED, Release);
    }

    /// Whether it is asked for and not begun.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.0.load(Acquire) & ASKED != 0
    }

    /// Whether a CPU is at it. Once that is not so, what the work wrote is seen.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.load(Acquire) & RUNNING != 0
    }

    /// No CPU begins it from here on; one may be at it still.
    pub fn disable(&self) {
        self.0.fetch_add(DISABLED, AcqRel);
    }

    /// Undoes one [`State::disable`].
    pub fn enable(&self) {
        self.0.fetch_add(DISABLED.wrapping_neg(), Release);
    }
}

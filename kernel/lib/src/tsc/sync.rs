//! Whether the time-stamp counters of two CPUs show the same time. The CPUs read theirs in turn; who reads less than the other has just read has seen a warp.
//!
//! What is smaller than the way from one CPU to the other stays unseen, by this and by everybody else. Behaviour is that of Linux's `check_tsc_sync_source` and
//! `check_tsc_sync_target`, with a number of turns in place of a length of time: so that it takes no longer than it must, and says the same however slowly a CPU runs.

#[cfg(test)]
mod tests;

use core::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// How often each of the two reads.
pub const ROUNDS: u32 = 16;

/// Turns of both together.
const TURNS: u32 = 2 * ROUNDS;
/// Nobody has begun.
const CLOSED: u32 = u32::MAX;
/// It is over before the last turn: there is nothing to be compared, or somebody did not come.
const ABANDONED: u32 = u32::MAX - 1;

/// Who of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Side {
    /// The CPU whose counter is believed. It reads first.
    Source = 0,
    /// The CPU that comes.
    Target = 1,
}

/// The counters differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warp {
    /// By so many counts at least.
    pub cycles: u64,
    /// Now one of them was behind, now the other: not by a difference that stays.
    pub is_random: bool,
}

/// The comparison was not made: the other side was not there in time, or did not want it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abandoned;

/// Where two CPUs meet.
#[derive(Debug)]
pub struct Exchange {
    /// Whose turn it is, and which: source's are even.
    turn: AtomicU32,
    /// What was read in the turn before.
    shown: AtomicU64,
    /// By how much each side was behind the other at most.
    behind: [AtomicU64; 2],
}

impl Default for Exchange {
    fn default() -> Self {
        Self::new()
    }
}

impl Exchange {
    /// One that nobody has come to.
    #[must_use]
    pub const fn new() -> Self {
        Exchange {
            turn: AtomicU32::new(CLOSED),
            shown: AtomicU64::new(0),
            behind: [const { AtomicU64::new(0) }; 2],
        }
    }

    /// The source's part: compares with a target that is there, or is about to be. `read` reads the counter, not before what stands before it. `wait` is called while it is the
    /// other's turn, and says `false` when that has taken too long.
    ///
    /// # Errors
    ///
    /// [`Abandoned`] if the target's turn took too long.
    pub fn compare(&self, read: impl FnMut() -> u64, mut wait: impl FnMut() -> bool) -> Result<Option<Warp>, Abandoned> {
        self.behind.iter().for_each(|behind| behind.store(0, Relaxed));
        self.turn.store(Side::Source as u32, Release);
        self.take_turns(Side::Source, read, &mut wait)?;
        self.wait_for(TURNS, &mut wait)?;
        let [source, target] = self.behind.each_ref().map(|behind| behind.load(Relaxed));
        let cycles = source.max(target);
        Ok((cycles != 0).then_some(Warp {
            cycles,
            is_random: source.min(target) != 0,
        }))
    }

    /// The source's part if nothing is to be compared: lets the target go.
    pub fn skip(&self) {
        self.turn.store(ABANDONED, Release);
    }

    /// The target's part: waits for the source and takes its turns. Another exchange can follow. `read` and `wait` are as for [`compare`](Self::compare).
    ///
    /// # Errors
    ///
    /// [`Abandoned`] if the source did not want to compare, or did not come in time.
    pub fn answer(&self, read: impl FnMut() -> u64, mut wait: impl FnMut() -> bool) -> Result<(), Abandoned> {
        let answered = self.take_turns(Side::Target, read, &mut wait);
        if answered.is_err() {
            self.turn.store(CLOSED, Relaxed);
        }
        answered
    }

    fn take_turns(&self, side: Side, mut read: impl FnMut() -> u64, wait: &mut impl FnMut() -> bool) -> Result<(), Abandoned> {
        let mut behind = 0;
        for round in 0..ROUNDS {
            let turn = 2 * round + side as u32;
            self.wait_for(turn, wait)?;
            let (before, now) = (self.shown.load(Relaxed), read());
            let ahead = before.wrapping_sub(now).cast_signed();
            // Nobody has read before the first turn.
            if turn != 0 && ahead > 0 {
                behind = ahead.unsigned_abs().max(behind);
            }
            self.shown.store(now, Relaxed);
            self.behind[side as usize].store(behind, Relaxed);
            // Fails if it was abandoned meanwhile.
            self.turn.compare_exchange(turn, turn + 1, AcqRel, Acquire).map_err(|_| Abandoned)?;
        }
        Ok(())
    }

    fn wait_for(&self, turn: u32, wait: &mut impl FnMut() -> bool) -> Result<(), Abandoned> {
        loop {
            let now = self.turn.load(Acquire);
            if now == turn {
                return Ok(());
            }
            if now == ABANDONED || !wait() {
                self.turn.store(ABANDONED, Release);
                return Err(Abandoned);
            }
        }
    }
}

//! The kernel's clocks, made of a counter: monotonic, raw, real and since boot (Linux's `kernel/time/timekeeping.c`).
//!
//! A [`Timekeeper`] is brought up to date with the counter now and then ([`advance`](Timekeeper::advance)), and tells in [`Reading`]s how the time goes on from there. When the rate is
//! changed, or the counter, it is brought up to date first: so the monotonic clock never goes back and never jumps. No counter is read here.

#[cfg(test)]
mod tests;

use crate::clocksource::{Scale, delta};
use crate::errno::Errno;
use crate::ntp::{Adjustment, Ntp};
use crate::time::{Ktime, NSEC_PER_SEC, Timespec};

/// Bits that factors here are longer than the counter's own. They let the clock be steered as finely as a second in 100,000 years, without alternating between two factors.
const EXTRA_SHIFT: u32 = 20;

/// How a clock goes on from the counter's value at the last update. `Copy`: what readers see of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// Nanoseconds at that value.
    pub ns: u64,
    /// What is above them, in units of 2 to the power of -`shift`.
    pub fraction: u64,
    /// A count's length in that unit.
    pub mult: u64,
    /// At most 52.
    pub shift: u32,
}

impl Reading {
    /// The clock `delta` counts later, in nanoseconds.
    #[inline]
    #[must_use]
    pub const fn at(&self, delta: u64) -> u64 {
        let sum = delta as u128 * self.mult as u128 + self.fraction as u128;
        self.ns.wrapping_add((sum >> (self.shift & 63)) as u64)
    }

    const fn advance(&mut self, delta: u64) {
        let sum = delta as u128 * self.mult as u128 + self.fraction as u128;
        self.ns = self.ns.wrapping_add((sum >> self.shift) as u64);
        self.fraction = sum as u64 & ((1 << self.shift) - 1);
    }

    const fn set_scale(&mut self, scale: Scale) {
        let shift = scale.shift + EXTRA_SHIFT;
        self.fraction = (((self.fraction as u128) << shift) >> self.shift) as u64;
        self.mult = (scale.mult as u64) << EXTRA_SHIFT;
        self.shift = shift;
    }
}

/// The clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timekeeper {
    /// The counter at the last update.
    cycle_last: u64,
    mask: u64,
    /// A count's length on a clock that nobody steers.
    base_mult: u64,
    mono: Reading,
    raw: Reading,
    /// What real time is ahead of the monotonic clock.
    real_offset_ns: u64,
    /// What the time since boot is ahead of it: the time that the machine slept.
    boot_offset_ns: u64,
    ntp: Ntp,
}

impl Timekeeper {
    /// Clocks that begin with 0, on a counter of `mask` that stands at `cycles` and is read with `scale`; real time begins with 1970.
    #[must_use]
    pub const fn new(cycles: u64, mask: u64, scale: Scale) -> Self {
        let mut reading = Reading {
            ns: 0,
            fraction: 0,
            mult: 0,
            shift: 0,
        };
        reading.set_scale(scale);
        Timekeeper {
            cycle_last: cycles,
            mask,
            base_mult: reading.mult,
            mono: reading,
            raw: reading,
            real_offset_ns: 0,
            boot_offset_ns: 0,
            ntp: Ntp::new(),
        }
    }

    /// Brings the clocks up to the counter's present value `cycles`. Must be called more often than the counter goes round.
    pub fn advance(&mut self, cycles: u64) {
        let before = self.real().as_secs();
        let delta = delta(cycles, self.cycle_last, self.mask);
        self.mono.advance(delta);
        self.raw.advance(delta);
        self.cycle_last = self.cycle_last.wrapping_add(delta) & self.mask;
        let seconds = self.real().as_secs().saturating_sub(before);
        // After a long time without updates the state of NTP is where it would be after the last seconds.
        for ago in (0..seconds.min(64)).rev() {
            let step = self.ntp.second_overflow(self.real().as_secs() - ago);
            self.real_offset_ns = self.real_offset_ns.wrapping_add_signed(step * NSEC_PER_SEC as i64);
        }
        if seconds > 0 {
            self.steer();
        }
    }

    /// Goes on with another counter, or with the same one at another rate. `old_cycles` is what the old one shows now, `cycles` what the new one does.
    pub fn change_clocksource(&mut self, old_cycles: u64, cycles: u64, mask: u64, scale: Scale) {
        self.advance(old_cycles);
        self.mono.set_scale(scale);
        self.raw.set_scale(scale);
        self.base_mult = self.raw.mult;
        (self.cycle_last, self.mask) = (cycles & mask, mask);
        self.steer();
    }

    /// A better counter says that the monotonic clock is at `ns` at least by now: lets all clocks go on from there. One that is farther is left where it is. The caller brings it up to
    /// date first.
    pub const fn catch_up(&mut self, ns: u64) {
        let missed = ns.saturating_sub(self.mono.ns);
        self.mono.ns += missed;
        self.raw.ns = self.raw.ns.saturating_add(missed);
    }

    /// Sets real time, at the last update.
    ///
    /// # Errors
    ///
    /// `EINVAL` for times before 1970, behind the year 2554, and before the monotonic clock's beginning, as in Linux.
    pub fn set_real(&mut self, time: Timespec) -> Result<(), Errno> {
        let real = time.to_ktime().ok_or(Errno::EINVAL)?;
        self.real_offset_ns = real.as_ns().checked_sub(self.mono.ns).ok_or(Errno::EINVAL)?;
        self.ntp.clear();
        self.steer();
        Ok(())
    }

    /// The machine slept for so long, on a clock that went on meanwhile.
    pub const fn inject_sleep(&mut self, time: Ktime) {
        self.real_offset_ns = self.real_offset_ns.saturating_add(time.as_ns());
        self.boot_offset_ns = self.boot_offset_ns.saturating_add(time.as_ns());
    }

    /// Changes how the clock is steered. The caller brings it up to date first.
    ///
    /// # Errors
    ///
    /// Those of [`Ntp::adjust`].
    pub fn adjust(&mut self, change: Adjustment) -> Result<(), Errno> {
        self.ntp.adjust(change)?;
        self.steer();
        Ok(())
    }

    /// Takes over how long a second is to be.
    fn steer(&mut self) {
        let mult = u128::from(self.base_mult) * u128::from(self.ntp.second_length()) / u128::from(NSEC_PER_SEC);
        self.mono.mult = (mult >> 32) as u64;
    }

    /// Real time at the last update.
    #[must_use]
    pub const fn real(&self) -> Ktime {
        Ktime::from_ns(self.mono.ns.saturating_add(self.real_offset_ns))
    }

    /// The monotonic clock from the last update on.
    #[must_use]
    pub const fn mono(&self) -> Reading {
        self.mono
    }

    /// The clock that nobody steers, from the last update on.
    #[must_use]
    pub const fn raw(&self) -> Reading {
        self.raw
    }

    /// The counter at the last update.
    #[must_use]
    pub const fn cycle_last(&self) -> u64 {
        self.cycle_last
    }

    /// The counter's mask.
    #[must_use]
    pub const fn mask(&self) -> u64 {
        self.mask
    }

    /// What real time is ahead of the monotonic clock, in nanoseconds.
    #[must_use]
    pub const fn real_offset_ns(&self) -> u64 {
        self.real_offset_ns
    }

    /// What the time since boot is ahead of the monotonic clock, in nanoseconds.
    #[must_use]
    pub const fn boot_offset_ns(&self) -> u64 {
        self.boot_offset_ns
    }

    /// How the clock is steered.
    #[must_use]
    pub const fn ntp(&self) -> &Ntp {
        &self.ntp
    }
}

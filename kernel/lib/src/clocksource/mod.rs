//! The arithmetic of clocksources: how counts become nanoseconds, how long a counter may go unread, which clock is wrong when two disagree.
//!
//! No counter is read here.

pub mod watchdog;

#[cfg(test)]
mod tests;

use crate::time::NSEC_PER_SEC;

/// How counts become nanoseconds: `(counts × mult) >> shift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// The factor. Not 0.
    pub mult: u32,
    /// At most 32.
    pub shift: u32,
}

impl Scale {
    /// From counts with `from` counts per second to units with `to` per second, such that the factor is as exact as it may be while the product for `max_secs` seconds of counts
    /// still fits 64 bits: Linux's `clocks_calc_mult_shift`. A frequency of 0 counts as 1.
    #[must_use]
    pub const fn new(from: u32, to: u32, max_secs: u32) -> Self {
        let from = if from == 0 { 1 } else { from };
        let mut spare = (max_secs as u64 * from as u64) >> 32;
        let mut bits = 32;
        while spare != 0 {
            spare >>= 1;
            bits -= 1;
        }
        let mut shift = 32;
        loop {
            // A sum of 64 bits cannot overflow: `to` has 32 bits, the shift is at most 32, half of `from` is the rounding.
            let mult = (((to as u128) << shift) + from as u128 / 2) / from as u128;
            if mult >> bits == 0 || shift == 1 {
                let mult = if mult > u32::MAX as u128 { u32::MAX } else { mult as u32 };
                return Scale {
                    mult: if mult == 0 { 1 } else { mult },
                    shift,
                };
            }
            shift -= 1;
        }
    }

    /// For a counter with `hertz` counts per second and the bits of `mask`: good for the time that it takes to go round once, but no more than ten minutes, as Linux's
    /// `__clocksource_update_freq_scale` says.
    #[must_use]
    pub const fn for_counter(hertz: u64, mask: u64) -> Self {
        let hertz = if hertz == 0 { 1 } else { hertz };
        let mut secs = mask / hertz;
        if secs == 0 {
            secs = 1;
        } else if secs > 600 && mask > u32::MAX as u64 {
            secs = 600;
        }
        // In kHz, where the frequency does not fit 32 bits otherwise.
        if hertz > u32::MAX as u64 {
            let khz = hertz / 1000;
            let khz = if khz > u32::MAX as u64 { u32::MAX } else { khz as u32 };
            Scale::new(khz, 1_000_000, if secs > 600 { 600 * 1000 } else { secs as u32 * 1000 })
        } else {
            Scale::new(
                hertz as u32,
                NSEC_PER_SEC as u32,
                if secs > u32::MAX as u64 { u32::MAX } else { secs as u32 },
            )
        }
    }

    /// `counts` in nanoseconds, at most as many as there are.
    #[inline]
    #[must_use]
    pub const fn nanoseconds(self, counts: u64) -> u64 {
        let ns = (counts as u128 * self.mult as u128) >> self.shift;
        if ns > u64::MAX as u128 { u64::MAX } else { ns as u64 }
    }

    /// The counts per second that the scale stands for.
    #[must_use]
    pub const fn hertz(self) -> u64 {
        (((NSEC_PER_SEC as u128) << self.shift) / self.mult as u128) as u64
    }

    /// By how much the factor may be turned for slewing: 11 %, as Linux allows.
    #[must_use]
    pub const fn max_adjustment(self) -> u32 {
        (self.mult as u64 * 11 / 100) as u32
    }
}

/// How long a counter may go unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The counts after which a product of 64 bits overflows with the factor turned up as far as it goes, or the counter has gone round.
    pub max_cycles: u64,
    /// Half of their nanoseconds, for certainty: Linux's `max_idle_ns`.
    pub max_idle_ns: u64,
}

impl Limits {
    /// Of a counter of `mask` that is read with `scale`: Linux's `clocks_calc_max_nsecs`.
    #[must_use]
    pub const fn new(scale: Scale, mask: u64) -> Self {
        let adjustment = scale.max_adjustment();
        let overflow = u64::MAX / (scale.mult as u64 + adjustment as u64);
        let max_cycles = if overflow < mask { overflow } else { mask };
        let slowest = Scale {
            mult: scale.mult - adjustment,
            shift: scale.shift,
        };
        Limits {
            max_cycles,
            max_idle_ns: slowest.nanoseconds(max_cycles) >> 1,
        }
    }
}

/// The mask of a counter of `bits` bits: Linux's `CLOCKSOURCE_MASK`.
#[must_use]
pub const fn mask(bits: u32) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

/// How far a counter of `mask` has come from `last` to `now`. One of 64 bits that seems to have gone back, as between two CPUs, has not moved.
#[inline]
#[must_use]
pub const fn delta(now: u64, last: u64, mask: u64) -> u64 {
    let delta = now.wrapping_sub(last) & mask;
    if mask == u64::MAX && delta >> 63 != 0 { 0 } else { delta }
}

//! How a clock is steered by one that is known to be right: the state behind `adjtimex` (RFC 5905, and Linux's `kernel/time/ntp.c`).
//!
//! Whoever knows the right time tells the frequency error and the offset; once a second the state says how fast the next second is to run.

#[cfg(test)]
mod tests;

use crate::errno::Errno;
use crate::time::NSEC_PER_SEC;

/// Bits behind the point of frequencies in parts in a million: Linux's `SHIFT_USEC`.
pub const PPM_SHIFT: u32 = 16;
/// Linux's `MAXFREQ_SCALED`: 500 parts in a million, in the unit above.
pub const MAX_FREQUENCY: i64 = 500 << PPM_SHIFT;
/// Linux's `MAXPHASE`: half a second, in nanoseconds.
pub const MAX_OFFSET_NS: i64 = 500_000_000;
/// Linux's `MAXTC`.
pub const MAX_TIME_CONSTANT: u32 = 10;
/// Linux's `SHIFT_PLL`: an offset shrinks by a part in 2 to the power of this and the time constant each second.
const PLL_SHIFT: u32 = 2;
/// Linux's `NTP_PHASE_LIMIT`: how wrong the clock may be said to be, in microseconds.
const MAX_ERROR_US: u64 = 16_000_000;
/// By how much that grows in a second: Linux's `MAXFREQ / NSEC_PER_USEC`.
const ERROR_PER_SECOND_US: u64 = 500;

/// A second that is to be put in or left out at the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Leap {
    /// The day has as many seconds as others.
    #[default]
    None,
    /// `STA_INS`: the last one comes twice.
    Insert,
    /// `STA_DEL`: the last one is left out.
    Delete,
}

/// What is to be changed; what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Adjustment {
    /// `ADJ_FREQUENCY`: by how much the clock is to run faster, in parts in a million with [`PPM_SHIFT`] bits behind the point.
    pub frequency: Option<i64>,
    /// `ADJ_OFFSET`: how many nanoseconds the clock is behind.
    pub offset_ns: Option<i64>,
    /// `ADJ_TIMECONST`: how slowly an offset is made good.
    pub time_constant: Option<u32>,
    /// `ADJ_MAXERROR` in microseconds.
    pub max_error_us: Option<u64>,
    /// `STA_INS` or `STA_DEL`.
    pub leap: Option<Leap>,
}

/// The state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ntp {
    frequency: i64,
    offset_ns: i64,
    /// What of the offset is made good in the present second.
    slew_ns: i64,
    time_constant: u32,
    max_error_us: u64,
    leap: Leap,
}

impl Default for Ntp {
    fn default() -> Self {
        Self::new()
    }
}

impl Ntp {
    /// Nobody knows better: the clock runs as it does.
    #[must_use]
    pub const fn new() -> Self {
        Ntp {
            frequency: 0,
            offset_ns: 0,
            slew_ns: 0,
            time_constant: 2,
            max_error_us: MAX_ERROR_US,
            leap: Leap::None,
        }
    }

    /// Changes it. Frequencies and offsets beyond the limits are cut to them, as in Linux.
    ///
    /// # Errors
    ///
    /// `EINVAL`, and nothing is changed, for a time constant above [`MAX_TIME_CONSTANT`].
    pub fn adjust(&mut self, change: Adjustment) -> Result<(), Errno> {
        if change.time_constant.is_some_and(|constant| constant > MAX_TIME_CONSTANT) {
            return Err(Errno::EINVAL);
        }
        if let Some(frequency) = change.frequency {
            self.frequency = frequency.clamp(-MAX_FREQUENCY, MAX_FREQUENCY);
        }
        if let Some(offset) = change.offset_ns {
            self.offset_ns = offset.clamp(-MAX_OFFSET_NS, MAX_OFFSET_NS);
        }
        self.time_constant = change.time_constant.unwrap_or(self.time_constant);
        self.max_error_us = change.max_error_us.unwrap_or(self.max_error_us).min(MAX_ERROR_US);
        self.leap = change.leap.unwrap_or(self.leap);
        Ok(())
    }

    /// The clock was set: what was known of its offset is worth nothing. Linux's `ntp_clear`.
    pub const fn clear(&mut self) {
        self.offset_ns = 0;
        self.slew_ns = 0;
        self.max_error_us = MAX_ERROR_US;
        self.leap = Leap::None;
    }

    /// A new second of the wall clock begins, `of_day` in its day (the seconds since 1970 will do). Says by how many seconds the wall clock is to be moved.
    pub const fn second_overflow(&mut self, of_day: u64) -> i64 {
        self.max_error_us = if self.max_error_us + ERROR_PER_SECOND_US > MAX_ERROR_US {
            MAX_ERROR_US
        } else {
            self.max_error_us + ERROR_PER_SECOND_US
        };
        let divisor = 1 << (PLL_SHIFT + self.time_constant);
        // The rest, too small to be divided, goes at once.
        self.slew_ns = if self.offset_ns / divisor == 0 {
            self.offset_ns
        } else {
            self.offset_ns / divisor
        };
        self.offset_ns -= self.slew_ns;
        let second = of_day % 86_400;
        match self.leap {
            Leap::Insert if second == 0 => {
                self.leap = Leap::None;
                -1
            }
            Leap::Delete if second == 86_399 => {
                self.leap = Leap::None;
                1
            }
            _ => 0,
        }
    }

    /// How long a second of the counter is now, in nanoseconds with 32 bits behind the point: Linux's `tick_length`, of a whole second.
    #[must_use]
    pub const fn second_length(&self) -> u64 {
        let by_frequency = (self.frequency * 1000) << (32 - PPM_SHIFT);
        ((NSEC_PER_SEC as i64) << 32)
            .wrapping_add(by_frequency)
            .wrapping_add(self.slew_ns << 32) as u64
    }

    /// The frequency by which the clock is steered, in the unit of [`Adjustment::frequency`].
    #[must_use]
    pub const fn frequency(&self) -> i64 {
        self.frequency
    }

    /// What is still to be made good.
    #[must_use]
    pub const fn offset_ns(&self) -> i64 {
        self.offset_ns
    }

    /// How wrong the clock may be, in microseconds.
    #[must_use]
    pub const fn max_error_us(&self) -> u64 {
        self.max_error_us
    }
}

//! Which clock is wrong when two disagree: the arithmetic of Linux's clocksource watchdog.
//!
//! The clock that is watched and the one that watches are read twice, some time apart. If the intervals differ by more than both clocks' uncertainties, the watched one is
//! unstable.

/// How often the clocks are compared: Linux's `WATCHDOG_INTERVAL`, in nanoseconds.
pub const INTERVAL_NS: u64 = 500_000_000;
/// The least difference that counts: Linux's `WATCHDOG_MAX_SKEW`.
pub const MAX_SKEW_NS: u64 = 125_000;
/// How long the reading of both clocks may take; beyond, something came in between and the comparison is worth nothing.
pub const MAX_READ_NS: u64 = 100_000;
/// The uncertainty of a clock whose rate was not told to be exact: Linux's `WATCHDOG_THRESHOLD`.
pub const THRESHOLD_NS: u64 = INTERVAL_NS >> 4;

/// The same interval on two clocks, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// On the clock that is watched.
    pub clocksource: u64,
    /// On the one that watches.
    pub watchdog: u64,
}

/// What comes of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They agree.
    Agree,
    /// The interval is too short or too long to tell: the watchdog may have gone round.
    Unknown,
    /// The watched clock is unstable.
    Unstable,
}

impl Intervals {
    /// Compares them. `uncertainty` is what both clocks may be wrong by together in an [`INTERVAL_NS`]; `max_ns` how long an interval the watchdog can tell.
    #[must_use]
    pub const fn verdict(self, uncertainty: u64, max_ns: u64) -> Verdict {
        if self.watchdog == 0 || self.watchdog > max_ns || self.clocksource > max_ns && self.watchdog > max_ns / 2 {
            return Verdict::Unknown;
        }
        // Longer intervals may differ by more: what counts is the rate.
        let share = uncertainty as u128 * self.watchdog as u128 / INTERVAL_NS as u128;
        let allowed = if share < MAX_SKEW_NS as u128 { MAX_SKEW_NS as u128 } else { share };
        if self.skew().unsigned_abs() as u128 > allowed {
            Verdict::Unstable
        } else {
            Verdict::Agree
        }
    }

    /// How much longer the interval is on the watched clock.
    #[must_use]
    pub const fn skew(self) -> i64 {
        self.clocksource.wrapping_sub(self.watchdog) as i64
    }
}

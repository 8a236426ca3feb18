//! Points in time, lengths of time, and dates.
//!
//! Nothing here reads a clock.

mod calendar;

#[cfg(test)]
mod tests;

pub use calendar::{Date, InvalidDate};

use core::fmt;
use core::ops::{Add, Sub};

/// Nanoseconds in a microsecond.
pub const NSEC_PER_USEC: u64 = 1_000;
/// Nanoseconds in a millisecond.
pub const NSEC_PER_MSEC: u64 = 1_000_000;
/// Nanoseconds in a second.
pub const NSEC_PER_SEC: u64 = 1_000_000_000;
/// Microseconds in a second.
pub const USEC_PER_SEC: u64 = 1_000_000;

/// Nanoseconds on one of the kernel's clocks. No arithmetic on it overflows: it ends at the last moment that can be told, in the year 2554 of the clock that begins with 1970
/// (Linux's `ktime_add_safe` everywhere).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Ktime(u64);

impl Ktime {
    /// The clock's beginning.
    pub const ZERO: Ktime = Ktime(0);
    /// Never: Linux's `KTIME_MAX`.
    pub const MAX: Ktime = Ktime(u64::MAX);

    /// `ns` nanoseconds.
    #[inline]
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Ktime(ns)
    }

    /// `us` microseconds.
    #[inline]
    #[must_use]
    pub const fn from_us(us: u64) -> Self {
        Ktime(us.saturating_mul(NSEC_PER_USEC))
    }

    /// `ms` milliseconds.
    #[inline]
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Ktime(ms.saturating_mul(NSEC_PER_MSEC))
    }

    /// `secs` seconds.
    #[inline]
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Ktime(secs.saturating_mul(NSEC_PER_SEC))
    }

    /// In nanoseconds.
    #[inline]
    #[must_use]
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// In microseconds, rounded down.
    #[inline]
    #[must_use]
    pub const fn as_us(self) -> u64 {
        self.0 / NSEC_PER_USEC
    }

    /// In milliseconds, rounded down.
    #[inline]
    #[must_use]
    pub const fn as_ms(self) -> u64 {
        self.0 / NSEC_PER_MSEC
    }

    /// In seconds, rounded down.
    #[inline]
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / NSEC_PER_SEC
    }

    /// `ns` nanoseconds later.
    #[inline]
    #[must_use]
    pub const fn add_ns(self, ns: u64) -> Self {
        Ktime(self.0.saturating_add(ns))
    }

    /// How much later it is than `earlier`; zero if it is not.
    #[inline]
    #[must_use]
    pub const fn since(self, earlier: Ktime) -> Ktime {
        Ktime(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Ktime {
    type Output = Ktime;

    #[inline]
    fn add(self, other: Ktime) -> Ktime {
        self.add_ns(other.0)
    }
}

impl Sub for Ktime {
    type Output = Ktime;

    #[inline]
    fn sub(self, other: Ktime) -> Ktime {
        self.since(other)
    }
}

impl fmt::Display for Ktime {
    /// Seconds and nine digits behind them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Timespec::from(*self).fmt(f)
    }
}

/// Seconds and nanoseconds: Linux's `timespec64`. The nanoseconds are always fewer than a second's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Timespec {
    secs: i64,
    nanos: u32,
}

impl Timespec {
    /// `nanos` after the full second `secs`. `None` if they are a second or more.
    #[must_use]
    pub const fn new(secs: i64, nanos: u32) -> Option<Self> {
        if nanos as u64 >= NSEC_PER_SEC {
            return None;
        }
        Some(Timespec { secs, nanos })
    }

    /// The full seconds before it.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.secs
    }

    /// What is above them.
    #[must_use]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// On a clock of nanoseconds; `None` before that clock's beginning or behind its end.
    #[must_use]
    pub fn to_ktime(self) -> Option<Ktime> {
        let secs = u64::try_from(self.secs).ok()?;
        secs.checked_mul(NSEC_PER_SEC)?.checked_add(self.nanos.into()).map(Ktime)
    }
}

impl From<Ktime> for Timespec {
    fn from(time: Ktime) -> Self {
        Timespec {
            secs: time.as_secs() as i64,
            nanos: (time.0 % NSEC_PER_SEC) as u32,
        }
    }
}

impl fmt::Display for Timespec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.secs, self.nanos)
    }
}

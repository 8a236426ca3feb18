//! The clock of the log: nanoseconds since the kernel started, by the time-stamp counter.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::arch::x86::tsc::rdtsc;
use crate::prelude::*;

/// How counts become nanoseconds: `(count × multiplier) >> shift`, exact to better than one in a billion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Conversion {
    multiplier: u32,
    shift: u32,
}

impl Conversion {
    /// For a counter with `khz` counts per millisecond: the largest multiplier that fits, as Linux's `clocks_calc_mult_shift` finds it.
    const fn from_khz(khz: u64) -> Conversion {
        let mut shift = 32;
        loop {
            let multiplier = ((1_000_000_u128 << shift) + khz as u128 / 2) / khz as u128;
            if multiplier <= u32::MAX as u128 {
                return Conversion {
                    multiplier: multiplier as u32,
                    shift,
                };
            }
            shift -= 1;
        }
    }

    /// `count` counts in nanoseconds.
    const fn nanoseconds(self, count: u64) -> u64 {
        ((count as u128 * self.multiplier as u128) >> self.shift) as u64
    }
}

/// The count at which [`BASE_NS`] was right.
static BASE_TSC: AtomicU64 = AtomicU64::new(0);
static BASE_NS: AtomicU64 = AtomicU64::new(0);
/// 0 before the rate is known.
static MULTIPLIER: AtomicU32 = AtomicU32::new(0);
static SHIFT: AtomicU32 = AtomicU32::new(0);
/// Odd while the four values above change: a reader that was interrupted by a change tries again.
static SEQUENCE: AtomicU32 = AtomicU32::new(0);

/// How often a reader tries again: a change takes a few instructions.
const RETRIES: u32 = 100;

/// Nanoseconds since [`start`], 0 before the counter's rate is known. Never goes back.
#[must_use]
pub fn sched_clock() -> u64 {
    for _ in 0..RETRIES {
        let sequence = SEQUENCE.load(Ordering::Acquire);
        let conversion = Conversion {
            multiplier: MULTIPLIER.load(Ordering::Relaxed),
            shift: SHIFT.load(Ordering::Relaxed),
        };
        let (base_tsc, base_ns) = (BASE_TSC.load(Ordering::Relaxed), BASE_NS.load(Ordering::Relaxed));
        core::sync::atomic::fence(Ordering::Acquire);
        if sequence & 1 == 0 && SEQUENCE.load(Ordering::Relaxed) == sequence {
            let count = if conversion.multiplier == 0 {
                0
            } else {
                rdtsc().saturating_sub(base_tsc)
            };
            return base_ns + conversion.nanoseconds(count);
        }
        core::hint::spin_loop();
    }
    // A non-maskable interrupt has come in the middle of the change and must not wait for its end.
    BASE_NS.load(Ordering::Relaxed)
}

/// Notes that the kernel starts now, at count `tsc`.
#[init]
pub fn start(tsc: u64) {
    BASE_TSC.store(tsc, Ordering::Relaxed);
}

/// Lets the clock go on from its present time, at count `tsc`, with `khz` counts per millisecond. The first call makes it run, from [`start`] on.
///
/// Called on one CPU with interrupts off.
#[init]
pub fn set_rate(tsc: u64, khz: u64) {
    let new = Conversion::from_khz(khz.max(1));
    let first = MULTIPLIER.load(Ordering::Relaxed) == 0;
    let now = sched_clock();
    SEQUENCE.fetch_add(1, Ordering::AcqRel);
    if !first {
        BASE_NS.store(now, Ordering::Relaxed);
        BASE_TSC.store(tsc, Ordering::Relaxed);
    }
    MULTIPLIER.store(new.multiplier, Ordering::Relaxed);
    SHIFT.store(new.shift, Ordering::Relaxed);
    SEQUENCE.fetch_add(1, Ordering::Release);
}

#[ktest]
fn a_second_is_a_billion_nanoseconds_at_any_rate() {
    for khz in [1, 33_000, 999_999, 1_000_000, 2_394_454, 5_000_000] {
        let second = Conversion::from_khz(khz).nanoseconds(khz * 1000);
        assert!(second.abs_diff(1_000_000_000) <= 1, "{khz} kHz: {second}");
    }
}

#[ktest]
fn a_year_does_not_overflow() {
    const YEAR: u64 = 365 * 86_400;
    let nanoseconds = Conversion::from_khz(3_000_000).nanoseconds(YEAR * 3_000_000_000);
    assert!(nanoseconds.abs_diff(YEAR * 1_000_000_000) < 1_000_000_000);
}

#[ktest]
fn the_clock_runs_and_never_goes_back() {
    let mut last = sched_clock();
    let first = last;
    for _ in 0..1000 {
        let now = sched_clock();
        assert!(now >= last);
        last = now;
    }
    assert!(last > first);
}

//! The clock of the log: nanoseconds since the kernel started, by the time-stamp counter.
//!
//! It can be read anywhere, also by a non-maskable interrupt that has come in the middle of a change.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::tick::TICK_NSEC;
use super::timekeeping;
use crate::arch::x86::tsc::{self, rdtsc};
use crate::locking::{IrqSpinLock, SeqCountLatch};
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

/// How the clock goes on from a count of the counter.
struct Base {
    tsc: AtomicU64,
    ns: AtomicU64,
    /// 0 before the rate is known.
    multiplier: AtomicU32,
    shift: AtomicU32,
}

impl Base {
    const fn new() -> Self {
        Base {
            tsc: AtomicU64::new(0),
            ns: AtomicU64::new(0),
            multiplier: AtomicU32::new(0),
            shift: AtomicU32::new(0),
        }
    }

    /// Nanoseconds at the base, and since.
    #[inline]
    fn now(&self) -> (u64, u64) {
        let conversion = Conversion {
            multiplier: self.multiplier.load(Relaxed),
            shift: self.shift.load(Relaxed),
        };
        let count = rdtsc().saturating_sub(self.tsc.load(Relaxed));
        (self.ns.load(Relaxed), conversion.nanoseconds(count))
    }
}

/// The base in two copies, of which one is whole whoever interrupts a change.
static BASES: [Base; 2] = [const { Base::new() }; 2];
static LATCH: SeqCountLatch = SeqCountLatch::new();
/// The right to change the base, and the monotonic clock when that was done last.
static WRITER: IrqSpinLock<u64> = IrqSpinLock::new(0);

/// The counter is not to be believed for longer than a tick.
static IS_UNSTABLE: AtomicBool = AtomicBool::new(false);
/// The latest time that was told, while the counter is not believed.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds since [`start`], 0 before the counter's rate is known. Never goes back. Any context.
#[must_use]
pub fn sched_clock() -> u64 {
    let (base, passed) = LATCH.read(|copy| BASES[copy].now());
    if IS_UNSTABLE.load(Relaxed) {
        let now = base + passed.min(TICK_NSEC);
        return LATEST.fetch_max(now, Relaxed).max(now);
    }
    base + passed
}

/// Notes that the kernel starts now, at count `tsc`.
#[init]
pub fn start(tsc: u64) {
    LATCH.write(|copy| BASES[copy].tsc.store(tsc, Relaxed));
}

/// Lets the clock go on from its present time, at count `tsc`, with `khz` counts per millisecond. The first call makes it run, from [`start`] on.
pub fn set_rate(tsc: u64, khz: u64) {
    let _writer = WRITER.lock();
    let new = Conversion::from_khz(khz.max(1));
    let first = BASES[0].multiplier.load(Relaxed) == 0;
    let now = sched_clock();
    LATCH.write(|copy| {
        let base = &BASES[copy];
        if !first {
            base.ns.store(now, Relaxed);
            base.tsc.store(tsc, Relaxed);
        }
        base.multiplier.store(new.multiplier, Relaxed);
        base.shift.store(new.shift, Relaxed);
    });
}

/// The counter has turned out not to count evenly: from now on the clock is the monotonic one at the last tick, and what the counter shows since, but no more than a tick.
pub fn mark_unstable() {
    let mut last = WRITER.lock();
    let now = sched_clock();
    if !IS_UNSTABLE.swap(true, Relaxed) {
        *last = timekeeping::ktime_get().as_ns();
        rebase(now, rdtsc());
    }
}

/// A tick was counted: a clock that does not believe its counter follows the monotonic one. Interrupts are off.
pub(super) fn follow() {
    if !IS_UNSTABLE.load(Relaxed) {
        return;
    }
    let Some(mut last) = WRITER.try_lock() else { return };
    let (now, tsc) = (timekeeping::ktime_get().as_ns(), rdtsc());
    let ns = BASES[0].ns.load(Relaxed) + now.saturating_sub(*last);
    *last = now;
    rebase(ns, tsc);
}

/// Goes on with `ns` at count `tsc`. The writer's right is the caller's.
fn rebase(ns: u64, tsc: u64) {
    LATCH.write(|copy| {
        BASES[copy].ns.store(ns, Relaxed);
        BASES[copy].tsc.store(tsc, Relaxed);
    });
}

/// Says by what the log's clock goes from here on: Linux's stage of the same name.
#[stage(after(super::late_time_init), before(super::calibrate::calibrate_delay))]
#[init]
pub fn sched_clock_init() {
    if IS_UNSTABLE.load(Relaxed) {
        pr_info!("sched_clock: Marking unstable: it follows the monotonic clock");
    } else {
        let khz = tsc::tsc_khz();
        pr_info!("sched_clock: Marking stable ({}.{:03} MHz)", khz / 1000, khz % 1000);
    }
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
    // One whose counter is not believed stands when a tick has passed, until that is handled.
    assert!(last > first || tsc::is_unstable());
}

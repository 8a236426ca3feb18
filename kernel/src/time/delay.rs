//! Waiting by spinning.

use super::timer::HZ;
use super::{calibrate, timekeeping};
use crate::arch::x86::tsc::{self, rdtsc, tsc_khz};
use crate::preempt;
use crate::prelude::*;

/// The rate that is assumed before the real one is known: waiting too long does less harm than too short.
const FALLBACK_KHZ: u64 = 5_000_000;

/// Spins for `microseconds`, at least. Any context.
pub fn udelay(microseconds: u64) {
    if tsc::is_unstable() && timekeeping::is_continuous() && !preempt::in_nmi() {
        return spin_by_clock(microseconds.saturating_mul(1000));
    }
    match calibrate::loops_per_jiffy() {
        0 => spin_for(counts(microseconds, tsc_khz())),
        lpj => spin_for(counts(microseconds, (lpj * HZ).div_ceil(1000))),
    }
}

/// Spins for `milliseconds`, at least.
pub fn mdelay(milliseconds: u64) {
    udelay(milliseconds.saturating_mul(1000));
}

fn counts(microseconds: u64, khz: u64) -> u64 {
    let khz = if khz == 0 { FALLBACK_KHZ } else { khz };
    u64::try_from((u128::from(microseconds) * u128::from(khz)).div_ceil(1000)).unwrap_or(u64::MAX)
}

fn spin_for(counts: u64) {
    let start = rdtsc();
    while rdtsc().wrapping_sub(start) < counts {
        core::hint::spin_loop();
    }
}

/// Where the counter is not to be believed, the clock is.
#[cold]
fn spin_by_clock(ns: u64) {
    let until = timekeeping::ktime_get().add_ns(ns);
    while timekeeping::ktime_get() < until {
        core::hint::spin_loop();
    }
}

#[ktest]
fn a_delay_is_not_shorter_than_asked_for() {
    let before = crate::time::sched_clock();
    udelay(50);
    // Without its counter this clock stands still while there are no ticks.
    assert!(crate::time::sched_clock() - before >= 49_000 || tsc::is_unstable());
    assert_eq!(counts(1, 1), 1);
    assert_eq!(counts(3, 2_000_000), 6000);
    assert_eq!(counts(u64::MAX, u64::MAX), u64::MAX);
    assert_eq!(counts(2, 0), 10_000);
}

#[ktest]
fn a_delay_on_each_cpu_is_as_long_as_another_clock_says() {
    use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::clocksource::{self, Clocksource};

    use crate::smp::on_each_cpu;
    const US: u64 = 500;
    let Some(other) = clocksource::best(Clocksource::can_judge_tsc) else {
        return;
    };
    let shortest = AtomicU64::new(u64::MAX);
    on_each_cpu(&|| {
        let before = other.read();
        udelay(US);
        let passed = incipit_lib::clocksource::delta(other.read(), before, other.mask());
        shortest.fetch_min(other.scale().nanoseconds(passed), Relaxed);
    });
    // The rates of both clocks may be a little wrong.
    let shortest = shortest.load(Relaxed);
    assert!(shortest > US * 1000 * 95 / 100, "{shortest} ns by {}", other.name());
}

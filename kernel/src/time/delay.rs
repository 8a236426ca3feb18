//! Waiting by spinning.

use crate::arch::x86::tsc::{rdtsc, tsc_khz};
use crate::prelude::*;

/// The rate that is assumed before the real one is known: waiting too long does less harm than too short.
const FALLBACK_KHZ: u64 = 5_000_000;

/// Spins for `microseconds`, at least.
pub fn udelay(microseconds: u64) {
    spin_for(counts(microseconds, tsc_khz()));
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

#[ktest]
fn a_delay_is_not_shorter_than_asked_for() {
    let before = crate::time::sched_clock();
    udelay(50);
    assert!(crate::time::sched_clock() - before >= 49_000);
    assert_eq!(counts(1, 1), 1);
    assert_eq!(counts(3, 2_000_000), 6000);
    assert_eq!(counts(u64::MAX, u64::MAX), u64::MAX);
    assert_eq!(counts(2, 0), 10_000);
}

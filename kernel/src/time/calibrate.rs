//! How many loops a tick is long: what [`udelay`](super::udelay) waits by, and the number that everybody knows from the boot, BogoMIPS.
//!
//! A loop is a count of the time-stamp counter, so nothing is counted here: a loop that is counted would wait for ticks, and be wrong where the host takes the processor away.

use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicU64, fence};

use super::timer::HZ;
use crate::arch::x86::cpu::masks;
use crate::arch::x86::tsc::{self, Source};
use crate::prelude::*;

/// Loops in a tick, on each CPU; 0 before they are known.
#[percpu]
static LOOPS_PER_JIFFY: AtomicU64 = AtomicU64::new(0);

/// What `lpj=` says; 0 without it.
static PRESET: AtomicU64 = AtomicU64::new(0);

/// `lpj=N`: how many loops a tick is long, for machines whose clocks cannot be believed.
#[setup("lpj=")]
#[init]
fn lpj_setup(value: &'static str) -> SetupResult {
    match incipit_lib::param::parse_int::<u32>(value.as_bytes()) {
        Ok(lpj @ 1..) => PRESET.store(lpj.into(), Relaxed),
        _ => pr_warn!("lpj: '{value}' is no number of loops above 0: it is calibrated"),
    }
    SetupResult::Consumed
}

/// Loops in a tick on this CPU; 0 before [`calibrate_delay`].
#[inline]
#[must_use]
pub fn loops_per_jiffy() -> u64 {
    LOOPS_PER_JIFFY.this_cpu_read()
}

/// How many a counter of `khz` makes.
const fn loops_of(khz: u64) -> u64 {
    khz.saturating_mul(1000) / HZ
}

/// What this CPU waits by from now on.
fn loops() -> u64 {
    match PRESET.load(Relaxed) {
        0 => loops_of(tsc::tsc_khz()),
        preset => preset,
    }
}

/// BogoMIPS: two "instructions" for each loop, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BogoMips(u64);

impl BogoMips {
    const fn of(loops_per_jiffy: u64) -> Self {
        BogoMips(loops_per_jiffy / (5000 / HZ))
    }

    /// Of a CPU; nothing of one that has never run.
    #[must_use]
    pub fn of_cpu(cpu: usize) -> Self {
        BogoMips::of(LOOPS_PER_JIFFY.per_cpu(cpu).map_or(0, |loops| loops.load(Relaxed)))
    }

    /// Of all CPUs that are online together.
    #[must_use]
    pub fn of_all() -> Self {
        let loops = masks::ONLINE.iter().filter_map(|cpu| LOOPS_PER_JIFFY.per_cpu(cpu));
        BogoMips::of(loops.map(|loops| loops.load(Relaxed)).sum())
    }
}

impl core::fmt::Display for BogoMips {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// Finds out what the boot CPU waits by: Linux's stage of the same name, with its lines.
#[stage(after(super::clock::sched_clock_init), before(crate::fs::vfs_caches_init))]
#[init]
pub fn calibrate_delay() {
    let lpj = loops();
    LOOPS_PER_JIFFY.this_cpu_write(lpj);
    let how = match tsc::source() {
        _ if PRESET.load(Relaxed) != 0 => "Calibrating delay loop (skipped) preset value..",
        Source::Reference => "Calibrating delay using timer specific routine..",
        Source::Assumed => "Calibrating delay loop (skipped), nothing to calibrate it by..",
        _ => "Calibrating delay loop (skipped), value calculated using timer frequency..",
    };
    pr_info!("{how} {} BogoMIPS (lpj={lpj})", BogoMips::of(lpj));
}

/// A CPU that comes counts as fast as the others: they have one counter, or one clock for their counters.
#[cpu_state(starting, name = "time/calibrate:starting")]
fn calibrate_secondary(_cpu: usize) -> Result<(), Errno> {
    // One that is found meanwhile is either seen here, or finds this CPU's.
    while LOOPS_PER_JIFFY.this_cpu_read() != loops() {
        LOOPS_PER_JIFFY.this_cpu_write(loops());
        fence(SeqCst);
    }
    Ok(())
}

/// The counter's rate is known better: all CPUs wait by it, those too that are about to be online, unless the command line has said by what.
pub(crate) fn rate_has_changed() {
    fence(SeqCst);
    let cpus = masks::POSSIBLE.iter().filter_map(|cpu| LOOPS_PER_JIFFY.per_cpu(cpu));
    cpus.filter(|known| known.load(Relaxed) != 0)
        .for_each(|known| known.store(loops(), Relaxed));
}

#[ktest]
fn bogomips_are_those_of_linux() {
    // From a log of Linux: "5188.00 BogoMIPS (lpj=10376000)" with HZ=250.
    if HZ == 250 {
        assert_eq!(loops_of(2_594_000), 10_376_000);
        assert_eq!(BogoMips::of(10_376_000), BogoMips(518_800));
    }
}

#[ktest]
fn every_cpu_knows_what_to_wait_by() {
    let here = loops_per_jiffy();
    assert!(here > 0);
    for cpu in masks::ONLINE.iter() {
        assert_eq!(BogoMips::of_cpu(cpu), BogoMips::of(here), "CPU {cpu}");
    }
}

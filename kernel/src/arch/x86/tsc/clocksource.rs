//! The time-stamp counter as a clocksource.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use linkme::distributed_slice;

use super::{rdtsc, tsc_khz};
use crate::arch::x86::apic::deadline;
use crate::prelude::*;
use crate::time::clocksource::{self, CLOCKSOURCES, Clocksource, ClocksourceFlags};

const FLAGS: ClocksourceFlags = ClocksourceFlags::CONTINUOUS
    .union(ClocksourceFlags::VALID_FOR_HRES)
    .union(ClocksourceFlags::MUST_VERIFY)
    .union(ClocksourceFlags::IS_TSC)
    .union(ClocksourceFlags::BY_TSC);

/// From the first moment on, by the rate that is known then.
static TSC_EARLY: Clocksource = Clocksource::new("tsc-early", 299, 64, rdtsc, FLAGS);
/// By the rate that stays.
static TSC: Clocksource = Clocksource::new("tsc", 300, 64, rdtsc, FLAGS);
/// The same, if nobody is to doubt it.
static TSC_RELIABLE: Clocksource = Clocksource::new("tsc", 300, 64, rdtsc, FLAGS.difference(ClocksourceFlags::MUST_VERIFY));

const ALL: [&Clocksource; 3] = [&TSC_EARLY, &TSC, &TSC_RELIABLE];
static IS_UNSTABLE: AtomicBool = AtomicBool::new(false);

bitflags::bitflags! {
    /// What `tsc=` asks for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Options: u32 {
        const RELIABLE = 1 << 0;
        const UNSTABLE = 1 << 1;
        const NO_WATCHDOG = 1 << 2;
        const RECALIBRATE = 1 << 3;
    }
}

static OPTIONS: AtomicU32 = AtomicU32::new(0);

/// `tsc=reliable` or `tsc=nowatchdog`: the counter is believed, whatever other clocks say; with the first, whatever other CPUs' counters say, too. `tsc=unstable`: it is not used as a clocksource. `tsc=recalibrate`: the rate
/// that another clock measures is used, even if the processor or the hypervisor tells one.
#[early_param("tsc")]
#[init]
fn parse_tsc(value: Option<&'static str>) -> Result<(), Errno> {
    let option = match value {
        Some("reliable") => Options::RELIABLE,
        Some("unstable") => Options::UNSTABLE,
        Some("nowatchdog") => Options::NO_WATCHDOG,
        Some("recalibrate") => Options::RECALIBRATE,
        _ => return Err(Errno::EINVAL),
    };
    OPTIONS.fetch_or(option.bits(), Relaxed);
    Ok(())
}

/// Whether a rate that was told is to be measured nevertheless.
pub(super) fn is_to_recalibrate() -> bool {
    is_asked_for(Options::RECALIBRATE)
}

fn is_asked_for(options: Options) -> bool {
    Options::from_bits_truncate(OPTIONS.load(Relaxed)).intersects(options)
}

/// The clocksource that the clocks start with.
#[init]
pub fn early_clocksource() -> &'static Clocksource {
    // Nothing is registered yet, and the counter counts: neither error can be.
    let _ = clocksource::register(&TSC_EARLY, tsc_khz() * 1000);
    &TSC_EARLY
}

/// The rate is another.
pub(super) fn rate_has_changed(khz: u64) {
    for clocksource in ALL {
        clocksource::set_hertz(clocksource, khz * 1000);
    }
}

/// Whether it is believed that all CPUs' counters show the same, whatever they show.
#[cfg(CONFIG_SMP)]
pub(super) fn is_reliable() -> bool {
    is_asked_for(Options::RELIABLE)
}

/// Whether the counter was found not to count evenly, or is said not to.
#[must_use]
pub fn is_unstable() -> bool {
    IS_UNSTABLE.load(Relaxed)
}

/// The counter is wrong, for a reason: it is not used again, neither early nor late. Linux's `mark_tsc_unstable`.
pub fn mark_tsc_unstable(reason: &str) {
    if IS_UNSTABLE.swap(true, Relaxed) {
        return;
    }
    pr_info!("tsc: Marking TSC unstable due to {reason}");
    crate::time::clock::mark_unstable();
    deadline::tsc_is_unstable();
    ALL.into_iter().for_each(clocksource::mark_unstable);
}

#[distributed_slice(CLOCKSOURCES)]
static PROBE: fn() = probe;

#[init_ref("called by late_time_init only")]
fn probe() {
    if is_asked_for(Options::UNSTABLE) {
        mark_tsc_unstable("boot parameter");
        return;
    }
    let tsc = if is_asked_for(Options::RELIABLE | Options::NO_WATCHDOG) {
        &TSC_RELIABLE
    } else {
        &TSC
    };
    if let Err(error) = clocksource::register(tsc, tsc_khz() * 1000) {
        pr_err!("tsc: cannot be a clocksource: {error}");
    }
}

//! The time-stamp counter as a clocksource.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit_lib::clocksource::delta;
use incipit_lib::tsc::error_ppm;
use linkme::distributed_slice;

use super::{rdtsc, tsc_khz};
use crate::prelude::*;
use crate::time::clocksource::{self, CLOCKSOURCES, Clocksource, ClocksourceFlags};

const FLAGS: ClocksourceFlags = ClocksourceFlags::CONTINUOUS
    .union(ClocksourceFlags::VALID_FOR_HRES)
    .union(ClocksourceFlags::MUST_VERIFY)
    .union(ClocksourceFlags::IS_TSC);

/// From the first moment on, by the rate that is known then.
static TSC_EARLY: Clocksource = Clocksource::new("tsc-early", 299, 64, rdtsc, FLAGS);
/// By the rate that stays.
static TSC: Clocksource = Clocksource::new("tsc", 300, 64, rdtsc, FLAGS);
/// The same, if nobody is to doubt it.
static TSC_RELIABLE: Clocksource = Clocksource::new("tsc", 300, 64, rdtsc, FLAGS.difference(ClocksourceFlags::MUST_VERIFY));

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

/// `tsc=reliable` or `tsc=nowatchdog`: the counter is believed, whatever other clocks say. `tsc=unstable`: it is not used as a clocksource. `tsc=recalibrate`: its rate is compared
/// with another clock and the difference is logged.
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

fn is_asked_for(options: Options) -> bool {
    Options::from_bits_truncate(OPTIONS.load(Relaxed)).intersects(options)
}

/// How long the comparison takes that `tsc=recalibrate` asks for.
const COMPARE_NS: u64 = 10_000_000;
/// Readings after which a clock that does not move is given up.
const MAX_READINGS: u32 = 10_000_000;

/// With `tsc=recalibrate`: measures the rate by the best other clock, and logs by how much the one in use differs.
#[init]
pub fn compare() {
    if !is_asked_for(Options::RECALIBRATE) {
        return;
    }
    let Some(reference) = clocksource::best(|clocksource| !clocksource.flags().contains(ClocksourceFlags::IS_TSC)) else {
        pr_warn!("tsc: there is no other clock to compare the rate with");
        return;
    };
    let (begin, tsc_begin) = (reference.read(), rdtsc());
    for _ in 0..MAX_READINGS {
        let passed = delta(reference.read(), begin, reference.mask());
        let (ns, counts) = (reference.scale().nanoseconds(passed), rdtsc().wrapping_sub(tsc_begin));
        if ns >= COMPARE_NS {
            let measured = u64::try_from(u128::from(counts) * 1_000_000 / u128::from(ns)).unwrap_or(u64::MAX);
            pr_info!(
                "tsc: {} measures {}.{:03} MHz: the rate in use differs by {} ppm",
                reference.name(),
                measured / 1000,
                measured % 1000,
                error_ppm(tsc_khz(), measured)
            );
            return;
        }
    }
    pr_warn!("tsc: {} does not move: the rate cannot be compared", reference.name());
}

/// The clocksource that the clocks start with.
#[init]
pub fn early_clocksource() -> &'static Clocksource {
    // Nothing is registered yet, and the counter counts: neither error can be.
    let _ = clocksource::register(&TSC_EARLY, tsc_khz() * 1000);
    &TSC_EARLY
}

/// The rate was measured better.
#[init]
pub(super) fn refined(khz: u64) {
    clocksource::set_hertz(&TSC_EARLY, khz * 1000);
}

/// The counter is wrong, for a reason: it is not used again, neither early nor late. Linux's `mark_tsc_unstable`.
pub fn mark_tsc_unstable(reason: &str) {
    pr_info!("tsc: Marking TSC unstable due to {reason}");
    for clocksource in [&TSC_EARLY, &TSC, &TSC_RELIABLE] {
        clocksource::mark_unstable(clocksource);
    }
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

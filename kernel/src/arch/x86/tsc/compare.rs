//! The counter's rate beside other clocks, without waiting for them: read once when they have been found, and once more when a tenth of a second has passed.
//!
//! A rate that was measured is replaced by the better one; of one that was told the error is shown. When they differ by more than any crystal does, a third clock says who is wrong.

use incipit_lib::clocksource::delta;
use incipit_lib::tsc::{Judgement, error_ppm, judge};

use super::{Source, clocksource as tsc_clocksource, print_rate, rdtsc, set_khz, source, tsc_khz};
use crate::irq::IrqGuard;
use crate::locking::IrqSpinLock;
use crate::prelude::*;
use crate::time::clocksource::{self, Clocksource};
use crate::time::timer::{HZ, Timer, jiffies};

/// How many ticks are between the two readings.
const INTERVAL: u64 = HZ / 10;
/// What is measured over where no rate is known at all.
const SHORT_NS: u64 = 10_000_000;
/// Readings after which a clock that does not move is given up.
const MAX_READINGS: u32 = 10_000_000;
/// How often a clock is read at each end: the reading that took the shortest time counts.
const READINGS: u32 = 4;

/// A clock and the counter at the same moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    clock: &'static Clocksource,
    shows: u64,
    tsc: u64,
}

impl Moment {
    fn now(clock: &'static Clocksource) -> Moment {
        let reading = || {
            let _guard = IrqGuard::new();
            let before = rdtsc();
            let shows = clock.read();
            let after = rdtsc();
            (after.wrapping_sub(before), shows, before.midpoint(after))
        };
        let (_, shows, tsc) = (1..READINGS).fold(reading(), |best, _| best.min(reading()));
        Moment { clock, shows, tsc }
    }

    /// The counter's rate by this clock since then. Nothing if the clock may have gone round, or has not moved.
    fn khz(&self) -> Option<u64> {
        let now = Moment::now(self.clock);
        let scale = self.clock.scale();
        let ns = scale.nanoseconds(delta(now.shows, self.shows, self.clock.mask()));
        let counts = u128::from(now.tsc.wrapping_sub(self.tsc));
        let by_tsc = counts * 1_000_000 / u128::from(tsc_khz().max(1));
        let is_round = by_tsc > u128::from(scale.nanoseconds(self.clock.mask()) / 2);
        let khz = (counts * 1_000_000).checked_div(ns.into()).filter(|_| !is_round)?;
        u64::try_from(khz).ok()
    }
}

/// The two best clocks that do not go by the counter.
static BEGUN: IrqSpinLock<[Option<Moment>; 2]> = IrqSpinLock::new([None; 2]);
static TIMER: Timer = Timer::new(|_| end());

/// Begins, now that all clocks have been found: what `late_time_init` does.
#[init]
pub fn begin() {
    let Some(first) = clocksource::best(Clocksource::can_judge_tsc) else {
        return;
    };
    if source() == Source::Assumed {
        measure(first);
    }
    let second = clocksource::best(|clock| clock.can_judge_tsc() && !core::ptr::eq(clock, first));
    *BEGUN.lock() = [Some(first), second].map(|clock| clock.map(Moment::now));
    TIMER.mod_timer(jiffies() + INTERVAL);
}

/// Waits for once, as nothing is known of the rate.
#[init]
fn measure(clock: &'static Clocksource) {
    let begin = Moment::now(clock);
    for _ in 0..MAX_READINGS {
        let ns = clock.scale().nanoseconds(delta(clock.read(), begin.shows, clock.mask()));
        if ns >= SHORT_NS {
            let Some(khz) = begin.khz() else { return };
            pr_info!("tsc: using {} reference calibration", clock.name());
            set_khz(khz, Source::Reference);
            print_rate("processor");
            return;
        }
    }
    pr_warn!("tsc: {} does not move: the rate cannot be measured by it", clock.name());
}

/// A while has passed.
fn end() {
    let [Some(first), second] = *BEGUN.lock() else { return };
    if tsc_clocksource::is_unstable() {
        return;
    }
    let Some(measured) = first.khz() else { return };
    let by_second = second.as_ref().and_then(Moment::khz);
    let (khz, name) = (tsc_khz(), first.clock.name());
    match judge(khz, measured, by_second) {
        Judgement::Agree if source().is_told() && !tsc_clocksource::is_to_recalibrate() => {
            pr_info!(
                "tsc: {name} measures {}.{:03} MHz: the rate of {} differs by {} ppm",
                measured / 1000,
                measured % 1000,
                source(),
                error_ppm(khz, measured)
            );
        }
        Judgement::Agree => refine(measured),
        Judgement::RateIsWrong => {
            pr_warn!(
                "tsc: {name} and another clock measure {}.{:03} MHz, and not the {}.{:03} MHz of {}",
                measured / 1000,
                measured % 1000,
                khz / 1000,
                khz % 1000,
                source()
            );
            refine(measured);
        }
        Judgement::ReferenceIsWrong => {
            pr_warn!("{name}: differs from the processor's clock and from a third one: it is not used");
            clocksource::mark_unstable(first.clock);
        }
        Judgement::Unknown => pr_warn!(
            "tsc: {name} measures {}.{:03} MHz, and there is no third clock to say which of them is wrong",
            measured / 1000,
            measured % 1000
        ),
    }
}

/// A rate that changes by less is not told: the line would come in the middle of something else.
const WORTH_A_LINE_PPM: i64 = 500;

fn refine(khz: u64) {
    let changes = error_ppm(tsc_khz(), khz).abs() > WORTH_A_LINE_PPM;
    set_khz(khz, Source::Reference);
    if !changes {
        return;
    }
    pr_info!("tsc: Refined TSC clocksource calibration: {}.{:03} MHz", khz / 1000, khz % 1000);
}

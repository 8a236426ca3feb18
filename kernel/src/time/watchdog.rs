//! The watch over the clocksource in use: compared with another one every now and then, and given up if it is wrong.
//!
//! What the comparison says is [`incipit_lib::clocksource::watchdog`]'s. A timer asks for it every [`INTERVAL_NS`], for as long as the clocksource in use is to be verified.

use incipit_lib::clocksource::delta;
use incipit_lib::clocksource::watchdog::{INTERVAL_NS, Intervals, MAX_READ_NS, THRESHOLD_NS, Verdict};
use incipit_lib::time::NSEC_PER_SEC;

use crate::irq::IrqGuard;
use crate::locking::IrqSpinLock;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::time::clocksource::{self, Clocksource, ClocksourceFlags};
use crate::time::timekeeping;
use crate::time::timer::{HZ, Timer, jiffies};

/// Both counters at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    clocksource: &'static Clocksource,
    watchdog: &'static Clocksource,
    clocksource_now: u64,
    watchdog_now: u64,
}

static LAST: IrqSpinLock<Option<Sample>> = IrqSpinLock::new(None);

static TIMER: Timer = Timer::new(|_| {
    if check() {
        rearm();
    }
});

/// Ticks from one comparison to the next.
const INTERVAL_TICKS: u64 = INTERVAL_NS / (NSEC_PER_SEC / HZ);

fn rearm() {
    TIMER.mod_timer(jiffies() + INTERVAL_TICKS);
}

/// Another clocksource is in use: it is looked at soon.
pub(super) fn start() {
    *LAST.lock() = None;
    rearm();
}

/// The timer was kept from coming for a while, in which a counter may have gone round: begins anew. Linux's `clocksource_touch_watchdog`.
pub fn touch() {
    *LAST.lock() = None;
}

/// Whether a clocksource can tell that another one is wrong: it counts by itself, is believed without proof, and does not go round between two looks at it.
fn is_trusted(clocksource: &Clocksource) -> bool {
    clocksource.can_judge_tsc()
        && !clocksource
            .flags()
            .intersects(ClocksourceFlags::MUST_VERIFY | ClocksourceFlags::UNSTABLE)
        && clocksource.scale().nanoseconds(clocksource.mask()) > 4 * INTERVAL_NS
}

/// Compares the clocksource in use with the best one that is trusted. Says whether there is anything to compare.
fn check() -> bool {
    let current = clocksource::best(timekeeping::is_current).filter(|current| current.flags().contains(ClocksourceFlags::MUST_VERIFY));
    let (Some(current), Some(watchdog)) = (current, clocksource::best(is_trusted)) else {
        touch();
        return false;
    };
    let now = sample(current, watchdog);
    let last = core::mem::replace(&mut *LAST.lock(), now);
    if let (Some(last), Some(now)) = (last, now)
        && is_wrong(&last, &now)
    {
        give_up(now.clocksource);
    }
    true
}

fn give_up(clocksource: &'static Clocksource) {
    if clocksource.flags().contains(ClocksourceFlags::IS_TSC) {
        crate::arch::x86::tsc::mark_tsc_unstable("clocksource watchdog");
    } else {
        clocksource::mark_unstable(clocksource);
    }
}

/// Reads both. `None` if it took so long that the comparison would be worth nothing: a hypervisor or firmware has come in between.
fn sample(clocksource: &'static Clocksource, watchdog: &'static Clocksource) -> Option<Sample> {
    let _guard = IrqGuard::new();
    let before = watchdog.read();
    let clocksource_now = clocksource.read();
    let watchdog_now = watchdog.read();
    let took = watchdog.scale().nanoseconds(delta(watchdog_now, before, watchdog.mask()));
    (took <= MAX_READ_NS).then_some(Sample {
        clocksource,
        watchdog,
        clocksource_now,
        watchdog_now,
    })
}

/// Whether the clocksource went wrong from `last` to `now`; says so in Linux's words.
fn is_wrong(last: &Sample, now: &Sample) -> bool {
    let (clocksource, watchdog) = (now.clocksource, now.watchdog);
    if !core::ptr::eq(clocksource, last.clocksource) || !core::ptr::eq(watchdog, last.watchdog) {
        return false;
    }
    let passed = |by: &Clocksource, now, last| by.scale().nanoseconds(delta(now, last, by.mask()));
    let intervals = Intervals {
        clocksource: passed(clocksource, now.clocksource_now, last.clocksource_now),
        watchdog: passed(watchdog, now.watchdog_now, last.watchdog_now),
    };
    // A counter that went round tells nothing.
    let max_ns = watchdog.scale().nanoseconds(watchdog.mask()) / 2;
    if intervals.verdict(THRESHOLD_NS, max_ns) != Verdict::Unstable {
        return false;
    }
    let (cs_name, wd_name) = (clocksource.name(), watchdog.name());
    pr_warn!(
        "clocksource: timekeeping watchdog on CPU{}: Marking clocksource '{cs_name}' as unstable because the skew is too large:",
        smp_processor_id()
    );
    pr_warn!(
        "clocksource:                       '{wd_name}' wd_nsec: {} wd_now: {:x} wd_last: {:x} mask: {:x}",
        intervals.watchdog,
        now.watchdog_now,
        last.watchdog_now,
        watchdog.mask()
    );
    pr_warn!(
        "clocksource:                       '{cs_name}' cs_nsec: {} cs_now: {:x} cs_last: {:x} mask: {:x}",
        intervals.clocksource,
        now.clocksource_now,
        last.clocksource_now,
        clocksource.mask()
    );
    pr_warn!(
        "clocksource:                       Clocksource '{cs_name}' skewed {} ns over watchdog '{wd_name}' interval of {} ns",
        intervals.skew(),
        intervals.watchdog
    );
    true
}

#[cfg(CONFIG_KUNIT)]
mod tests {
    use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;
    use crate::arch::x86::tsc::{rdtsc, tsc_khz};

    static JUMPY_NOW: AtomicU64 = AtomicU64::new(0);
    static STEADY_NOW: AtomicU64 = AtomicU64::new(0);
    static JUMPY: Clocksource = Clocksource::new("jumpy", 0, 64, || JUMPY_NOW.load(Relaxed), ClocksourceFlags::MUST_VERIFY);
    static STEADY: Clocksource = Clocksource::new("steady", 0, 32, || STEADY_NOW.load(Relaxed), ClocksourceFlags::CONTINUOUS);

    #[ktest]
    fn a_clocksource_that_jumps_is_found() {
        for clocksource in [&JUMPY, &STEADY] {
            clocksource::set_hertz(clocksource, NSEC_PER_SEC);
        }
        let moment = || sample(&JUMPY, &STEADY).expect("the counters stand while they are read");
        let first = moment();
        JUMPY_NOW.fetch_add(INTERVAL_NS + 50_000, Relaxed);
        STEADY_NOW.fetch_add(INTERVAL_NS, Relaxed);
        let second = moment();
        assert!(!is_wrong(&first, &second));
        JUMPY_NOW.fetch_add(3 * INTERVAL_NS, Relaxed);
        STEADY_NOW.fetch_add(INTERVAL_NS, Relaxed);
        assert!(is_wrong(&second, &moment()));
    }

    static JUMP: AtomicU64 = AtomicU64::new(0);
    static JUMPING: Clocksource = Clocksource::new(
        "jumping",
        1000,
        64,
        || rdtsc().wrapping_add(JUMP.load(Relaxed)),
        ClocksourceFlags::CONTINUOUS.union(ClocksourceFlags::MUST_VERIFY),
    );

    #[ktest]
    fn a_clocksource_in_use_that_jumps_is_given_up() {
        if clocksource::best(is_trusted).is_none() {
            return;
        }
        let hertz = tsc_khz() * 1000;
        assert_eq!(clocksource::register(&JUMPING, hertz), Ok(()));
        if !timekeeping::is_current(&JUMPING) {
            // The command line names another.
            return clocksource::unregister(&JUMPING);
        }
        let before = timekeeping::ktime_get();
        // Of several, in case that the host keeps one of them too long.
        for _ in 0..100 {
            check();
            JUMP.fetch_add(hertz, Relaxed);
            crate::time::udelay(200);
            check();
            if !timekeeping::is_current(&JUMPING) {
                break;
            }
        }
        assert!(!timekeeping::is_current(&JUMPING) && timekeeping::ktime_get() > before);
        clocksource::unregister(&JUMPING);
    }
}

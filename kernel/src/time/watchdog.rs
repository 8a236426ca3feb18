//! The watch over the clocksource in use: compared with another one every now and then, and given up if it is wrong.
//!
//! What the comparison says is [`incipit_lib::clocksource::watchdog`]'s. A timer asks for it every [`INTERVAL_NS`], on each CPU in turn, for as long as the clocksource in use is to be
//! verified.

use core::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};

use incipit_lib::clocksource::delta;
use incipit_lib::clocksource::watchdog::{INTERVAL_NS, Intervals, MAX_READ_NS, THRESHOLD_NS, Verdict};
use incipit_lib::time::NSEC_PER_SEC;

use crate::arch::x86::apic;
use crate::arch::x86::cpu::masks::{ONLINE, POSSIBLE};
use crate::irq::IrqGuard;
use crate::locking::IrqSpinLock;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::time::clocksource::{self, Clocksource, ClocksourceFlags};
use crate::time::hrtimer;
use crate::time::timekeeping::{self, Witness};
use crate::time::timer::{HZ, Timer, jiffies};

/// Both counters at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    clocksource: &'static Clocksource,
    watchdog: &'static Clocksource,
    clocksource_now: u64,
    watchdog_now: u64,
    /// What the time was then.
    mono: u64,
}

static LAST: IrqSpinLock<Option<Sample>> = IrqSpinLock::new(None);

/// Each CPU has its own, of which one is armed: the comparisons go round, so that the counter of each CPU is looked at, if it has one of its own.
#[percpu]
static TIMER: Timer = Timer::new(|_| look());

/// Armed on the CPU that has passed the watch on, until the next one has done so: that may be the one whose clock is wrong, and its timers with it.
static BACKSTOP: Timer = Timer::new(|_| {
    stop();
    look();
});

/// Ticks from one comparison to the next.
const INTERVAL_TICKS: u64 = INTERVAL_NS / (NSEC_PER_SEC / HZ);
/// What was to come so long ago will not come by itself.
const OVERDUE_NS: u64 = INTERVAL_NS;

/// A CPU is looking. Saying what it has found may take longer than others wait.
static IS_LOOKING: AtomicBool = AtomicBool::new(false);

fn look() {
    if IS_LOOKING.swap(true, Acquire) {
        return;
    }
    let goes_on = check();
    IS_LOOKING.store(false, Release);
    if goes_on {
        wake_overdue(OVERDUE_NS);
        pass_on();
    }
}

/// The next CPU is to look.
fn pass_on() {
    let here = smp_processor_id();
    let next = ONLINE
        .iter()
        .find(|&cpu| cpu > here)
        .or_else(|| ONLINE.iter().next())
        .unwrap_or(here);
    if let Some(timer) = TIMER.per_cpu(next) {
        timer.add_timer_on(next, jiffies() + INTERVAL_TICKS);
    }
    if next != here {
        BACKSTOP.mod_timer(jiffies() + 2 * INTERVAL_TICKS);
    }
}

/// Nobody is to look.
fn stop() {
    POSSIBLE.iter().filter_map(|cpu| TIMER.per_cpu(cpu)).for_each(|timer| {
        timer.del();
    });
}

/// Interrupts the other CPUs whose devices should have done so more than `overdue` ns ago: a device that goes by a counter that was set back comes by so much too late. They set
/// it anew then. Says how many there are.
fn wake_overdue(overdue: u64) -> usize {
    let here = smp_processor_id();
    let late = ONLINE.iter().filter(|&cpu| cpu != here && hrtimer::is_overdue(cpu, overdue));
    late.map(apic::interrupt_timer).count()
}

/// Another clocksource is in use: it is looked at soon.
pub(super) fn start() {
    *LAST.lock() = None;
    stop();
    pass_on();
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
        timekeeping::believe(Witness {
            mono: last.mono,
            clocksource: last.watchdog,
            shown: last.watchdog_now,
        });
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
    let mono = timekeeping::ktime_get().as_ns();
    let took = watchdog.scale().nanoseconds(delta(watchdog_now, before, watchdog.mask()));
    (took <= MAX_READ_NS).then_some(Sample {
        clocksource,
        watchdog,
        clocksource_now,
        watchdog_now,
        mono,
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
    use crate::smp::call_function_single;
    use crate::time::hrtimer::{Clock, Context, HrTimer, Mode, Restart};
    use crate::time::sleep::halt_until;
    use crate::time::{clockevents, tick};

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

    #[ktest]
    fn a_cpu_whose_device_does_not_come_is_woken() {
        const MILLISECOND: u64 = 1_000_000;
        static LATE: HrTimer = HrTimer::new(Clock::Monotonic, Context::Hard, |_| Restart::No);
        let here = smp_processor_id();
        let Some(other) = ONLINE.iter().find(|&cpu| cpu != here).filter(|_| tick::is_running()) else {
            return;
        };
        // Its device is put off as far as it can be, and nobody is told.
        let put_off = || {
            LATE.start(MILLISECOND, Mode::Relative);
            if let Some(device) = clockevents::this_cpu() {
                device.program(u64::MAX);
            }
        };
        assert_eq!(call_function_single(other, &put_off), Ok(()));
        // Something else may interrupt it before.
        let mut woken = 0;
        while woken == 0 && LATE.is_queued() {
            woken = wake_overdue(MILLISECOND);
        }
        halt_until(|| !LATE.is_queued());
        assert!(!LATE.cancel());
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

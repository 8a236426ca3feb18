//! What must hold for time however hard it is used: read on all CPUs while clocksources and CPUs come and go, and by very many timers at once.
//!
//! The numbers are parameters, `time_torture.reads=`, `time_torture.timers=` and `time_torture.events=`: small where all tests are run, and those of the promise in a boot for them alone. So is what spoils
//! a clock for all tests behind it, `time_torture.jump=`.

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::clocksource::{self, Clocksource, ClocksourceFlags};
use super::hrtimer::{Clock, Context, HrTimer, Mode, Restart};
use super::sleep::halt_until;
use super::timer::{HZ, Timer, jiffies};
use super::{clockevents, ktime_get, ktime_get_coarse, tick, timekeeping};
use crate::arch::x86::cpu::masks::ONLINE;
use crate::arch::x86::irq::{LOCAL_TIMER_VECTOR, sysvec_count};
use crate::arch::x86::msr;
use crate::arch::x86::tsc::{rdtsc, tsc_khz};
use crate::irq::IrqGuard;
use crate::mm::Gfp;
use crate::mm::slab::{KBox, KVec};
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::smp::call_function_single_nowait;

/// How often the clock is read on all CPUs together.
#[param(name = "reads", module = "time_torture")]
static READS: AtomicU64 = AtomicU64::new(200_000);
/// How many timers of each kind wait at once.
#[param(name = "timers", module = "time_torture")]
static TIMERS: AtomicU64 = AtomicU64::new(2_000);

/// How many events the devices of all CPUs together are set to.
#[param(name = "events", module = "time_torture")]
static EVENTS: AtomicU64 = AtomicU64::new(500);
/// By how many seconds the time-stamp counter jumps; 0 for not at all.
#[param(name = "jump", module = "time_torture")]
static JUMP: AtomicI32 = AtomicI32::new(0);
/// The CPU whose time-stamp counter jumps.
#[param(name = "jump_cpu", module = "time_torture")]
static JUMP_CPU: AtomicU32 = AtomicU32::new(0);

/// Readings that a CPU makes at a time.
const CHUNK: u64 = 5_000;

/// The latest time that any CPU has seen.
static LATEST: AtomicU64 = AtomicU64::new(0);
static WENT_BACK: AtomicU64 = AtomicU64::new(0);
static MADE: AtomicU64 = AtomicU64::new(0);

/// Reads the clock so often, each time seeing first what others have read.
fn read(times: u64) {
    for _ in 0..times {
        let seen = LATEST.load(core::sync::atomic::Ordering::Acquire);
        let now = ktime_get().as_ns();
        if now < seen {
            WENT_BACK.fetch_add(1, Relaxed);
        }
        LATEST.fetch_max(now, core::sync::atomic::Ordering::Release);
    }
    MADE.fetch_add(times, Relaxed);
}

/// What another CPU is asked for, with interrupts off.
fn read_on() {
    read(CHUNK);
}

/// The clocksources that the clock is switched among, the one in use first.
fn sources() -> Result<KVec<&'static Clocksource>, Errno> {
    let mut all = KVec::new();
    clocksource::try_for_each(|source| all.push(source))?;
    all.sort_by_key(|source| !timekeeping::is_current(source));
    Ok(all)
}

#[ktest]
fn the_monotonic_clock_never_goes_back_on_any_cpu() {
    LATEST.store(0, Relaxed);
    MADE.store(0, Relaxed);
    let before = WENT_BACK.load(Relaxed);
    let sources = sources().unwrap_or_else(|error| panic!("{error}"));
    let (reads, mut turn, mut unplugged) = (READS.load(Relaxed), 0, 0);
    while MADE.load(Relaxed) < reads {
        for cpu in ONLINE.iter().skip(1) {
            let _ = call_function_single_nowait(cpu, &read_on);
        }
        // Slow ones are used for a short while only: the best one again after each.
        timekeeping::change_clocksource(sources[turn % sources.len()]);
        read(20);
        timekeeping::change_clocksource(sources[0]);
        read_on();
        turn += 1;
        #[cfg(CONFIG_SMP)]
        if turn % 32 == 0 && ONLINE.weight() > 1 {
            let cpu = 1 + unplugged % (ONLINE.weight() - 1);
            assert_eq!(crate::cpu::cpu_down(cpu), Ok(()));
            read_on();
            assert_eq!(crate::cpu::cpu_up(cpu), Ok(()));
            unplugged += 1;
        }
    }
    crate::smp::on_each_cpu(&|| {});
    pr_info!(
        "time_torture: {} readings on {} CPUs, {turn} switches of the clocksource, {unplugged} CPUs unplugged",
        MADE.load(Relaxed),
        ONLINE.weight()
    );
    let times = WENT_BACK.load(Relaxed) - before;
    assert_eq!(times, 0, "it went back {times} times");
}

/// How late timers were: by powers of two of a unit.
struct Lateness {
    early: AtomicU32,
    called: AtomicU32,
    buckets: [AtomicU32; 24],
}

impl Lateness {
    const fn new() -> Self {
        Lateness {
            early: AtomicU32::new(0),
            called: AtomicU32::new(0),
            buckets: [const { AtomicU32::new(0) }; 24],
        }
    }

    fn reset(&self) {
        self.early.store(0, Relaxed);
        self.called.store(0, Relaxed);
        self.buckets.iter().for_each(|bucket| bucket.store(0, Relaxed));
    }

    fn note(&self, expires: u64, now: u64) {
        self.called.fetch_add(1, Relaxed);
        match now.checked_sub(expires) {
            Some(late) => {
                let bucket = (u64::BITS - late.leading_zeros()) as usize;
                self.buckets[bucket.min(self.buckets.len() - 1)].fetch_add(1, Relaxed);
            }
            None => {
                self.early.fetch_add(1, Relaxed);
            }
        }
    }

    fn print(&self, what: &str, unit: &str) {
        pr_info!(
            "time_torture: {} {what}, {} early",
            self.called.load(Relaxed),
            self.early.load(Relaxed)
        );
        for (bucket, count) in self.buckets.iter().enumerate() {
            let count = count.load(Relaxed);
            if count != 0 {
                pr_info!("time_torture:   less than {:>7} {unit} late: {count:>6}", 1_u64 << bucket);
            }
        }
    }
}

static EXACT: Lateness = Lateness::new();
static BY_TICKS: Lateness = Lateness::new();

/// Numbers that look like chance and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A second: within which all are due.
const SPREAD_NS: u64 = 1_000_000_000;

/// So many of something, each in a place of its own.
fn many<T>(count: usize, make: impl Fn() -> T) -> KVec<KBox<T>> {
    let one = || KBox::new(make(), Gfp::KERNEL);
    let mut all = KVec::new();
    (0..count)
        .try_for_each(|_| all.push(one()?))
        .unwrap_or_else(|error| panic!("no memory for {count} timers ({error})"));
    all
}

#[ktest]
fn of_many_timers_none_is_early_and_none_is_lost() {
    if !tick::is_running() {
        return;
    }
    let count = TIMERS.load(Relaxed) as usize;
    EXACT.reset();
    BY_TICKS.reset();
    let exact = many(count, || {
        HrTimer::new(Clock::Monotonic, Context::Hard, |timer| {
            EXACT.note(timer.expires() / 1000, ktime_get().as_us());
            Restart::No
        })
    });
    let by_ticks = many(count, || Timer::new(|timer| BY_TICKS.note(timer.expires() + 1, jiffies())));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (now, tick) = (ktime_get().as_ns(), jiffies());
    for (exact, by_ticks) in exact.iter().zip(by_ticks.iter()) {
        // SAFETY: what is in a box stays there until the box is dropped, and then the timer takes itself out.
        let (exact, by_ticks) = unsafe { (Pin::new_unchecked(&**exact), Pin::new_unchecked(&**by_ticks)) };
        exact.start_pinned(now + random.below(SPREAD_NS), Mode::Absolute);
        by_ticks.modify(tick + random.below(HZ));
    }
    halt_until(|| exact.iter().all(|timer| !timer.is_queued()) && by_ticks.iter().all(|timer| !timer.is_pending()));
    // Those whose functions still run are waited for.
    exact.iter().for_each(|timer| assert!(!timer.cancel()));
    by_ticks.iter().for_each(|timer| assert!(!timer.del_sync()));
    EXACT.print("high-resolution timers", "us");
    BY_TICKS.print("timers of the wheel", "ticks");
    for lateness in [&EXACT, &BY_TICKS] {
        assert_eq!((lateness.called.load(Relaxed) as usize, lateness.early.load(Relaxed)), (count, 0));
    }
}

/// How far ahead a device is set, in ns: less than it can, so that it comes as soon as it can.
const SOON_NS: u64 = 500;
/// An interrupt takes a moment to arrive; one that has not after so many looks never does.
const LOOKS: u32 = 100_000_000;

/// The events that have come on this CPU.
#[percpu]
static CAME: AtomicU64 = AtomicU64::new(0);
/// All of them, and the interrupts of the CPUs' own timers meanwhile.
static ALL_CAME: AtomicU64 = AtomicU64::new(0);
static INTERRUPTS: AtomicU64 = AtomicU64::new(0);

/// Sets this CPU's device so often, each time when the event before has come.
fn set_and_wait(times: u64) {
    let timer = core::pin::pin!(HrTimer::new(Clock::Monotonic, Context::Hard, |_| {
        CAME.with_this_cpu(|came| came.fetch_add(1, Relaxed));
        Restart::No
    }));
    let cpu = smp_processor_id();
    let came = || CAME.with_this_cpu(|came| came.load(Relaxed));
    let (before, interrupts) = (came(), sysvec_count(LOCAL_TIMER_VECTOR, cpu));
    for number in 1..=times {
        timer.as_ref().start_pinned(SOON_NS, Mode::Relative);
        let arrived = (0..LOOKS).any(|_| {
            core::hint::spin_loop();
            came() - before >= number
        });
        assert!(arrived, "event {number} of CPU {cpu} is lost");
    }
    ALL_CAME.fetch_add(came() - before, Relaxed);
    INTERRUPTS.fetch_add(sysvec_count(LOCAL_TIMER_VECTOR, cpu) - interrupts, Relaxed);
}

#[ktest]
fn each_event_that_a_device_is_set_to_comes_once() {
    if !tick::is_running() {
        return;
    }
    ALL_CAME.store(0, Relaxed);
    INTERRUPTS.store(0, Relaxed);
    let each = EVENTS.load(Relaxed).div_ceil(ONLINE.weight() as u64);
    let done = crate::smp::work_on_each_cpu(&|| set_and_wait(each));
    assert_eq!(done, Ok(()));
    let (events, came, interrupts) = (each * ONLINE.weight() as u64, ALL_CAME.load(Relaxed), INTERRUPTS.load(Relaxed));
    pr_info!("time_torture: {came} of {events} events came on {} CPUs", ONLINE.weight());
    assert_eq!(came, events);
    // Each has an interrupt of its own; the ticks have theirs.
    let interrupts_off = IrqGuard::new();
    let is_local = clockevents::this_cpu().is_some_and(|device| device.name.starts_with("lapic"));
    drop(interrupts_off);
    assert!(!is_local || interrupts >= events, "{interrupts} interrupts");
}

/// So long that the watchdog has looked at the clock at least once, in milliseconds.
const LOOKED_AT_MS: u64 = 1_100;

/// Adds so much to the time-stamp counter of a CPU, and says by how much it has gone on.
fn jump_on(cpu: usize, counts: i64) -> i64 {
    let jumped = AtomicI64::new(0);
    let done = crate::smp::call_function_single(cpu, &|| jumped.store(jump(counts), Relaxed));
    assert_eq!(done, Ok(()), "CPU {cpu}");
    jumped.into_inner()
}

/// The same on this CPU.
fn jump(counts: i64) -> i64 {
    let _guard = IrqGuard::new();
    let before = rdtsc();
    // SAFETY: whoever gives the parameter wants just this clock to be wrong, which the watchdog is there for. A CPU may refuse.
    let _ = unsafe { msr::wrmsr_safe(msr::IA32_TSC, before.wrapping_add_signed(counts)) };
    rdtsc().wrapping_sub(before).cast_signed()
}

#[ktest]
fn a_counter_that_jumps_is_given_up_and_time_does_not_go_back() {
    let counts = i64::from(JUMP.load(Relaxed)) * (tsc_khz() * 1000).cast_signed();
    let watched = ClocksourceFlags::IS_TSC | ClocksourceFlags::MUST_VERIFY;
    let tsc = clocksource::best(|source| source.flags().contains(watched) && timekeeping::is_current(source));
    let Some(tsc) = tsc.filter(|_| counts != 0 && tick::is_running()) else {
        return;
    };
    super::msleep(LOOKED_AT_MS);
    // Where it jumps back, nobody knows what was read since the last update.
    let mut last = if counts > 0 { ktime_get() } else { ktime_get_coarse() };
    let jumped = jump_on(JUMP_CPU.load(Relaxed) as usize, counts);
    assert!((jumped - counts).abs() < counts.abs() / 2, "the counter went by {jumped}");
    let mut forward = || {
        let now = ktime_get();
        assert!(now >= last, "{now} after {last}");
        last = now;
    };
    while timekeeping::is_current(tsc) {
        forward();
    }
    // And now by another clock.
    let before = ktime_get();
    while ktime_get() < before.add_ns(1_000_000) {
        forward();
    }
    assert_eq!(crate::smp::work_on_each_cpu(&|| set_and_wait(10)), Ok(()));
    pr_info!("time_torture: the counter jumped by {jumped}, and time went on");
}

/// For how long the clock is held beside another one.
const DRIFT_NS: u64 = 400_000_000;

#[ktest]
fn the_clock_does_not_drift_from_another_one() {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    static TIMER: HrTimer = HrTimer::new(Clock::Monotonic, Context::Hard, |_| {
        IS_OVER.store(true, Relaxed);
        Restart::No
    });
    let is_exact = crate::arch::x86::tsc::counts_instructions();
    let other = clocksource::best(|source| source.name() == "hpet" && !timekeeping::is_current(source));
    let Some(other) = other.filter(|_| is_exact && tick::is_running()) else {
        return;
    };
    // The rate is refined a tenth of a second after the boot has found the clocks.
    super::msleep(120);
    IS_OVER.store(false, Relaxed);
    let (begin, shown) = (ktime_get(), other.read());
    TIMER.start(DRIFT_NS, Mode::Relative);
    halt_until(|| IS_OVER.load(Relaxed));
    let (ns, passed) = (
        (ktime_get() - begin).as_ns(),
        incipit_lib::clocksource::delta(other.read(), shown, other.mask()),
    );
    let by_other = other.scale().nanoseconds(passed);
    let drift_ppb = (ns.cast_signed() - by_other.cast_signed()) * 1_000_000_000 / by_other.cast_signed();
    pr_info!("time_torture: the clock drifts by {drift_ppb} ppb from {}", other.name());
    assert!(drift_ppb.abs() < 100_000);
}

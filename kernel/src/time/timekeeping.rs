//! What time it is: the clocks of [`incipit_lib::timekeeping`], fed by the best clocksource and read without a lock.
//!
//! The clocks are changed under a lock, with interrupts off, and published as words behind a sequence count; so they can be read in any context but an NMI's, which may have
//! interrupted the change: there [`sched_clock`](super::sched_clock) is the clock.

use core::arch::asm;
use core::mem::offset_of;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed};

use incipit_lib::clocksource::watchdog::MAX_SKEW_NS;
use incipit_lib::clocksource::{Limits, delta};
use incipit_lib::ntp::Adjustment;
#[cfg(CONFIG_KDB)]
use incipit_lib::ntp::PPM_SHIFT;
use incipit_lib::time::{Date, Ktime, Timespec};
use incipit_lib::timekeeping::{Reading, Timekeeper};
#[cfg(CONFIG_KDB)]
use linkme::distributed_slice;

#[cfg(CONFIG_KDB)]
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use crate::locking::{IrqSpinLock, SeqCount};
use crate::prelude::*;
use crate::time::clocksource::{self, Clocksource, ClocksourceFlags};
use crate::time::hrtimer;

/// A [`Reading`] as words.
struct Words {
    ns: AtomicU64,
    fraction: AtomicU64,
    mult: AtomicU64,
    shift: AtomicU32,
}

impl Words {
    const fn new() -> Self {
        Words {
            ns: AtomicU64::new(0),
            fraction: AtomicU64::new(0),
            mult: AtomicU64::new(0),
            shift: AtomicU32::new(0),
        }
    }

    #[inline]
    fn load(&self) -> Reading {
        Reading {
            ns: self.ns.load(Relaxed),
            fraction: self.fraction.load(Relaxed),
            mult: self.mult.load(Relaxed),
            shift: self.shift.load(Relaxed),
        }
    }

    fn store(&self, reading: Reading) {
        self.ns.store(reading.ns, Relaxed);
        self.fraction.store(reading.fraction, Relaxed);
        self.mult.store(reading.mult, Relaxed);
        self.shift.store(reading.shift, Relaxed);
    }
}

/// What readers see. The monotonic clock's words share a line of the cache with the count.
#[repr(C, align(64))]
struct Published {
    seq: SeqCount,
    /// What the time-stamp counter, whose reading needs no call, showed at the last update if it is the counter; else so much that nothing has passed since.
    tsc_last: AtomicU64,
    cycle_last: AtomicU64,
    mono: Words,
    real_offset_ns: AtomicU64,
    boot_offset_ns: AtomicU64,
    raw: Words,
    clocksource: AtomicPtr<Clocksource>,
}

/// A reading that the time-stamp counter does not come to.
const NEVER: u64 = i64::MAX.cast_unsigned();

static PUBLISHED: Published = Published {
    seq: SeqCount::new(),
    tsc_last: AtomicU64::new(NEVER),
    cycle_last: AtomicU64::new(0),
    mono: Words::new(),
    real_offset_ns: AtomicU64::new(0),
    boot_offset_ns: AtomicU64::new(0),
    raw: Words::new(),
    clocksource: AtomicPtr::new(core::ptr::null_mut()),
};

struct State {
    keeper: Timekeeper,
    clocksource: &'static Clocksource,
    witness: Option<Witness>,
}

/// What the monotonic clock was when a clocksource that is believed showed so much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Witness {
    pub mono: u64,
    pub clocksource: &'static Clocksource,
    pub shown: u64,
}

impl Witness {
    /// What both clocks may be wrong by together, in ns: who has read one that went on is not to find that time goes back.
    const UNCERTAINTY: u64 = MAX_SKEW_NS;

    /// Where the monotonic clock should be now.
    fn says(&self) -> u64 {
        let passed = delta(self.clocksource.read(), self.shown, self.clocksource.mask());
        self.mono + self.clocksource.scale().nanoseconds(passed) + Self::UNCERTAINTY
    }
}

/// What [`max_idle_ns`] says.
static MAX_IDLE_NS: AtomicU64 = AtomicU64::new(u64::MAX);

/// `None` before `timekeeping_init`.
static STATE: IrqSpinLock<Option<State>> = IrqSpinLock::new(None);

/// The monotonic clock: nanoseconds since `timekeeping_init`, 0 before. Never goes back, on no CPU; steered by NTP. Any context but an NMI's.
#[inline(never)]
#[must_use]
pub fn ktime_get() -> Ktime {
    // The common case needs no call, and so no registers to be saved.
    match PUBLISHED.seq.try_read(|| (PUBLISHED.mono.load(), tsc_passed())) {
        Some((reading, Some(passed))) => Ktime::from_ns(reading.at(passed)),
        _ => ktime_get_slow(),
    }
}

#[cold]
#[inline(never)]
fn ktime_get_slow() -> Ktime {
    PUBLISHED.seq.read(|| Ktime::from_ns(PUBLISHED.mono.load().at(passed())))
}

/// Real time: nanoseconds since the beginning of 1970. Goes where it is set to. Any context but an NMI's.
#[must_use]
pub fn ktime_get_real() -> Ktime {
    with_offset(&PUBLISHED.real_offset_ns)
}

/// The monotonic clock plus the time that the machine slept. Any context but an NMI's.
#[must_use]
pub fn ktime_get_boottime() -> Ktime {
    with_offset(&PUBLISHED.boot_offset_ns)
}

/// The monotonic clock as it would be if nobody steered it. Any context but an NMI's.
#[must_use]
pub fn ktime_get_raw() -> Ktime {
    PUBLISHED.seq.read(|| Ktime::from_ns(PUBLISHED.raw.load().at(passed())))
}

/// The monotonic clock at its last update, without reading the counter. Any context.
#[inline]
#[must_use]
pub fn ktime_get_coarse() -> Ktime {
    Ktime::from_ns(PUBLISHED.mono.ns.load(Relaxed))
}

fn with_offset(offset: &AtomicU64) -> Ktime {
    PUBLISHED
        .seq
        .read(|| Ktime::from_ns(PUBLISHED.mono.load().at(passed())).add_ns(offset.load(Relaxed)))
}

/// Counts since the last update. Inside a reading section.
#[inline]
fn passed() -> u64 {
    tsc_passed().unwrap_or_else(passed_elsewhere)
}

/// The same, by the time-stamp counter, if that is the counter. It is not read before what stands before it: else a CPU could read the words first, be overtaken, and the time would
/// seem to go back. If it is behind the last update, as another CPU's may be a little, somebody else is to find out what has passed.
#[inline(always)]
fn tsc_passed() -> Option<u64> {
    let passed: i64;
    // SAFETY: reads the counter, which kernel code may always, and a word that is only written as a whole.
    unsafe {
        asm!(
            "lfence",
            "rdtsc",
            "shl rdx, 32",
            "or rax, rdx",
            "sub rax, qword ptr [rip + {words} + {tsc_last}]",
            words = sym PUBLISHED,
            tsc_last = const offset_of!(Published, tsc_last),
            out("rax") passed,
            out("rdx") _,
            options(nostack)
        );
    }
    (passed >= 0).then_some(passed.cast_unsigned())
}

#[cold]
#[inline(never)]
fn passed_elsewhere() -> u64 {
    let clocksource = PUBLISHED.clocksource.load(Relaxed);
    // SAFETY: null or made of a `&'static Clocksource` by `store`, the only writer.
    let Some(clocksource) = (unsafe { clocksource.as_ref() }) else {
        return 0;
    };
    delta(clocksource.read(), PUBLISHED.cycle_last.load(Relaxed), clocksource.mask())
}

/// How far real time is ahead of the monotonic clock, in nanoseconds. Any context.
#[inline]
#[must_use]
pub fn real_offset_ns() -> u64 {
    PUBLISHED.real_offset_ns.load(Relaxed)
}

/// How far the time since boot is ahead of the monotonic clock, in nanoseconds. Any context.
#[inline]
#[must_use]
pub fn boot_offset_ns() -> u64 {
    PUBLISHED.boot_offset_ns.load(Relaxed)
}

/// Brings the clocks up to the counter. Called when a tick is counted, and more often than the counter goes round: see [`max_idle_ns`]. Interrupts may be on; not in an NMI.
pub(super) fn update() {
    change(|state| state.keeper.advance(state.clocksource.read()));
}

/// How long [`update`] may stay away, in nanoseconds: Linux's `timekeeping_max_deferment`.
#[must_use]
pub(super) fn max_idle_ns() -> u64 {
    MAX_IDLE_NS.load(Relaxed)
}

/// Sets real time: Linux's `do_settimeofday64`.
///
/// # Errors
///
/// Those of [`Timekeeper::set_real`]; `EAGAIN` before `timekeeping_init`.
pub fn set_real(time: Timespec) -> Result<(), Errno> {
    change(|state| {
        state.keeper.advance(state.clocksource.read());
        state.keeper.set_real(time)
    })
    .unwrap_or(Err(Errno::EAGAIN))
}

/// Steers the clocks: Linux's `do_adjtimex`.
///
/// # Errors
///
/// Those of [`Timekeeper::adjust`]; `EAGAIN` before `timekeeping_init`.
pub fn adjust(adjustment: Adjustment) -> Result<(), Errno> {
    change(|state| {
        state.keeper.advance(state.clocksource.read());
        state.keeper.adjust(adjustment)
    })
    .unwrap_or(Err(Errno::EAGAIN))
}

/// The clocksource in use was found to be wrong: where it stands when another one takes over, time goes on from what `witness` says. Nobody knows otherwise what was read by it, on
/// CPUs whose counters are ahead of this one's.
pub(super) fn believe(witness: Witness) {
    if let Some(state) = STATE.lock().as_mut() {
        state.witness = Some(witness);
    }
}

/// Goes on with `clocksource` from now on, or with its new rate.
pub(super) fn change_clocksource(clocksource: &'static Clocksource) {
    change(|state| {
        let (old, new) = (state.clocksource.read(), clocksource.read());
        state.keeper.change_clocksource(old, new, clocksource.mask(), clocksource.scale());
        if let Some(witness) = state.witness.take() {
            state.keeper.catch_up(witness.says());
        }
        state.clocksource = clocksource;
        note_max_idle(clocksource);
    });
    // Devices are set otherwise by one that stands still between ticks.
    if !clocksource.flags().contains(ClocksourceFlags::CONTINUOUS) {
        hrtimer::clock_was_set();
    }
}

/// Whether this is the clocksource that the time is told by.
#[must_use]
pub fn is_current(clocksource: &Clocksource) -> bool {
    core::ptr::eq(PUBLISHED.clocksource.load(Relaxed), clocksource)
}

/// Whether the clocks go on between two ticks, with interrupts off.
#[inline]
#[must_use]
pub fn is_continuous() -> bool {
    // SAFETY: as in `passed_elsewhere`.
    let clocksource = unsafe { PUBLISHED.clocksource.load(Relaxed).as_ref() };
    clocksource.is_some_and(|clocksource| clocksource.flags().contains(ClocksourceFlags::CONTINUOUS))
}

/// The state behind the clocks, at their last update. `None` before `timekeeping_init`.
#[must_use]
pub fn timekeeper() -> Option<Timekeeper> {
    STATE.lock().as_ref().map(|state| state.keeper)
}

/// Lets `f` change the clocks. Who reads them waits meanwhile: what was read by the old counter or rate behind the moment from which the new one counts could be later than what is
/// read by that.
fn change<R>(f: impl FnOnce(&mut State) -> R) -> Option<R> {
    let mut locked = STATE.lock();
    let state = locked.as_mut()?;
    let offsets = || (real_offset_ns(), boot_offset_ns());
    let before = offsets();
    let result = PUBLISHED.seq.write(|| {
        let result = f(state);
        store(state);
        result
    });
    let was_set = offsets() != before;
    drop(locked);
    if was_set {
        hrtimer::clock_was_set();
    }
    Some(result)
}

/// What readers see from now on. Inside a writing section.
fn store(state: &State) {
    let keeper = &state.keeper;
    let is_tsc = state.clocksource.flags().contains(ClocksourceFlags::IS_TSC);
    PUBLISHED.tsc_last.store(if is_tsc { keeper.cycle_last() } else { NEVER }, Relaxed);
    PUBLISHED
        .clocksource
        .store(core::ptr::from_ref(state.clocksource).cast_mut(), Relaxed);
    PUBLISHED.cycle_last.store(keeper.cycle_last(), Relaxed);
    PUBLISHED.mono.store(keeper.mono());
    PUBLISHED.raw.store(keeper.raw());
    PUBLISHED.real_offset_ns.store(keeper.real_offset_ns(), Relaxed);
    PUBLISHED.boot_offset_ns.store(keeper.boot_offset_ns(), Relaxed);
}

fn note_max_idle(clocksource: &Clocksource) {
    let limits = Limits::new(clocksource.scale(), clocksource.mask());
    MAX_IDLE_NS.store(limits.max_idle_ns, Relaxed);
}

/// What real time is, and by which clock, if one knows: Linux's `read_persistent_clock64`.
#[init]
fn read_persistent_clock() -> Option<(Timespec, &'static str)> {
    #[cfg(CONFIG_KVM_GUEST)]
    if let Some(time) = crate::arch::x86::kvmclock::wall_clock() {
        return Some((time, "KVM's clock"));
    }
    match crate::arch::x86::rtc::read() {
        Ok(date) => Timespec::new(date.to_unix(), 0).map(|time| (time, "the CMOS clock")),
        Err(error) => {
            pr_err!("timekeeping: CMOS clock: {error}: real time begins with 1970");
            None
        }
    }
}

/// Starts the clocks: real time with what a clock shows that runs while the machine is off, the others with 0. Linux's stage of the same name.
#[stage(after(crate::softirq::softirq_init), provides(Timekeeping))]
#[init]
pub fn timekeeping_init() {
    #[cfg(CONFIG_KVM_GUEST)]
    crate::arch::x86::kvmclock::kvmclock_init();
    let clocksource = crate::arch::x86::tsc::early_clocksource();
    let mut keeper = Timekeeper::new(clocksource.read(), clocksource.mask(), clocksource.scale());
    if let Some((time, clock)) = read_persistent_clock() {
        let (date, seconds) = (Date::from_unix(time.secs()), time.secs());
        match keeper.set_real(time) {
            Ok(()) => pr_info!("timekeeping: real time is {date} ({seconds}), by {clock}"),
            Err(_) => pr_err!("timekeeping: {clock} shows {date}, which is before 1970: real time begins with 1970"),
        }
    }
    let state = State {
        keeper,
        clocksource,
        witness: None,
    };
    note_max_idle(clocksource);
    PUBLISHED.seq.write(|| store(&state));
    *STATE.lock() = Some(state);
}

/// The clocks run.
#[capability]
pub struct Timekeeping;

#[ktest]
fn the_clocks_run_and_agree() {
    let (mono, raw, boot, real) = (ktime_get(), ktime_get_raw(), ktime_get_boottime(), ktime_get_real());
    assert!(mono > Ktime::ZERO && raw > Ktime::ZERO);
    assert!(boot >= mono && real >= boot);
    assert!(ktime_get_coarse() <= ktime_get());
    let mut last = mono;
    for turn in 0..10_000 {
        if turn % 100 == 0 {
            update();
        }
        let now = ktime_get();
        assert!(now >= last, "{now} after {last}");
        last = now;
    }
}

#[cfg(CONFIG_KDB)]
#[distributed_slice(KDB_COMMANDS)]
static DATE: Command = Command {
    name: "date",
    usage: "",
    help: "Display what time it is on each clock",
    run: show,
};

#[cfg(CONFIG_KDB)]
fn show(arguments: &[&str], screen: &mut dyn core::fmt::Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    let real = ktime_get_real();
    writeln!(screen, "{} ({real})", Date::from_unix(Timespec::from(real).secs()))?;
    for (name, time) in [
        ("monotonic", ktime_get()),
        ("raw", ktime_get_raw()),
        ("boottime", ktime_get_boottime()),
    ] {
        writeln!(screen, "{name:<10} {time}")?;
    }
    if let Some(keeper) = timekeeper() {
        let ntp = keeper.ntp();
        writeln!(
            screen,
            "steered by {} ppm, {} ns to be made good, wrong by {} us at most",
            ntp.frequency() >> PPM_SHIFT,
            ntp.offset_ns(),
            ntp.max_error_us()
        )?;
    }
    Ok(Then::Stay)
}

#[ktest]
fn the_monotonic_clock_does_not_go_back_when_the_clocksource_changes() {
    let Some(before) = clocksource::best(is_current) else {
        panic!("no clocksource is in use")
    };
    let mut last = ktime_get();
    clocksource::try_for_each(|next| {
        change_clocksource(next);
        for _ in 0..200 {
            let now = ktime_get();
            assert!(now >= last, "{now} after {last} by {}", next.name());
            last = now;
        }
        Ok::<(), core::convert::Infallible>(())
    })
    .unwrap_or_else(|never| match never {});
    change_clocksource(before);
    assert!(is_current(before) && ktime_get() >= last);
}

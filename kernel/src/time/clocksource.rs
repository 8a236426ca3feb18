//! The counters that time can be told by: which there are, and which is used.
//!
//! A clocksource is declared beside the device that it reads, with a probe in [`CLOCKSOURCES`] that registers it if the machine has the device. The one with the highest rating is
//! used, or the one that `clocksource=` names; when a better one comes or one turns out to be wrong, [`timekeeping`] goes on with another. No device is touched here.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use arrayvec::ArrayVec;
use incipit_lib::clocksource::{Limits, Scale, mask};
use linkme::distributed_slice;
use spin::Once;

#[cfg(CONFIG_KDB)]
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use crate::locking::IrqSpinLock;
use crate::prelude::*;
use crate::time::{timekeeping, watchdog};

bitflags::bitflags! {
    /// What is known of a clocksource; the values are Linux's.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ClocksourceFlags: u32 {
        /// It goes on, whatever the processor does.
        const CONTINUOUS = 0x01;
        /// It is not believed before another one has confirmed it.
        const MUST_VERIFY = 0x02;
        /// It is the one that confirms others.
        const WATCHDOG = 0x10;
        /// It is good enough for timers without ticks.
        const VALID_FOR_HRES = 0x20;
        /// It was found wrong.
        const UNSTABLE = 0x40;
        /// It goes on while the machine sleeps.
        const SUSPEND_NONSTOP = 0x80;
        /// It is the time-stamp counter, which readers of the time read without a call. Not one of Linux's.
        const IS_TSC = 0x8000_0000;
        /// It is the time-stamp counter, or goes by it. Not one of Linux's.
        const BY_TSC = 0x4000_0000;
    }
}

/// A counter.
#[derive(Debug)]
pub struct Clocksource {
    name: &'static str,
    rating: AtomicU32,
    mask: u64,
    /// Factor in the low half, shift in the high one.
    scale: AtomicU64,
    read: fn() -> u64,
    flags: AtomicU32,
}

impl Clocksource {
    /// `name`, as `clocksource=` names it; how good it is (Linux's scale: 1 to 99 for emergencies, 300 good, 400 perfect); how many bits it has; how it is read.
    #[must_use]
    pub const fn new(name: &'static str, rating: u32, bits: u32, read: fn() -> u64, flags: ClocksourceFlags) -> Self {
        Clocksource {
            name,
            rating: AtomicU32::new(rating),
            mask: mask(bits),
            scale: AtomicU64::new(1),
            read,
            flags: AtomicU32::new(flags.bits()),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How good it is; 0 if it was found wrong.
    #[must_use]
    pub fn rating(&self) -> u32 {
        self.rating.load(Relaxed)
    }

    /// The bits that count.
    #[must_use]
    pub const fn mask(&self) -> u64 {
        self.mask
    }

    /// How its counts become nanoseconds.
    #[must_use]
    pub fn scale(&self) -> Scale {
        let packed = self.scale.load(Relaxed);
        Scale {
            mult: packed as u32,
            shift: (packed >> 32) as u32,
        }
    }

    /// What is known of it.
    #[must_use]
    pub fn flags(&self) -> ClocksourceFlags {
        ClocksourceFlags::from_bits_truncate(self.flags.load(Relaxed))
    }

    /// Whether it counts by itself, and by something else than the time-stamp counter, so that it can say whether that is right.
    #[must_use]
    pub fn can_judge_tsc(&self) -> bool {
        let flags = self.flags();
        flags.contains(ClocksourceFlags::CONTINUOUS) && !flags.contains(ClocksourceFlags::BY_TSC)
    }

    /// What it shows now.
    #[inline]
    #[must_use]
    pub fn read(&self) -> u64 {
        (self.read)() & self.mask
    }

    fn set_scale(&self, scale: Scale) {
        self.scale.store(u64::from(scale.shift) << 32 | u64::from(scale.mult), Relaxed);
    }
}

/// Probes: each registers the clocksource of a device if the machine has it. Called in `late_time_init`.
#[distributed_slice]
pub static CLOCKSOURCES: [fn()];

/// How many there can be; a machine has four or five.
const MAX_CLOCKSOURCES: usize = 16;

static REGISTERED: IrqSpinLock<ArrayVec<&'static Clocksource, MAX_CLOCKSOURCES>> = IrqSpinLock::new(ArrayVec::new_const());
/// Set once all probes have run: before, nothing is switched.
static SELECTING: AtomicBool = AtomicBool::new(false);
static OVERRIDE: Once<&'static str> = Once::new();

/// `clocksource=NAME`: uses this clocksource instead of the one with the highest rating. `pmtmr` is an old name of `acpi_pm`.
#[early_param("clocksource")]
#[init]
fn parse_override(value: Option<&'static str>) -> Result<(), Errno> {
    let name = value.filter(|name| !name.is_empty()).ok_or(Errno::EINVAL)?;
    OVERRIDE.call_once(|| if name == "pmtmr" { "acpi_pm" } else { name });
    Ok(())
}

/// Adds a clocksource that counts `hertz` times a second, and uses it from now on if it is the best one.
///
/// # Errors
///
/// `EINVAL` if it does not count; `EBUSY` if it is registered already; `ENOSPC` if there are too many.
pub fn register(clocksource: &'static Clocksource, hertz: u64) -> Result<(), Errno> {
    if hertz == 0 {
        return Err(Errno::EINVAL);
    }
    let scale = Scale::for_counter(hertz, clocksource.mask);
    crate::init::initcall::turn();
    {
        let mut registered = REGISTERED.lock();
        if registered.iter().any(|other| core::ptr::eq(*other, clocksource)) {
            return Err(Errno::EBUSY);
        }
        clocksource.set_scale(scale);
        registered.try_push(clocksource).map_err(|_| Errno::ENOSPC)?;
    }
    let limits = Limits::new(scale, clocksource.mask);
    pr_info!(
        "clocksource: {}: mask: {:#x} max_cycles: {:#x}, max_idle_ns: {} ns",
        clocksource.name,
        clocksource.mask,
        limits.max_cycles,
        limits.max_idle_ns
    );
    select();
    Ok(())
}

/// Takes a clocksource away that is not used any more: one with a better name for the same counter has come, or a test is over. If it is in use, another one takes over; the last
/// one stays.
pub fn unregister(clocksource: &'static Clocksource) {
    clocksource.rating.store(0, Relaxed);
    select();
    if !timekeeping::is_current(clocksource) {
        REGISTERED.lock().retain(|other| !core::ptr::eq(*other, clocksource));
    }
}

/// A better measurement has shown that the clocksource counts `hertz` times a second: Linux's `__clocksource_update_freq_hz`.
pub fn set_hertz(clocksource: &'static Clocksource, hertz: u64) {
    clocksource.set_scale(Scale::for_counter(hertz.max(1), clocksource.mask));
    if timekeeping::is_current(clocksource) {
        timekeeping::change_clocksource(clocksource);
    }
}

/// Gives a clocksource another rating, and chooses anew.
pub fn change_rating(clocksource: &'static Clocksource, rating: u32) {
    clocksource.rating.store(rating, Relaxed);
    select();
}

/// The clocksource is wrong: it is not used again. Any context but an NMI's.
pub fn mark_unstable(clocksource: &'static Clocksource) {
    let unstable = (ClocksourceFlags::UNSTABLE | ClocksourceFlags::VALID_FOR_HRES).bits();
    let flags = clocksource.flags.load(Relaxed) | unstable;
    clocksource.flags.store(flags & !ClocksourceFlags::VALID_FOR_HRES.bits(), Relaxed);
    change_rating(clocksource, 0);
}

/// Calls `f` with each clocksource, the best one first.
///
/// # Errors
///
/// The first error of `f`, which ends it.
pub fn try_for_each<E>(mut f: impl FnMut(&'static Clocksource) -> Result<(), E>) -> Result<(), E> {
    let mut registered = REGISTERED.lock().clone();
    registered.sort_unstable_by_key(|clocksource| core::cmp::Reverse(clocksource.rating()));
    registered.into_iter().try_for_each(&mut f)
}

/// The best clocksource that `is_good`.
pub fn best(is_good: impl Fn(&Clocksource) -> bool) -> Option<&'static Clocksource> {
    let registered = REGISTERED.lock();
    // Of two that are as good the first one stays.
    let better = |best: Option<&'static Clocksource>, next: &'static Clocksource| match best {
        Some(best) if best.rating() >= next.rating() => Some(best),
        _ => Some(next),
    };
    registered
        .iter()
        .copied()
        .filter(|clocksource| is_good(clocksource))
        .fold(None, better)
}

/// Runs the probes and chooses: what `late_time_init` does for clocksources.
#[init]
pub(super) fn probe_all() {
    CLOCKSOURCES.iter().for_each(|probe| probe());
    SELECTING.store(true, Relaxed);
    select();
    if let Some(name) = OVERRIDE.get()
        && best(|clocksource| clocksource.name == *name).is_none()
    {
        pr_warn!("clocksource: there is none of the name {name}: the best one is used");
    }
}

/// Uses the best clocksource.
fn select() {
    if !SELECTING.load(Relaxed) {
        return;
    }
    let wanted = OVERRIDE
        .get()
        .and_then(|name| best(|clocksource| clocksource.name == *name && !clocksource.flags().contains(ClocksourceFlags::UNSTABLE)));
    if let Some(clocksource) = wanted.or_else(|| best(|_| true))
        && !timekeeping::is_current(clocksource)
    {
        timekeeping::change_clocksource(clocksource);
        pr_info!("clocksource: Switched to clocksource {}", clocksource.name);
        if clocksource.flags().contains(ClocksourceFlags::MUST_VERIFY) {
            watchdog::start();
        }
    }
}

#[cfg(CONFIG_KDB)]
#[distributed_slice(KDB_COMMANDS)]
static CLOCKSOURCE: Command = Command {
    name: "clocksource",
    usage: "",
    help: "Display the clocksources, and which one is used",
    run: show,
};

#[cfg(CONFIG_KDB)]
fn show(arguments: &[&str], screen: &mut dyn core::fmt::Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    try_for_each(|clocksource| {
        writeln!(
            screen,
            "{} {:<12} rating {:3}  {} Hz  mask {:#x}{}",
            if timekeeping::is_current(clocksource) { '*' } else { ' ' },
            clocksource.name,
            clocksource.rating(),
            clocksource.scale().hertz(),
            clocksource.mask,
            if clocksource.flags().contains(ClocksourceFlags::UNSTABLE) {
                "  unstable"
            } else {
                ""
            }
        )
    })?;
    Ok(Then::Stay)
}

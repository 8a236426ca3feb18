//! The tick: what each CPU does [`HZ`] times a second while it has work, and does without while it has none.
//!
//! It is a high-resolution timer of each CPU. Any tick lets the ticks that have passed be counted and the clocks be brought up to date, by the CPU that comes first, so that none
//! has a duty that others depend on. A CPU that goes to sleep (`nohz=on`) puts it off to when its next timer of the wheel is due, and each interrupt that wakes it counts first.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::hrtimer::{self, Clock, Context, HrTimer, Mode, Restart, now};
use super::timer::{self, HZ, advance_jiffies, jiffies};
use super::{broadcast, clock, clockevents, timekeeping};
use crate::arch::x86::cpu::masks;
use crate::irq::IrqGuard;
use crate::irq_work;
use crate::prelude::*;

/// How long a tick is.
pub const TICK_NSEC: u64 = 1_000_000_000 / HZ;

/// When the tick began that goes on.
static LAST_UPDATE: AtomicU64 = AtomicU64::new(0);
/// `nohz=off`: a CPU that sleeps is woken by each tick.
static NOHZ_OFF: AtomicBool = AtomicBool::new(false);

/// The tick of a CPU.
struct TickSched {
    timer: HrTimer,
    /// It has a device.
    is_running: AtomicBool,
    /// How often it has come.
    count: AtomicU64,
    /// How often it was put off.
    idle_sleeps: AtomicU64,
}

#[percpu]
static TICK: TickSched = TickSched {
    timer: HrTimer::new(Clock::Monotonic, Context::Hard, tick),
    is_running: AtomicBool::new(false),
    count: AtomicU64::new(0),
    idle_sleeps: AtomicU64::new(0),
};

/// Not 0 while this CPU sleeps and its tick is put off.
#[percpu]
static IS_STOPPED: AtomicU32 = AtomicU32::new(0);

/// `nohz=on|off`: whether a CPU that has nothing to do does without the tick. On unless it says otherwise.
#[early_param("nohz")]
#[init]
fn nohz(value: Option<&'static str>) -> Result<(), Errno> {
    let off = match value {
        Some("on") => false,
        Some("off") => true,
        _ => return Err(Errno::EINVAL),
    };
    NOHZ_OFF.store(off, Relaxed);
    Ok(())
}

/// Whether this CPU has a tick, or has put it off.
#[must_use]
pub fn is_running() -> bool {
    TICK.with_this_cpu(|tick| tick.is_running.load(Relaxed))
}

/// The same of another CPU.
pub(super) fn is_running_on(cpu: usize) -> bool {
    TICK.per_cpu(cpu).is_some_and(|tick| tick.is_running.load(Relaxed))
}

/// Counts the ticks that have passed until `now`, and brings the clocks up to date if there are any.
fn update_jiffies(now: u64) {
    let last = LAST_UPDATE.load(Relaxed);
    let ticks = now.saturating_sub(last) / TICK_NSEC;
    // Who is second finds them counted.
    if ticks > 0
        && LAST_UPDATE
            .compare_exchange(last, last + ticks * TICK_NSEC, Relaxed, Relaxed)
            .is_ok()
    {
        advance_jiffies(ticks);
        timekeeping::update();
        clock::follow();
    }
}

/// An interrupt has come: if it has woken this CPU, which has not ticked meanwhile, counts what it has missed, so that handlers see what time it is. Interrupts are off.
#[inline]
pub(crate) fn irq_enter() {
    if IS_STOPPED.this_cpu_read() != 0 {
        catch_up();
    }
}

#[cold]
fn catch_up() {
    update_jiffies(now());
}

/// What a tick does.
fn tick(timer: &HrTimer) -> Restart {
    let now = now();
    update_jiffies(now);
    timer::run_local_timers();
    irq_work::tick();
    #[cfg(CONFIG_PROFILING)]
    crate::profile::tick();
    broadcast::tick();
    TICK.with_this_cpu(|tick| tick.count.fetch_add(1, Relaxed));
    if IS_STOPPED.this_cpu_read() != 0 {
        return Restart::No;
    }
    timer.forward(now, TICK_NSEC);
    Restart::Yes
}

/// Lets this CPU tick, with the device that was registered for it. Interrupts are off.
pub fn start() {
    if clockevents::this_cpu().is_none() {
        return;
    }
    TICK.with_this_cpu(|tick| tick.is_running.store(true, Relaxed));
    IS_STOPPED.this_cpu_write(0);
    hrtimer::start_device();
    start_timer(next_tick(now()));
}

/// Lets this CPU, which is about to stop, tick no longer. Interrupts are off.
pub fn stop() {
    TICK.with_this_cpu(|tick| {
        tick.timer.cancel();
        tick.is_running.store(false, Relaxed);
    });
    clockevents::release();
}

/// The end of the tick that goes on.
fn next_tick(now: u64) -> u64 {
    update_jiffies(now);
    LAST_UPDATE.load(Relaxed) + TICK_NSEC
}

fn start_timer(expires: u64) {
    TICK.with_this_cpu(|tick| {
        // SAFETY: the copies of per-CPU variables stay where they are.
        unsafe { core::pin::Pin::new_unchecked(&tick.timer) }.start_pinned(expires, Mode::Absolute);
    });
}

/// This CPU has nothing to do and is about to sleep, for the first time or again: puts its tick off until a timer of the wheel is due, but not for longer than the clocks may go
/// without being brought up to date. Interrupts are off, and stay so until it sleeps.
pub fn idle_enter() {
    if NOHZ_OFF.load(Relaxed) || !is_running() || broadcast::is_needed() || !timekeeping::is_continuous() {
        return;
    }
    let begin = next_tick(now()) - TICK_NSEC;
    let due = timer::next_expiry().map_or(u64::MAX, |next| next.saturating_sub(jiffies()));
    let ticks = due.min(timekeeping::max_idle_ns() / TICK_NSEC).max(1);
    TICK.with_this_cpu(|tick| tick.idle_sleeps.fetch_add(1, Relaxed));
    IS_STOPPED.this_cpu_write(1);
    start_timer(begin.saturating_add(ticks.saturating_mul(TICK_NSEC)));
}

/// This CPU has something to do: goes on ticking.
pub fn idle_exit() {
    let _interrupts_off = IrqGuard::new();
    if IS_STOPPED.this_cpu_read() != 0 {
        IS_STOPPED.this_cpu_write(0);
        start_timer(next_tick(now()));
    }
}

/// Writes what waits on each CPU, in the form of `/proc/timer_list`.
pub fn timer_list(out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(
        out,
        "Timer List Version: v0.9\nHRTIMER_MAX_CLOCK_BASES: 6\nnow at {} nsecs\n",
        now()
    )?;
    for cpu in masks::ONLINE.iter() {
        writeln!(out, "cpu: {cpu}")?;
        hrtimer::list(cpu, out)?;
        if let Some(tick) = TICK.per_cpu(cpu) {
            writeln!(out, "  .nohz_mode: {}", if NOHZ_OFF.load(Relaxed) { 0 } else { 2 })?;
            writeln!(
                out,
                "  .tick_stopped: {}",
                IS_STOPPED.per_cpu(cpu).map_or(0, |is_stopped| is_stopped.load(Relaxed))
            )?;
            writeln!(
                out,
                "  .ticks: {}\n  .idle_sleeps: {}",
                tick.count.load(Relaxed),
                tick.idle_sleeps.load(Relaxed)
            )?;
        }
        timer::list(cpu, out)?;
        writeln!(out, "jiffies: {}\n", jiffies())?;
        clockevents::list(cpu, out)?;
    }
    Ok(())
}

/// The monitor's `timer_list`.
#[cfg(CONFIG_KDB)]
mod command {
    use core::fmt::Write;

    use linkme::distributed_slice;

    use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

    #[distributed_slice(KDB_COMMANDS)]
    static TIMER_LIST: Command = Command {
        name: "timer_list",
        usage: "",
        help: "Display the timers that each CPU waits for",
        run: timer_list,
    };

    fn timer_list(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
        if !arguments.is_empty() {
            return Err(CommandError::ArgumentCount);
        }
        super::timer_list(screen)?;
        Ok(Then::Stay)
    }
}

//! The timer of each local APIC, the best clock event device: it belongs to one CPU and is reached without leaving it.
//!
//! Where the processor can compare the time-stamp counter with a deadline, that is done (`deadline`). Elsewhere, and where the counter turns out to be wrong, the timer counts at a rate
//! that is measured against the counter while the boot does other things: it is started by one stage and looked at by a later one.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use linkme::distributed_slice;

use super::access::{LVT_MASKED, Register, is_present, read, write};
use super::deadline::{self, LAPIC_DEADLINE};
use crate::arch::x86::irq::{LOCAL_TIMER_VECTOR, SYSVECS, SysVec};
use crate::arch::x86::tsc::{rdtsc, tsc_khz};
use crate::irq::IrqGuard;
use crate::prelude::*;
use crate::time::clockevents::{self, ClockEventDevice, Features};
use crate::time::{broadcast, hrtimer, tick};

/// [`Register::TimerDivide`]: counts each clock.
const DIVIDE_BY_1: u32 = 0b1011;

/// The least that is measured over: long beside the two accesses at its ends.
const MEASURE_NS: u64 = 500_000;
/// How often both counters are read at each end.
const READINGS: u32 = 4;
/// A rate that no such timer has: the measurement has failed.
const PLAUSIBLE_KHZ: core::ops::Range<u64> = 100..20_000_000;

/// The time-stamp counter when the count began; 0 if it did not.
static STARTED_TSC: AtomicU64 = AtomicU64::new(0);
static STARTED_COUNT: AtomicU32 = AtomicU32::new(0);
static NO_TIMER: AtomicBool = AtomicBool::new(false);

/// `nolapic_timer`: leaves the timers of the local APICs alone.
#[init]
#[early_param("nolapic_timer")]
fn nolapic_timer(_: Option<&'static str>) -> Result<(), Errno> {
    NO_TIMER.store(true, Relaxed);
    Ok(())
}

pub(super) static LAPIC: ClockEventDevice = ClockEventDevice {
    name: "lapic",
    rating: 100,
    features: Features::PERIODIC
        .union(Features::ONESHOT)
        .union(Features::C3STOP)
        .union(Features::PERCPU),
    mult: AtomicU64::new(0),
    min_delta_ns: 1000,
    max_delta_ticks: u32::MAX as u64,
    set_next_event: |ticks| set_count(ticks as u32),
    set_oneshot: || {
        // SAFETY: the vector has a handler. Nothing is counted before a count is set.
        unsafe {
            write(Register::TimerDivide, DIVIDE_BY_1);
            write(Register::TimerInitialCount, 0);
            write(Register::LvtTimer, u32::from(LOCAL_TIMER_VECTOR));
        }
    },
    shutdown: mask,
};

fn set_count(count: u32) {
    // SAFETY: what it brings has a handler, or is masked.
    unsafe { write(Register::TimerInitialCount, count) };
}

pub(super) fn mask() {
    // SAFETY: a masked entry delivers nothing, and a count of 0 stops it.
    unsafe {
        write(Register::LvtTimer, u32::from(LOCAL_TIMER_VECTOR) | LVT_MASKED);
        write(Register::TimerInitialCount, 0);
    }
}

#[distributed_slice(SYSVECS)]
static LOCAL_TIMER: SysVec = SysVec {
    vector: LOCAL_TIMER_VECTOR,
    mnemonic: "LOC",
    description: "Local timer interrupts",
    handler: |_| {
        deadline::look();
        hrtimer::device_interrupt();
    },
};

fn is_usable() -> bool {
    is_present() && !NO_TIMER.load(Relaxed)
}

/// Lets the timer of the boot CPU count. Its rate is to be known, even where it need not count now: deadlines may turn out not to be believed.
#[init]
pub fn start_calibration() {
    if !is_usable() {
        return;
    }
    mask();
    // SAFETY: masked.
    unsafe { write(Register::TimerDivide, DIVIDE_BY_1) };
    set_count(u32::MAX);
    let (count, tsc) = sample();
    STARTED_COUNT.store(count, Relaxed);
    STARTED_TSC.store(tsc, Relaxed);
}

/// What the timer and the time-stamp counter have come to, at the same moment: the one of some readings that took the shortest time, with nothing in between.
fn sample() -> (u32, u64) {
    let reading = || {
        let _guard = IrqGuard::new();
        let before = rdtsc();
        let count = read(Register::TimerCurrentCount);
        let after = rdtsc();
        (after.wrapping_sub(before), count, before.midpoint(after))
    };
    let shortest = (1..READINGS).fold(reading(), |best, _| best.min(reading()));
    (shortest.1, shortest.2)
}

/// The rate of the timer, measured from [`start_calibration`] until now; nothing if it does not count.
#[init]
fn measure() -> Option<u64> {
    let started = STARTED_TSC.load(Relaxed);
    if started == 0 {
        return None;
    }
    let least = MEASURE_NS * tsc_khz() / 1_000_000;
    while rdtsc().wrapping_sub(started) < least {
        core::hint::spin_loop();
    }
    let (count, tsc) = sample();
    // At 0 it has stopped some time ago.
    let counted = u128::from(STARTED_COUNT.load(Relaxed).checked_sub(count).filter(|_| count != 0)?);
    let khz = counted * u128::from(tsc_khz()) / u128::from(tsc.wrapping_sub(started)).max(1);
    u64::try_from(khz).ok().filter(|khz| PLAUSIBLE_KHZ.contains(khz))
}

/// Gives the boot CPU its clock event device, and lets it tick: Linux's `setup_boot_APIC_clock`.
#[init]
#[initcall(early)]
fn setup_boot_apic_clock() -> Result<(), Errno> {
    if !is_usable() {
        pr_info!("APIC: the local timer is not used");
        return Ok(());
    }
    let counted = measure();
    mask();
    LAPIC.mult.store(counted.map_or(0, |khz| clockevents::mult(khz * 1000)), Relaxed);
    let khz = if deadline::is_usable() {
        LAPIC_DEADLINE.mult.store(clockevents::mult(tsc_khz() * 1000), Relaxed);
        tsc_khz()
    } else if let Some(khz) = counted {
        khz
    } else {
        pr_warn!("APIC frequency not sane: the local timer is not used");
        return Ok(());
    };
    pr_info!("clockevents: {} counts at {}.{:03} MHz", device().name, khz / 1000, khz % 1000);
    let _interrupts_off = IrqGuard::new();
    setup_this_cpu();
    Ok(())
}

fn device() -> &'static ClockEventDevice {
    if deadline::is_usable() { &LAPIC_DEADLINE } else { &LAPIC }
}

/// Gives this CPU the device whose rate is known, and lets it tick. Interrupts are off.
fn setup_this_cpu() {
    if device().mult.load(Relaxed) != 0 && clockevents::register(device()) {
        tick::start();
    }
}

/// The rate of the counter that the timer was measured by, or compares, is better known: it was `old` kHz and is `new`.
pub(in crate::arch::x86) fn rate_has_changed(old: u64, new: u64) {
    for device in [&LAPIC, &LAPIC_DEADLINE] {
        let mult = u128::from(device.mult.load(Relaxed)) * u128::from(new) / u128::from(old.max(1));
        device.mult.store(u64::try_from(mult).unwrap_or(u64::MAX), Relaxed);
    }
}

/// Gives a CPU that comes its device, and lets it tick; without one it ticks with the boot CPU.
#[cpu_state(starting, name = "x86/apic/timer:starting", teardown = stop_this_cpu)]
pub(crate) fn start_this_cpu(_cpu: usize) -> Result<(), Errno> {
    setup_this_cpu();
    broadcast::setup_this_cpu();
    Ok(())
}

fn stop_this_cpu(_cpu: usize) {
    tick::stop();
}

#[ktest]
fn the_timer_ticks_at_the_rate_that_was_found() {
    use crate::arch::x86::irq::sysvec_count;
    use crate::percpu::smp_processor_id;
    if !tick::is_running() {
        return;
    }
    let cpu = smp_processor_id();
    let (ticks, interrupts) = (crate::time::jiffies(), sysvec_count(LOCAL_TIMER_VECTOR, cpu));
    // Another interrupt may count ticks that are late, before the timer's own is handled. One that never comes is waited for until somebody loses patience.
    let has_ticked = || crate::time::jiffies() >= ticks + 3;
    crate::time::sleep::halt_until(|| has_ticked() && sysvec_count(LOCAL_TIMER_VECTOR, cpu) > interrupts);
}

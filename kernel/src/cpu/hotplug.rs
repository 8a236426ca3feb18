//! Bringing CPUs up and taking them down, at the boot and whenever.
//!
//! One CPU does it for others, which it starts all at once and then waits for; what each of them has come to is a `Phase`. One bring-up or take-down at a time: who comes
//! second is told so.

use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering::*};

use super::state::{self, Section};
use super::{ACTIVE, CpuMask, NR_CPUS, ONLINE, POSSIBLE, PRESENT, idle};
use crate::arch::x86::apic;
use crate::arch::x86::cpu::init as cpu_init;
#[cfg(CONFIG_MTRR)]
use crate::arch::x86::cpu::mtrr::secondary::mtrr_state_warn;
use crate::arch::x86::hw_breakpoint;
use crate::arch::x86::irq::RESCHEDULE_VECTOR;
use crate::arch::x86::smpboot::{secondary, wake};
use crate::arch::x86::tsc;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::time::{sched_clock, udelay};

/// For how long a CPU that was started may show no sign of life.
const WAKE_TIMEOUT_NS: u64 = 5_000_000_000;
/// How long the pause is between two looks at what another CPU has come to, in µs.
const LOOK_US: u64 = 5;

/// What a CPU has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// Does not run.
    Dead = 0,
    /// Was sent what starts it.
    Started = 1,
    /// Runs the kernel.
    Alive = 2,
    /// Is online.
    Online = 3,
    /// Is to stop.
    Dying = 4,
    /// One of its `starting` states has failed, and it has stopped: [`ERRORS`] says how.
    Failed = 5,
    /// Is ready to be online, as soon as its clock has been compared.
    Ready = 6,
}

static PHASES: [AtomicU8; NR_CPUS] = [const { AtomicU8::new(Phase::Dead as u8) }; NR_CPUS];

/// With what error a CPU has failed.
static ERRORS: [AtomicI32; NR_CPUS] = [const { AtomicI32::new(0) }; NR_CPUS];

/// Somebody brings a CPU up or takes one down.
static BUSY: AtomicBool = AtomicBool::new(false);

fn phase_is(cpu: usize, phase: Phase) -> bool {
    PHASES[cpu].load(Acquire) == phase as u8
}

fn set_phase(cpu: usize, phase: Phase) {
    PHASES[cpu].store(phase as u8, Release);
}

/// Goes from one phase to another; `false` if the CPU is not in the first.
fn change_phase(cpu: usize, from: Phase, to: Phase) -> bool {
    PHASES[cpu].compare_exchange(from as u8, to as u8, AcqRel, Acquire).is_ok()
}

/// The right to bring up and take down.
struct Control;

impl Control {
    fn take() -> Result<Control, Errno> {
        if BUSY.swap(true, Acquire) { Err(Errno::EBUSY) } else { Ok(Control) }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        BUSY.store(false, Release);
    }
}

/// Brings a CPU up: Linux's function of the same name.
///
/// # Errors
///
/// `EINVAL` for a CPU that cannot be there, `ENODEV` for one that is not; `EIO` if it does not answer; `EBUSY` while another CPU comes or goes; what a state says that fails.
pub fn cpu_up(cpu: usize) -> Result<(), Errno> {
    if !POSSIBLE.contains(cpu) {
        return Err(Errno::EINVAL);
    }
    if !PRESENT.contains(cpu) {
        return Err(Errno::ENODEV);
    }
    let only = CpuMask::default();
    only.set(cpu, true);
    bring_up(&only)?;
    if ONLINE.contains(cpu) { Ok(()) } else { Err(failure_of(cpu)) }
}

fn failure_of(cpu: usize) -> Errno {
    Errno::from_code(ERRORS[cpu].swap(0, Relaxed)).unwrap_or(Errno::EIO)
}

/// Brings up those of `cpus` that are not online: starts all, then waits for each. Those that do not come are named in the log, and the others come all the same.
///
/// # Errors
///
/// Only what concerns all of them: `ENODEV`, `ENOMEM`, `EBUSY`.
pub(super) fn bring_up(cpus: &CpuMask) -> Result<(), Errno> {
    let _control = Control::take()?;
    let trampoline = wake::open()?;
    let coming = CpuMask::default();
    for cpu in cpus.iter().filter(|&cpu| !ONLINE.contains(cpu)) {
        coming.set(cpu, start(cpu, trampoline));
    }
    let deadline = sched_clock() + WAKE_TIMEOUT_NS;
    for cpu in coming.iter() {
        if !wait_for(cpu, deadline) {
            state::stop(Section::Prepare, cpu);
            continue;
        }
        if let Err(error) = state::start(Section::Online, cpu) {
            report(cpu, error);
            stop(cpu);
            continue;
        }
        ACTIVE.set(cpu, true);
    }
    #[cfg(CONFIG_MTRR)]
    mtrr_state_warn();
    Ok(())
}

/// Prepares a CPU and starts it; `false` if that cannot be.
fn start(cpu: usize, trampoline: u32) -> bool {
    if let Err(error) = state::start(Section::Prepare, cpu) {
        report(cpu, error);
        return false;
    }
    set_phase(cpu, Phase::Started);
    let started = wake::prepare(cpu).and_then(|()| wake::start(cpu, trampoline));
    if let Err(error) = started {
        set_phase(cpu, Phase::Dead);
        ERRORS[cpu].store(error.code(), Relaxed);
        pr_err!("smpboot: do_boot_cpu failed({}) to wakeup CPU#{cpu}", -error.code());
        state::stop(Section::Prepare, cpu);
    }
    started.is_ok()
}

fn report(cpu: usize, (error, state): (Errno, &state::CpuState)) {
    ERRORS[cpu].store(error.code(), Relaxed);
    pr_err!("smpboot: CPU#{cpu} does not come: {} failed ({error})", state.name());
}

/// Waits until a CPU that was started is online; `false` if it has failed, or has not shown itself until `deadline`.
fn wait_for(cpu: usize, deadline: u64) -> bool {
    while !phase_is(cpu, Phase::Online) {
        if phase_is(cpu, Phase::Failed) {
            set_phase(cpu, Phase::Dead);
            return false;
        }
        if change_phase(cpu, Phase::Ready, Phase::Alive) {
            tsc::sync::check(cpu);
        }
        // From here on one that comes late goes back to sleep.
        if sched_clock() > deadline && change_phase(cpu, Phase::Started, Phase::Dead) {
            pr_err!("smpboot: do_boot_cpu failed(-1) to wakeup CPU#{cpu}");
            return false;
        }
        udelay(LOOK_US);
    }
    true
}

/// Takes a CPU down: Linux's function of the same name. The boot CPU stays, and who calls this does not take itself down.
///
/// # Errors
///
/// `EINVAL` for a CPU that is not online; `EBUSY` for the boot CPU, for the caller's own, and while another CPU comes or goes.
pub fn cpu_down(cpu: usize) -> Result<(), Errno> {
    if !ONLINE.contains(cpu) {
        return Err(Errno::EINVAL);
    }
    if cpu == 0 || cpu == smp_processor_id() {
        return Err(Errno::EBUSY);
    }
    let _control = Control::take()?;
    ACTIVE.set(cpu, false);
    state::stop(Section::Online, cpu);
    stop(cpu);
    pr_info!("smpboot: CPU {cpu} is now offline");
    Ok(())
}

/// Has a CPU stop that is online, and takes back what was prepared for it.
fn stop(cpu: usize) {
    set_phase(cpu, Phase::Dying);
    apic::send_ipi(cpu, RESCHEDULE_VECTOR);
    while !phase_is(cpu, Phase::Dead) {
        udelay(LOOK_US);
    }
    state::stop(Section::Prepare, cpu);
}

/// What a CPU does that has just been made one of the kernel's, interrupts off: its states, and the idle loop.
///
/// One that is not `fit` for this kernel does not come.
pub(crate) fn run_secondary(cpu: usize, fit: Result<(), Errno>) -> ! {
    if !change_phase(cpu, Phase::Started, Phase::Alive) {
        cpu_init::forget();
        secondary::play_dead();
    }
    let started = fit.and_then(|()| {
        state::start(Section::Starting, cpu).map_err(|failure| {
            report(cpu, failure);
            failure.0
        })
    });
    if let Err(error) = started {
        ERRORS[cpu].store(error.code(), Relaxed);
        cpu_init::forget();
        set_phase(cpu, Phase::Failed);
        secondary::play_dead();
    }
    set_phase(cpu, Phase::Ready);
    tsc::sync::answer();
    ONLINE.set(cpu, true);
    // Who has set one since the states has not called this CPU, and who sets one now does.
    hw_breakpoint::reload();
    set_phase(cpu, Phase::Online);
    idle::cpu_startup_entry()
}

/// Whether this CPU is to stop.
pub(super) fn is_to_stop() -> bool {
    phase_is(smp_processor_id(), Phase::Dying)
}

/// Stops this CPU, which is to. Interrupts are off.
pub(super) fn die() -> ! {
    let cpu = smp_processor_id();
    ONLINE.set(cpu, false);
    crate::irq::fixup_irqs(cpu);
    state::stop(Section::Starting, cpu);
    // From there on it may begin anew.
    cpu_init::forget();
    set_phase(cpu, Phase::Dead);
    secondary::play_dead()
}

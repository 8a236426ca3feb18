//! All other CPUs held while somebody looks at the kernel, who must not find it changing (Linux's `kgdb_roundup_cpus`).
//!
//! They are asked by a function call, which they take where no lock of theirs is held, and wait in it; what is called on them meanwhile is done, so that who holds them may map and
//! unmap. Who does not come is stopped by an NMI, in the middle of whatever it does, and does nothing until it is released.

use core::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use linkme::distributed_slice;

use super::backtrace::nmi_cpu_backtrace;
use super::call_function_single_nowait;
use super::queue::{QUEUE, flush_queue};
use crate::arch::x86::apic;
use crate::arch::x86::cpu::masks::{CpuMask, ONLINE};
use crate::arch::x86::hw_breakpoint;
use crate::arch::x86::nmi::{NMI_HANDLERS, NmiHandler};
use crate::percpu::smp_processor_id;
use crate::preempt;
use crate::prelude::*;
use crate::printk;
use crate::time::udelay;

/// How long CPUs may take to come by themselves, by an NMI, and to leave.
const PATIENCE_MS: u32 = 1000;

/// No CPU.
const NOBODY: usize = usize::MAX;

/// The CPU that holds the others, which are to stay where they are.
static HOLDER: AtomicUsize = AtomicUsize::new(NOBODY);
/// The CPU that holds the others lets them go on for as long as it needs them.
static LENT: AtomicBool = AtomicBool::new(false);
/// Who has been asked to, and has not looked yet.
static ASKED: CpuMask = CpuMask::new();
/// Who is stopped by an NMI, for it does not come by itself.
static BY_NMI: CpuMask = CpuMask::new();
/// Who is there.
static HELD: CpuMask = CpuMask::new();

#[distributed_slice(NMI_HANDLERS)]
static STOP_BY_NMI: NmiHandler = |regs| {
    let cpu = smp_processor_id();
    let is_meant = BY_NMI.contains(cpu);
    if is_meant {
        // An NMI that asks where it is would not come before this one is over.
        wait(cpu, || _ = nmi_cpu_backtrace(regs));
        BY_NMI.set(cpu, false);
    }
    is_meant
};

/// Waits as long as CPUs are held. Whoever held them may have set breakpoints for all.
fn wait(cpu: usize, meanwhile: impl Fn()) {
    HELD.set(cpu, true);
    while HOLDER.load(Acquire) != NOBODY {
        meanwhile();
        core::hint::spin_loop();
    }
    hw_breakpoint::reload();
    HELD.set(cpu, false);
}

/// Whether `cpu` is held, and by an NMI.
pub(super) fn is_stopped(cpu: usize) -> bool {
    BY_NMI.contains(cpu) && HELD.contains(cpu)
}

/// What each CPU is to call.
fn hold_this_cpu() {
    let cpu = smp_processor_id();
    ASKED.set(cpu, false);
    if HOLDER.load(Relaxed) != NOBODY && !HELD.contains(cpu) && !preempt::is_holding_locks() {
        wait(cpu, || flush_queue(&QUEUE));
    }
}

/// All other CPUs are held until this is dropped.
pub struct HeldCpus {
    is_ours: bool,
}

/// Holds all other CPUs. The caller has no lock. In an interrupt or an exception all are stopped by an NMI, and nothing can be called on them. Inside of another hold it changes nothing.
#[must_use = "the CPUs go on when this is dropped"]
pub fn hold_other_cpus() -> HeldCpus {
    let this = smp_processor_id();
    let missing = || ONLINE.iter().filter(move |&cpu| cpu != this && !HELD.contains(cpu));
    if HOLDER.compare_exchange(NOBODY, this, Release, Relaxed).is_err() {
        return HeldCpus { is_ours: false };
    }
    // One that has gone meanwhile has not looked at what it was asked.
    missing().for_each(|cpu| ASKED.set(cpu, false));
    let all_came = !preempt::in_interrupt()
        && within(PATIENCE_MS, || {
            for cpu in missing().filter(|&cpu| !ASKED.contains(cpu)) {
                ASKED.set(cpu, true);
                // One that goes offline now needs no holding.
                let _ = call_function_single_nowait(cpu, &hold_this_cpu);
            }
            missing().next().is_none()
        });
    if !all_came && apic::is_present() {
        missing().for_each(|cpu| {
            BY_NMI.set(cpu, true);
            apic::send_nmi(cpu);
        });
        if !within(PATIENCE_MS, || missing().next().is_none()) {
            missing().for_each(|cpu| pr_warn!("smp: CPU {cpu} cannot be held"));
        }
    }
    HeldCpus { is_ours: true }
}

/// Lets the CPUs that the caller holds go on while `f` runs, for what needs them.
pub fn with_other_cpus<R>(f: impl FnOnce() -> R) -> R {
    if !are_others_held() {
        return f();
    }
    LENT.store(true, Release);
    release();
    let result = f();
    // Who asked for the hold still has it, and ends it.
    core::mem::forget(hold_other_cpus());
    LENT.store(false, Release);
    // What they have said in exceptions would wait until they go on.
    printk::show();
    result
}

/// Whether the caller's CPU holds all others, or there are none.
#[must_use]
pub fn are_others_held() -> bool {
    HOLDER.load(Relaxed) == smp_processor_id()
}

/// Whether another CPU holds this one and has it do something all the same: that one may be waiting for it.
#[must_use]
pub fn is_working_for_holder() -> bool {
    LENT.load(Acquire) || HELD.contains(smp_processor_id())
}

/// Lets all held CPUs go on.
pub(crate) fn release() {
    HOLDER.store(NOBODY, Release);
    within(PATIENCE_MS, || HELD.weight() == 0);
}

impl Drop for HeldCpus {
    fn drop(&mut self) {
        if self.is_ours {
            release();
        }
    }
}

/// Whether `condition` holds within so many milliseconds.
fn within(milliseconds: u32, condition: impl Fn() -> bool) -> bool {
    condition()
        || (0..milliseconds).any(|_| {
            udelay(1000);
            condition()
        })
}

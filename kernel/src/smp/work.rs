//! What CPUs do for another while they have nothing to do: with interrupts on, so it may take long, allocate, and wait for other CPUs, all of which a call by interrupt may not.

use super::call::forget_lifetime;
use super::queue::{self, Call};
use super::with_other_cpus;
use crate::arch::x86::apic;
use crate::arch::x86::cpu::masks::ONLINE;
use crate::arch::x86::irq::RESCHEDULE_VECTOR;
use crate::collections::llist::List;
use crate::irq;
use crate::mm::slab::KVec;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// What each CPU is to do when it has nothing else to do.
#[percpu]
static WORK: List<Call> = List::new();

/// Runs `f` on each CPU that is online, this one included, at the same time, and waits until it has returned on all: Linux's `work_on_cpu`, for each. It runs in the CPU's idle task,
/// with interrupts on. The caller has interrupts on and holds no lock. `f` may do the same: who waits does the others' work meanwhile.
///
/// # Errors
///
/// `ENOMEM`, and nothing was done.
pub fn work_on_each_cpu(f: &(dyn Fn() + Sync)) -> Result<(), Errno> {
    // Those that the monitor holds do calls, but no work.
    with_other_cpus(|| work(f))
}

fn work(f: &(dyn Fn() + Sync)) -> Result<(), Errno> {
    // What it does on the others is not held back.
    crate::init::initcall::turn();
    let this = smp_processor_id();
    let others = KVec::collect(ONLINE.iter().filter(|&cpu| cpu != this).map(|cpu| (cpu, Call::new())))?;
    warn_on_once!(
        irq::irqs_disabled() && !others.is_empty(),
        "work for other CPUs with interrupts off"
    );
    for (cpu, call) in &*others {
        // SAFETY: the call stays where it is and `f` lives until the wait below is over.
        if unsafe { call.queue(&WORK, *cpu, forget_lifetime(f), true) } {
            apic::send_ipi(*cpu, RESCHEDULE_VECTOR);
        }
    }
    f();
    for (cpu, call) in &*others {
        queue::wait_until(|| {
            do_work();
            call.is_over(&WORK, *cpu)
        });
    }
    Ok(())
}

/// Does what others want, which is not part of what this CPU runs.
fn do_work() {
    #[cfg(CONFIG_INITCALL_PARALLEL)]
    let _aside = crate::init::initcall::parallel::Aside::new();
    queue::flush_queue(&WORK);
}

/// Whether others have work for this CPU.
#[cfg(CONFIG_SMP)]
pub(crate) fn has_work() -> bool {
    !WORK.with_this_cpu(List::is_empty)
}

/// Does the work that others have for this CPU. Interrupts are on.
#[cfg(CONFIG_SMP)]
pub(crate) fn run_work() {
    do_work();
}

//! Stopping all other CPUs, when the kernel has come to its end: Linux's `native_stop_other_cpus`.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use linkme::distributed_slice;

use crate::arch::x86::apic::{self, send_ipi, send_nmi};
use crate::arch::x86::cpu::masks::ONLINE;
use crate::arch::x86::irq::{REBOOT_VECTOR, SYSVECS, SysVec};
use crate::arch::x86::irqflags;
use crate::percpu::smp_processor_id;
use crate::time::udelay;

/// For how long the others may go on until they take the interrupt, in steps of [`STEP_US`].
const INTERRUPT_STEPS: u32 = 10_000;
/// The same for a non-maskable one.
const NMI_STEPS: u32 = 100;
const STEP_US: u64 = 100;

/// The others are to stop, those, too, that take nothing but a non-maskable interrupt.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Its count is of no interest to who can still read it, as in Linux, so it has no line among the others'.
#[distributed_slice(SYSVECS)]
static REBOOT: SysVec = SysVec {
    vector: REBOOT_VECTOR,
    mnemonic: "",
    description: "",
    handler: |_| stop_this_cpu(),
};

/// Stops this CPU for good, if all but one are to stop and this is not that one. For the handler of non-maskable interrupts.
pub fn stop_if_asked() {
    if STOPPING.load(Relaxed) {
        stop_this_cpu();
    }
}

/// A function of its own, by whose name a backtrace shows a CPU that has stopped, and a breakpoint one that is about to.
#[inline(never)]
fn stop_this_cpu() -> ! {
    ONLINE.set(smp_processor_id(), false);
    irqflags::halt_forever()
}

/// Stops all other CPUs. They end what they do with interrupts off before that, for a second; then they are stopped in the middle of it.
pub fn stop_other_cpus() {
    let this = smp_processor_id();
    let others = || ONLINE.iter().filter(move |&cpu| cpu != this);
    if !apic::is_present() || others().next().is_none() || STOPPING.load(Relaxed) {
        return;
    }
    others().for_each(|cpu| send_ipi(cpu, REBOOT_VECTOR));
    // Those that the monitor holds take it when they leave.
    crate::smp::release();
    if wait_for_none(others, INTERRUPT_STEPS) {
        return;
    }
    STOPPING.store(true, Relaxed);
    others().for_each(send_nmi);
    wait_for_none(others, NMI_STEPS);
}

fn wait_for_none<I: Iterator<Item = usize>>(others: impl Fn() -> I, steps: u32) -> bool {
    (0..steps).any(|_| {
        udelay(STEP_US);
        others().next().is_none()
    })
}

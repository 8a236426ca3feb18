//! CPUs without a clock event device: the boot CPU, which has the machine's timer then, interrupts them with each of its ticks (Linux's tick broadcast, in its periodic form).

use core::sync::atomic::AtomicU64;

use super::clockevents::{self, ClockEventDevice, Features};
use super::tick;
use crate::arch::x86::apic;
use crate::arch::x86::cpu::masks::CpuMask;
use crate::arch::x86::irq::LOCAL_TIMER_VECTOR;
use crate::percpu::smp_processor_id;

/// The CPUs that are interrupted.
static WANTED: CpuMask = CpuMask::new();

/// Stands for a device: whatever it is set to, it comes with the next tick.
static DEVICE: ClockEventDevice = ClockEventDevice {
    name: "broadcast",
    rating: 0,
    features: Features::ONESHOT.union(Features::PERCPU),
    mult: AtomicU64::new(1),
    min_delta_ns: 0,
    max_delta_ticks: u64::MAX,
    set_next_event: |_| {},
    set_oneshot: || WANTED.set(smp_processor_id(), true),
    shutdown: || WANTED.set(smp_processor_id(), false),
};

/// Lets this CPU tick by the boot CPU's device, unless it has one of its own, or that has none. Interrupts are off.
pub(crate) fn setup_this_cpu() {
    if clockevents::this_cpu().is_none() && tick::is_running_on(0) && clockevents::register(&DEVICE) {
        tick::start();
    }
}

/// Whether a CPU depends on this one's tick.
pub(super) fn is_needed() -> bool {
    smp_processor_id() == 0 && WANTED.weight() != 0
}

/// A tick has come: passes it on. Interrupts are off.
pub(super) fn tick() {
    if is_needed() {
        apic::send_ipi_mask(&WANTED, LOCAL_TIMER_VECTOR);
    }
}

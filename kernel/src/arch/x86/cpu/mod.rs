//! The processors: what they are, which there are, and how one is made ready to run the kernel.

pub mod features;
pub mod init;
pub mod masks;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use x86::cpuid::CpuId;

use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// Set to the boot CPU's id by `smp_setup_processor_id`.
static BOOT_CPU_APIC_ID: AtomicU32 = AtomicU32::new(0);

/// The number under which the interrupt hardware knows the boot CPU.
#[must_use]
pub fn boot_cpu_apic_id() -> u32 {
    BOOT_CPU_APIC_ID.load(Relaxed)
}

/// Records the boot CPU's APIC id, as the processor itself tells it (SDM 3, 11.4.6): 32 bits from leaf 0xb where there is one, else eight from leaf 1.
#[stage]
#[init]
pub fn smp_setup_processor_id() {
    let cpuid = CpuId::new();
    let extended = cpuid
        .get_extended_topology_info()
        .and_then(|mut levels| levels.next())
        .map(|level| level.x2apic_id());
    let initial = cpuid
        .get_feature_info()
        .map_or(0, |features| u32::from(features.initial_local_apic_id()));
    BOOT_CPU_APIC_ID.store(extended.unwrap_or(initial), Relaxed);
}

/// Puts the boot CPU into the masks: Linux's stage of the same name.
#[stage(after(crate::init::stage::local_irq_disable))]
#[init]
pub fn boot_cpu_init() {
    let cpu = smp_processor_id();
    for mask in [&masks::POSSIBLE, &masks::PRESENT, &masks::ONLINE, &masks::ACTIVE] {
        mask.set(cpu, true);
    }
}

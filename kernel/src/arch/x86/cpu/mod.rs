//! The processors: what they are, which there are, and how one is made ready to run the kernel.
//!
//! | file | what it knows |
//! | --- | --- |
//! | [`cpuid`] | the instruction, executed once for each leaf |
//! | [`common`], [`vendor`], `intel`, `amd`, `centaur` | what the boot CPU is |
//! | [`features`] | what it can, and what the command line leaves of that |
//! | [`bugs`] | what is wrong with it |
//! | [`hypervisor`] | which hypervisor it is part of |
//! | `mtrr` | which memory it caches, as the firmware set it |
//! | [`masks`], [`mod@init`], `likeness` | which CPUs there are, making one ready, and whether it is like the boot CPU |

/// The feature of a name, looked up by the compiler.
macro_rules! named {
    ($name:literal) => {
        const { incipit_lib::cpufeature::Feature::named($name) }
    };
}

#[cfg(CONFIG_CPU_SUP_AMD)]
mod amd;
pub mod bugs;
#[cfg(CONFIG_CPU_SUP_CENTAUR)]
mod centaur;
mod check_bugs;
pub mod common;
pub mod cpuid;
mod cpuinfo;
pub mod entry_area;
pub mod features;
pub mod hypervisor;
pub mod init;
#[cfg(CONFIG_CPU_SUP_INTEL)]
mod intel;
#[cfg(CONFIG_SMP)]
pub mod likeness;
pub mod masks;
#[cfg(CONFIG_MTRR)]
pub mod mtrr;
mod tests;
pub mod vendor;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

pub use common::{CpuInfo, boot_cpu};
use cpuid::boot_cpuid;
pub use cpuinfo::cpuinfo;

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
    let extended = (boot_cpuid(0, 0).eax >= 0xb)
        .then(|| boot_cpuid(0xb, 0))
        .filter(|level| level.ebx != 0);
    let id = extended.map_or_else(|| boot_cpuid(1, 0).ebx >> 24, |level| level.edx);
    BOOT_CPU_APIC_ID.store(id, Relaxed);
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

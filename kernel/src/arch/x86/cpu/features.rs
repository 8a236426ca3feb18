//! What the boot CPU is and can, read once from CPUID.

use core::fmt;

use spin::Once;
use x86::cpuid::{CpuId, cpuid};

use crate::prelude::*;

bitflags::bitflags! {
    /// The features that the kernel asks for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Features: u32 {
        /// No-execute in page tables.
        const NX = 1 << 0;
        /// 1 GiB pages.
        const GBPAGES = 1 << 1;
        /// Global pages.
        const PGE = 1 << 2;
        /// Supervisor-mode execution prevention.
        const SMEP = 1 << 3;
        /// Supervisor-mode access prevention.
        const SMAP = 1 << 4;
        /// User-mode instruction prevention.
        const UMIP = 1 << 5;
        /// `rdfsbase` and its kin.
        const FSGSBASE = 1 << 6;
        /// The time-stamp counter.
        const TSC = 1 << 7;
        /// A time-stamp counter that neither stops nor changes its rate.
        const INVARIANT_TSC = 1 << 8;
        /// Machine-check exceptions.
        const MCE = 1 << 9;
        /// Runs on a hypervisor, which has leaves of its own.
        const HYPERVISOR = 1 << 10;
        /// The page attribute table.
        const PAT = 1 << 11;
    }
}

/// A CPU: Linux's `cpuinfo_x86`, as far as it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct CpuInfo {
    /// `GenuineIntel`, `AuthenticAMD` and the like.
    pub vendor: [u8; 12],
    /// The processor's own name for itself, padded with NUL; empty if it has none.
    pub model_id: [u8; 48],
    /// Family, extended family added.
    pub family: u8,
    /// Model, extended model included.
    pub model: u8,
    /// Stepping.
    pub stepping: u8,
    /// Features.
    pub features: Features,
    /// Bits of a physical address.
    pub phys_bits: u8,
}

static BOOT_CPU_DATA: Once<CpuInfo> = Once::new();

/// The boot CPU: Linux's `boot_cpu_data`.
pub fn boot_cpu() -> &'static CpuInfo {
    BOOT_CPU_DATA.call_once(identify)
}

/// Whether the boot CPU has all of `features`.
#[must_use]
pub fn boot_cpu_has(features: Features) -> bool {
    boot_cpu().features.contains(features)
}

fn identify() -> CpuInfo {
    let id = CpuId::new();
    let mut features = Features::empty();
    let mut note = |present: bool, feature: Features| features.set(feature, present);
    let (mut family, mut model, mut stepping) = (0, 0, 0);
    if let Some(basic) = id.get_feature_info() {
        (family, model, stepping) = (basic.family_id(), basic.model_id(), basic.stepping_id());
        note(basic.has_pge(), Features::PGE);
        note(basic.has_tsc(), Features::TSC);
        note(basic.has_mce(), Features::MCE);
        note(basic.has_pat(), Features::PAT);
        note(basic.has_hypervisor(), Features::HYPERVISOR);
    }
    if let Some(more) = id.get_extended_feature_info() {
        note(more.has_smep(), Features::SMEP);
        note(more.has_smap(), Features::SMAP);
        note(more.has_umip(), Features::UMIP);
        note(more.has_fsgsbase(), Features::FSGSBASE);
    }
    if let Some(extended) = id.get_extended_processor_and_feature_identifiers() {
        note(extended.has_execute_disable(), Features::NX);
        note(extended.has_1gib_pages(), Features::GBPAGES);
    }
    if let Some(power) = id.get_advanced_power_mgmt_info() {
        note(power.has_invariant_tsc(), Features::INVARIANT_TSC);
    }
    let mut vendor = [0; 12];
    copy_text(&mut vendor, id.get_vendor_info().as_ref().map_or("", |vendor| vendor.as_str()));
    let mut model_id = [0; 48];
    copy_text(
        &mut model_id,
        id.get_processor_brand_string().as_ref().map_or("", |brand| brand.as_str().trim()),
    );
    let phys_bits = id
        .get_processor_capacity_feature_info()
        .map_or(36, |capacity| capacity.physical_address_bits());
    CpuInfo {
        vendor,
        model_id,
        family,
        model,
        stepping,
        features,
        phys_bits,
    }
}

fn copy_text(destination: &mut [u8], text: &str) {
    let length = text.len().min(destination.len());
    destination[..length].copy_from_slice(&text.as_bytes()[..length]);
}

fn text(bytes: &[u8]) -> &str {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    core::str::from_utf8(&bytes[..end]).unwrap_or("?")
}

/// The rate of the time-stamp counter in kHz, where CPUID tells it: crystal and ratio (leaf 0x15), the base frequency (leaf 0x16), or what the hypervisor
/// says (leaf 0x4000_0010, VMware's invention that KVM and QEMU follow).
#[must_use]
#[init]
pub fn tsc_khz() -> Option<u64> {
    let id = CpuId::new();
    let from_ratio = id.get_tsc_info().and_then(|tsc| tsc.tsc_frequency()).map(|hertz| hertz / 1000);
    let from_base = || {
        id.get_processor_frequency_info()
            .map(|info| u64::from(info.processor_base_frequency()) * 1000)
    };
    let from_hypervisor = || {
        const TIMING_LEAF: u32 = 0x4000_0010;
        let has_leaf = boot_cpu_has(Features::HYPERVISOR) && (TIMING_LEAF..TIMING_LEAF + 0x1000).contains(&cpuid!(0x4000_0000).eax);
        has_leaf.then(|| u64::from(cpuid!(TIMING_LEAF).eax))
    };
    from_ratio.or_else(from_base).or_else(from_hypervisor).filter(|&khz| khz != 0)
}

impl fmt::Display for CpuInfo {
    /// Linux's `print_cpu_info`: vendor unless the name has it, name, family, model, stepping.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vendor = match text(&self.vendor) {
            "GenuineIntel" => "Intel",
            "AuthenticAMD" => "AMD",
            other => other,
        };
        let name = text(&self.model_id);
        if !name.contains(vendor) {
            write!(f, "{vendor} ")?;
        }
        write!(
            f,
            "{name} (family: {:#x}, model: {:#x}, stepping: {:#x})",
            self.family, self.model, self.stepping
        )
    }
}

/// Identifies the boot CPU and says what it is: Linux's `early_cpu_init`.
#[init]
pub fn early_cpu_init() {
    pr_info!("CPU: {}", boot_cpu());
}

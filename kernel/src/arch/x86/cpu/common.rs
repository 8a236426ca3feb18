//! Finding out what the boot CPU is: Linux's `early_identify_cpu` and `identify_boot_cpu` in one.
//!
//! `identify` turns answers of CPUID into a [`CpuInfo`] and a set of features; it touches nothing else, so that tests can give it any processor. The vendor
//! then has its say, through [`super::vendor`].

use core::fmt;

use incipit_lib::cpufeature::{Feature, FeatureSet, Word};
use incipit_lib::tsc;
use raw_cpuid::CpuId;
use spin::Once;

use super::bugs::{self, ArchCapabilities, Bugs};
use super::cpuid::{Cpuid, boot_cpuid};
use super::features::{self, boot_cpu_has, feature};
use super::vendor::{self, CpuVendor, GENERIC};
use crate::arch::x86::msr;
use crate::prelude::*;

/// A CPU: Linux's `cpuinfo_x86`, but for its features, which [`boot_cpu_has`] knows.
#[derive(Clone, Copy)]
pub struct CpuInfo {
    /// Who made it.
    pub vendor: &'static CpuVendor,
    /// `GenuineIntel`, `AuthenticAMD` and the like.
    pub vendor_id: [u8; 12],
    /// The processor's own name for itself, padded with NUL; empty if it has none.
    pub model_id: [u8; 48],
    /// Family, extended family added.
    pub family: u8,
    /// Model, extended model included.
    pub model: u8,
    /// Stepping.
    pub stepping: u8,
    /// The last basic leaf of CPUID.
    pub cpuid_level: u32,
    /// The last extended leaf of CPUID; 0 without any.
    pub extended_cpuid_level: u32,
    /// Bits of a physical address.
    pub phys_bits: u8,
    /// Bits of a linear address.
    pub virt_bits: u8,
    /// Bytes that CLFLUSH flushes.
    pub clflush_size: u16,
    /// What data that several processors write is best aligned to.
    pub cache_alignment: u16,
    /// EDX of leaf 0x8000_0007: power management.
    pub power: u32,
    /// What is wrong with it.
    pub bugs: Bugs,
}

static BOOT_CPU_DATA: Once<CpuInfo> = Once::new();

/// A processor of which nothing is known, with the sizes that every x86-64 processor has at least.
const UNIDENTIFIED: CpuInfo = CpuInfo {
    vendor: &GENERIC,
    vendor_id: [0; 12],
    model_id: [0; 48],
    family: 0,
    model: 0,
    stepping: 0,
    cpuid_level: 0,
    extended_cpuid_level: 0,
    phys_bits: 36,
    virt_bits: 48,
    clflush_size: 64,
    cache_alignment: 64,
    power: 0,
    bugs: Bugs::empty(),
};

/// The boot CPU: Linux's `boot_cpu_data`. Before `setup_arch` nothing is known of it.
pub fn boot_cpu() -> &'static CpuInfo {
    static UNKNOWN: CpuInfo = UNIDENTIFIED;
    BOOT_CPU_DATA.get().unwrap_or(&UNKNOWN)
}

/// Identifies the boot CPU and says what it is: Linux's `early_cpu_init`.
#[init]
pub fn early_cpu_init() {
    let (mut cpu, mut features) = identify(&boot_cpuid);
    let says = arch_capabilities(&features);
    cpu.bugs |= bugs::speculation(&cpu, &features, says);
    features.insert_if(named!("ibrs_enhanced"), says.contains(ArchCapabilities::IBRS_ALL));
    features::set_all(&features);
    if vendor::by_ident(&cpu.vendor_id).is_none() {
        pr_err!("CPU: vendor_id '{}' unknown, using generic init.", text(&cpu.vendor_id));
        pr_err!("CPU: Your system may be unstable.");
    }
    pr_info!("CPU: {cpu}");
    BOOT_CPU_DATA.call_once(|| cpu);
}

/// What a processor says of itself. Bugs are only those that its vendor knows of.
#[init]
pub(super) fn identify(cpuid: Cpuid<'_>) -> (CpuInfo, FeatureSet) {
    let base = cpuid(0, 0);
    let vendor_id = ident(base.ebx, base.edx, base.ecx);
    let signature = if base.eax >= 1 { cpuid(1, 0).eax } else { 0 };
    let (family, model, stepping) = decode_signature(signature);
    let extended = cpuid(0x8000_0000, 0).eax;
    let mut cpu = CpuInfo {
        vendor: vendor::by_ident(&vendor_id).unwrap_or(&GENERIC),
        vendor_id,
        family,
        model,
        stepping,
        cpuid_level: base.eax,
        extended_cpuid_level: if extended >> 16 == 0x8000 { extended } else { 0 },
        ..UNIDENTIFIED
    };
    let mut features = read_words(&mut cpu, cpuid);
    scattered(&mut features, &cpu, cpuid);
    speculation_control(&mut features);
    read_sizes(&mut cpu, &features, cpuid);
    name_model(&mut cpu, cpuid);
    (cpu.vendor.identify)(&mut cpu, &mut features, cpuid);
    for (feature, level) in [(named!("monitor"), 5), (named!("dca"), 9), (named!("xsave"), 0xd)] {
        if cpu.cpuid_level < level && features.contains(feature) {
            features.clear(feature);
        }
    }
    features.clear(named!("la57"));
    features.insert(named!("cpuid"));
    features.insert(named!("nopl"));
    cpu.bugs = (cpu.vendor.errata)(&cpu, &features, cpuid);
    (cpu, features)
}

/// The twelve characters that leaves 0 and 0x4000_0000 spread over three registers.
pub(super) fn ident(first: u32, second: u32, third: u32) -> [u8; 12] {
    let mut text = [0; 12];
    for (part, register) in text.chunks_exact_mut(4).zip([first, second, third]) {
        part.copy_from_slice(&register.to_le_bytes());
    }
    text
}

/// Family, model and stepping of EAX of leaf 1. Extended fields count as Linux counts them, for every vendor.
#[init]
fn decode_signature(signature: u32) -> (u8, u8, u8) {
    let field = |shift: u32, mask: u32| (signature >> shift & mask) as u8;
    let base = field(8, 0xf);
    let family = if base == 0xf { base.wrapping_add(field(20, 0xff)) } else { base };
    let extended = if base >= 6 { field(16, 0xf) << 4 } else { 0 };
    (family, extended | field(4, 0xf), field(0, 0xf))
}

/// The words that are registers of CPUID: Linux's `get_cpu_cap`.
#[init]
fn read_words(cpu: &mut CpuInfo, cpuid: Cpuid<'_>) -> FeatureSet {
    let mut features = FeatureSet::EMPTY;
    let (basic, extended) = (cpu.cpuid_level, cpu.extended_cpuid_level);
    if basic >= 1 {
        let leaf = cpuid(1, 0);
        features.set_word(Word::Leaf1Edx, leaf.edx);
        features.set_word(Word::Leaf1Ecx, leaf.ecx);
    }
    if basic >= 6 {
        features.set_word(Word::Leaf6Eax, cpuid(6, 0).eax);
    }
    if basic >= 7 {
        let leaf = cpuid(7, 0);
        features.set_word(Word::Leaf7Ebx, leaf.ebx);
        features.set_word(Word::Leaf7Ecx, leaf.ecx);
        features.set_word(Word::Leaf7Edx, leaf.edx);
        if leaf.eax >= 1 {
            features.set_word(Word::Leaf7Sub1Eax, cpuid(7, 1).eax);
        }
    }
    if basic >= 0xd {
        features.set_word(Word::LeafD1Eax, cpuid(0xd, 1).eax);
    }
    if extended >= 0x8000_0001 {
        let leaf = cpuid(0x8000_0001, 0);
        features.set_word(Word::Leaf80000001Edx, leaf.edx);
        features.set_word(Word::Leaf80000001Ecx, leaf.ecx);
    }
    if extended >= 0x8000_0007 {
        let leaf = cpuid(0x8000_0007, 0);
        features.set_word(Word::Leaf80000007Ebx, leaf.ebx);
        cpu.power = leaf.edx;
    }
    if extended >= 0x8000_0008 {
        features.set_word(Word::Leaf80000008Ebx, cpuid(0x8000_0008, 0).ebx);
    }
    if extended >= 0x8000_000a {
        features.set_word(Word::Leaf8000000aEdx, cpuid(0x8000_000a, 0).edx);
    }
    if extended >= 0x8000_001f {
        features.set_word(Word::Leaf8000001fEax, cpuid(0x8000_001f, 0).eax);
    }
    features
}

/// Bits of leaves that have no word of their own: Linux's `init_scattered_cpuid_features`. Leaves on what the processor does not have are not read.
#[init]
fn scattered(features: &mut FeatureSet, cpu: &CpuInfo, cpuid: Cpuid<'_>) {
    let mut note = |register: u32, bits: &[(u32, Feature)]| {
        for &(bit, feature) in bits {
            features.insert_if(feature, register & 1 << bit != 0);
        }
    };
    note(
        cpu.power,
        &[(7, named!("hw_pstate")), (9, named!("cpb")), (11, named!("proc_feedback"))],
    );
    if cpu.cpuid_level >= 6 {
        note(cpuid(6, 0).ecx, &[(0, named!("aperfmperf")), (3, named!("epb"))]);
    }
    if cpu.extended_cpuid_level >= 0x8000_0008 {
        note(cpuid(0x8000_0008, 0).ebx, &[(6, named!("mba"))]);
    }
    if cpu.extended_cpuid_level >= 0x8000_0022 {
        note(cpuid(0x8000_0022, 0).eax, &[(0, named!("perfmon_v2")), (1, named!("amd_lbr_v2"))]);
    }
    let extended_7 = if cpu.cpuid_level >= 7 { cpuid(7, 0).ebx } else { 0 };
    if cpu.cpuid_level >= 0xf && extended_7 & 1 << 12 != 0 {
        note(cpuid(0xf, 0).edx, &[(1, named!("cqm_llc"))]);
        note(
            cpuid(0xf, 1).edx,
            &[
                (0, named!("cqm_occup_llc")),
                (1, named!("cqm_mbm_total")),
                (2, named!("cqm_mbm_local")),
            ],
        );
    }
    if cpu.cpuid_level >= 0x10 && extended_7 & 1 << 15 != 0 {
        note(
            cpuid(0x10, 0).ebx,
            &[(1, named!("cat_l3")), (2, named!("cat_l2")), (3, named!("mba"))],
        );
        note(cpuid(0x10, 1).ecx, &[(2, named!("cdp_l3"))]);
        note(cpuid(0x10, 2).ecx, &[(2, named!("cdp_l2"))]);
    }
}

/// The controls of speculation under common names, whichever vendor's bit says that they are there: Linux's `init_speculation_control`.
#[init]
fn speculation_control(features: &mut FeatureSet) {
    const AMD_SSBD: Feature = Feature::at(Word::Leaf80000008Ebx, 24);
    const SOURCES: [(Feature, &[Feature]); 8] = [
        (Feature::at(Word::Leaf7Edx, 26), &[named!("ibrs"), named!("ibpb")]),
        (Feature::at(Word::Leaf7Edx, 27), &[named!("stibp")]),
        (Feature::at(Word::Leaf7Edx, 31), &[named!("ssbd")]),
        (named!("virt_ssbd"), &[named!("ssbd")]),
        (Feature::at(Word::Leaf80000008Ebx, 14), &[named!("ibrs")]),
        (Feature::at(Word::Leaf80000008Ebx, 12), &[named!("ibpb")]),
        (Feature::at(Word::Leaf80000008Ebx, 15), &[named!("stibp")]),
        (AMD_SSBD, &[named!("ssbd")]),
    ];
    for (source, follow) in SOURCES {
        for &feature in follow {
            features.insert_if(feature, features.contains(source));
        }
    }
    if features.contains(AMD_SSBD) {
        features.clear(named!("virt_ssbd"));
    }
}

/// Sizes of addresses and of cache lines.
#[init]
fn read_sizes(cpu: &mut CpuInfo, features: &FeatureSet, cpuid: Cpuid<'_>) {
    if features.contains(named!("clflush")) {
        cpu.clflush_size = (cpuid(1, 0).ebx >> 8 & 0xff) as u16 * 8;
        cpu.cache_alignment = cpu.clflush_size;
    }
    if cpu.extended_cpuid_level >= 0x8000_0008 {
        let [phys, virt, ..] = cpuid(0x8000_0008, 0).eax.to_le_bytes();
        (cpu.phys_bits, cpu.virt_bits) = (phys, virt);
    }
}

/// The name that the processor has for itself, or its numbers.
#[init]
fn name_model(cpu: &mut CpuInfo, cpuid: Cpuid<'_>) {
    if cpu.extended_cpuid_level < 0x8000_0004 {
        return;
    }
    if let Some(name) = CpuId::with_cpuid_reader(cpuid).get_processor_brand_string() {
        let name = name.as_str().trim().as_bytes();
        cpu.model_id[..name.len()].copy_from_slice(name);
    }
}

/// Whether the processor tells its place among others level by level (SDM 3, 9.9.4): its first level is that of threads.
pub(super) fn has_extended_topology(cpu: &CpuInfo, cpuid: Cpuid<'_>) -> bool {
    cpu.cpuid_level >= 0xb && {
        let leaf = cpuid(0xb, 0);
        leaf.ebx != 0 && leaf.ecx >> 8 & 0xff == 1
    }
}

#[init]
fn arch_capabilities(features: &FeatureSet) -> ArchCapabilities {
    let value = features
        .contains(named!("arch_capabilities"))
        .then(|| msr::rdmsr_safe(bugs::IA32_ARCH_CAPABILITIES));
    value
        .and_then(Result::ok)
        .map_or(ArchCapabilities::empty(), ArchCapabilities::from_bits_truncate)
}

/// Text that is padded with NUL, as far as it is text.
pub(super) fn text(bytes: &[u8]) -> &str {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    core::str::from_utf8(&bytes[..end]).unwrap_or("?")
}

impl CpuInfo {
    /// Whether the time-stamp counter neither stops nor changes its rate, as leaf 0x8000_0007 says.
    #[must_use]
    pub fn tsc_is_invariant(&self) -> bool {
        self.power & 1 << 8 != 0
    }

    /// The vendor's name, or what leaf 0 says if nobody knows it.
    fn vendor_name(&self) -> &str {
        vendor::by_ident(&self.vendor_id).map_or_else(|| text(&self.vendor_id), |vendor| vendor.name)
    }

    /// The processor's own name, or its family and model in place of one.
    #[must_use]
    pub fn model_name(&self) -> impl fmt::Display {
        fmt::from_fn(move |f| match text(&self.model_id) {
            "" => write!(f, "{:02x}/{:02x}", self.family, self.model),
            name => f.write_str(name),
        })
    }
}

impl fmt::Display for CpuInfo {
    /// Linux's `print_cpu_info`: vendor unless the name has it, name, family, model, stepping.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !text(&self.model_id).contains(self.vendor_name()) {
            write!(f, "{} ", self.vendor_name())?;
        }
        let (family, model, stepping) = (self.family, self.model, self.stepping);
        write!(
            f,
            "{} (family: {family:#x}, model: {model:#x}, stepping: {stepping:#x})",
            self.model_name()
        )
    }
}

/// What CPUID tells of the rate of the time-stamp counter: crystal and ratio (leaf 0x15), the base frequency (leaf 0x16), and what the hypervisor says (leaf 0x4000_0010, VMware's
/// invention that KVM and QEMU follow).
#[must_use]
#[init]
pub fn tsc_told() -> tsc::Told {
    const RATIO_LEAF: u32 = 0x15;
    const FREQUENCY_LEAF: u32 = 0x16;
    const TIMING_LEAF: u32 = 0x4000_0010;
    let cpu = boot_cpu();
    let leaf = |leaf: u32| (cpu.cpuid_level >= leaf).then(|| boot_cpuid(leaf, 0));
    let has_timing = || (TIMING_LEAF..TIMING_LEAF + 0x1000).contains(&boot_cpuid(0x4000_0000, 0).eax);
    let is_intel = cpu.vendor_id == *b"GenuineIntel";
    tsc::Told {
        ratio: leaf(RATIO_LEAF).map_or_else(tsc::Ratio::default, |ratio| tsc::Ratio {
            denominator: ratio.eax,
            numerator: ratio.ebx,
            crystal_hz: ratio.ecx,
        }),
        base_mhz: leaf(FREQUENCY_LEAF).map_or(0, |frequency| frequency.eax & 0xffff),
        hypervisor_khz: if boot_cpu_has(feature::HYPERVISOR) && has_timing() {
            boot_cpuid(TIMING_LEAF, 0).eax
        } else {
            0
        },
        model: is_intel.then_some((cpu.family, cpu.model)),
    }
}

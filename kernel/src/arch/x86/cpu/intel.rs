//! Intel.

use incipit_lib::cpufeature::FeatureSet;
use linkme::distributed_slice;

use super::bugs::{Affected, Bugs, Immunity};
use super::common::CpuInfo;
use super::cpuid::Cpuid;
use super::vendor::{CPU_VENDORS, CpuVendor, last_cache};
use crate::arch::x86::msr;

/// The revision of the microcode, in the upper half (SDM 3, 10.11.7).
const IA32_BIOS_SIGN_ID: u32 = 0x8b;

#[distributed_slice(CPU_VENDORS)]
static INTEL: CpuVendor = CpuVendor {
    name: "Intel",
    idents: &[b"GenuineIntel"],
    identify,
    errata: |_, _, _| Bugs::empty(),
    immunity,
    affected,
    microcode,
    caches: last_cache,
};

fn identify(cpu: &mut CpuInfo, features: &mut FeatureSet, cpuid: Cpuid<'_>) {
    let constant_tsc = matches!((cpu.family, cpu.model), (0xf, 3..) | (6, 0xe..));
    features.insert_if(named!("constant_tsc"), constant_tsc);
    features.insert_if(named!("rep_good"), cpu.family == 6);
    if cpu.tsc_is_invariant() {
        features.insert(named!("constant_tsc"));
        features.insert(named!("nonstop_tsc"));
    }
    features.insert_if(named!("arch_perfmon"), has_arch_perfmon(cpu, cpuid));
    features.insert_if(named!("xtopology"), super::common::has_extended_topology(cpu, cpuid));
    if cpu.family == 0xf {
        // Two lines are read at once.
        cpu.cache_alignment = cpu.clflush_size * 2;
        // These say 40 bits and have 36.
        if cpu.model == 3 && matches!(cpu.stepping, 3 | 4) {
            cpu.phys_bits = 36;
        }
    }
}

/// Architectural performance monitoring (SDM 3, 20.2) with more than one counter.
pub(super) fn has_arch_perfmon(cpu: &CpuInfo, cpuid: Cpuid<'_>) -> bool {
    cpu.cpuid_level > 9 && {
        let leaf = cpuid(10, 0).eax;
        leaf & 0xff != 0 && leaf >> 8 & 0xff > 1
    }
}

fn immunity(cpu: &CpuInfo) -> Immunity {
    if cpu.family != 6 {
        return Immunity::empty();
    }
    let airmont = Immunity::L1TF | Immunity::SWAPGS | Immunity::ITLB_MULTIHIT;
    let silvermont = airmont | Immunity::SSB | Immunity::MDS_BUT_STORES;
    let goldmont = airmont | Immunity::MDS;
    match cpu.model {
        // Saltwell and Bonnell: in order.
        0x36 | 0x35 | 0x27 | 0x1c | 0x26 => Immunity::SPECULATION | Immunity::ITLB_MULTIHIT,
        // Silvermont, Airmont, Knights Landing, Knights Mill.
        0x37 | 0x4d | 0x4a | 0x4c | 0x57 | 0x85 => silvermont,
        // Yonah.
        0x0e => Immunity::SSB,
        // Airmont in telephones.
        0x5a => airmont | Immunity::MDS_BUT_STORES,
        0x75 => airmont,
        // Goldmont.
        0x5c | 0x5f => goldmont,
        // Goldmont Plus.
        0x7a => goldmont | Immunity::EIBRS_PBRSB,
        // Tremont.
        0x96 | 0x9c => Immunity::EIBRS_PBRSB,
        0x86 => Immunity::ITLB_MULTIHIT | Immunity::EIBRS_PBRSB,
        _ => Immunity::empty(),
    }
}

fn affected(cpu: &CpuInfo) -> Affected {
    if cpu.family != 6 {
        return Affected::empty();
    }
    let mmio_and_shared = Affected::MMIO | Affected::MMIO_SBDS;
    match (cpu.model, cpu.stepping) {
        // Ivy Bridge, Haswell and Broadwell of clients.
        (0x3a | 0x3c | 0x45 | 0x46 | 0x3d | 0x47, _) => Affected::SRBDS,
        // Haswell and Broadwell of servers, Ice Lake of servers.
        (0x3f | 0x56 | 0x4f | 0x6a | 0x6c, _) => Affected::MMIO,
        // Skylake and Kaby Lake of clients.
        (0x4e | 0x5e | 0x8e | 0x9e, _) => Affected::SRBDS | Affected::MMIO | Affected::RETBLEED,
        // Skylake of servers, the first Comet Lake, Rocket Lake.
        (0x55, _) | (0xa6, 0) | (0xa7, _) => Affected::MMIO | Affected::RETBLEED,
        // Cannon Lake.
        (0x66, _) => Affected::RETBLEED,
        // Ice Lake of clients, Comet Lake, Lakefield.
        (0x7e | 0xa5 | 0xa6 | 0x8a, _) => mmio_and_shared | Affected::RETBLEED,
        // Tremont.
        (0x96 | 0x9c, _) => mmio_and_shared,
        (0x86, _) => Affected::MMIO,
        _ => Affected::empty(),
    }
}

fn microcode() -> u32 {
    // SAFETY: the register is cleared so that the CPUID after it fills it; nothing else depends on its value.
    let cleared = unsafe { msr::wrmsr_safe(IA32_BIOS_SIGN_ID, 0) };
    // Not from what is kept: executing it is what fills the register.
    raw_cpuid::native_cpuid::cpuid_count(1, 0);
    cleared
        .and_then(|()| msr::rdmsr_safe(IA32_BIOS_SIGN_ID))
        .map_or(0, |value| (value >> 32) as u32)
}

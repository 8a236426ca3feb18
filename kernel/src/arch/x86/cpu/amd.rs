//! AMD, and Hygon, whose processors are AMD's of family 0x17 under another name.

use incipit_lib::cpufeature::FeatureSet;
use linkme::distributed_slice;

use super::bugs::{Affected, Bugs, Immunity};
use super::common::{CpuInfo, has_extended_topology};
use super::cpuid::Cpuid;
use super::vendor::{CPU_VENDORS, CpuVendor, l2_cache};
use crate::arch::x86::msr;

/// The revision of the microcode, in the lower half.
const MSR_AMD64_PATCH_LEVEL: u32 = 0x8b;
/// How many errata the processor itself knows of (APM 2, OS-visible workarounds), and which of these it has.
const MSR_AMD64_OSVW_ID_LENGTH: u32 = 0xc001_0140;
const MSR_AMD64_OSVW_STATUS: u32 = 0xc001_0141;

#[distributed_slice(CPU_VENDORS)]
static AMD: CpuVendor = CpuVendor {
    name: "AMD",
    idents: &[b"AuthenticAMD"],
    identify,
    errata,
    immunity,
    affected,
    microcode,
    caches: l2_cache,
};

#[distributed_slice(CPU_VENDORS)]
static HYGON: CpuVendor = CpuVendor {
    name: "Hygon",
    idents: &[b"HygonGenuine"],
    identify,
    errata,
    immunity,
    affected,
    microcode,
    caches: l2_cache,
};

fn identify(cpu: &mut CpuInfo, features: &mut FeatureSet, cpuid: Cpuid<'_>) {
    // Bit 31 of leaf 1 is 3DNow here, which has its place in an extended leaf.
    features.clear(named!("pbe"));
    if cpu.tsc_is_invariant() {
        features.insert(named!("constant_tsc"));
        features.insert(named!("nonstop_tsc"));
    }
    features.insert_if(named!("acc_power"), cpu.power & 1 << 12 != 0);
    features.insert_if(named!("rapl"), cpu.power & 1 << 14 != 0);
    features.insert(named!("vmmcall"));
    let local_apic = features.contains(named!("apic"));
    features.insert_if(named!("extd_apicid"), local_apic && cpu.family > 0x16);
    features.insert(named!("3dnowprefetch"));
    features.insert_if(named!("arat"), cpu.family > 0x11);
    features.insert_if(named!("rep_good"), cpu.family >= 0x10 || has_good_rep(cpuid(1, 0).eax));
    if cpu.family == 0xf && cpu.model < 0x14 {
        // Firmware sets the bit, and the instructions are not there in long mode.
        features.clear(named!("lahf_lm"));
    }
    let topology = features.contains(named!("topoext")) && has_extended_topology(cpu, cpuid);
    features.insert_if(named!("xtopology"), topology);
}

/// Whether a processor of family 0xf is of a revision with fast string instructions, by its signature.
fn has_good_rep(signature: u32) -> bool {
    signature >> 8 & 0xf == 0xf && matches!(signature, 0xf48..0xf50 | 0xf58..)
}

fn errata(cpu: &CpuInfo, features: &FeatureSet, cpuid: Cpuid<'_>) -> Bugs {
    let mut bugs = Bugs::SYSRET_SS_ATTRS;
    bugs.set(Bugs::FXSAVE_LEAK, !features.contains(named!("xsaveerptr")));
    bugs.set(Bugs::SWAPGS_FENCE, cpu.family == 0xf);
    let null_clears_base = cpu.extended_cpuid_level >= 0x8000_0021 && cpuid(0x8000_0021, 0).eax & 1 << 6 != 0;
    bugs.set(Bugs::NULL_SEG, !null_clears_base);
    let revision = (cpu.model, cpu.stepping);
    let e400 = match cpu.family {
        0xf => revision >= (0x41, 2),
        0x10 => revision >= (2, 1),
        _ => false,
    };
    bugs.set(Bugs::AMD_E400, says_erratum(features, 1).unwrap_or(e400));
    bugs.set(Bugs::TLB_MMATCH, cpu.family == 0x10 && says_erratum(features, 3).unwrap_or(true));
    bugs
}

/// What the processor itself says of one of its first 64 errata; `None` if it does not know.
fn says_erratum(features: &FeatureSet, id: u32) -> Option<bool> {
    let known = features.contains(named!("osvw")) && msr::rdmsr_safe(MSR_AMD64_OSVW_ID_LENGTH).ok()? > u64::from(id);
    let status = if known {
        msr::rdmsr_safe(MSR_AMD64_OSVW_STATUS).ok()?
    } else {
        return None;
    };
    Some(status & 1 << id != 0)
}

fn immunity(cpu: &CpuInfo) -> Immunity {
    let all = Immunity::MELTDOWN | Immunity::L1TF | Immunity::MDS | Immunity::SWAPGS | Immunity::ITLB_MULTIHIT | Immunity::EIBRS_PBRSB;
    match cpu.family {
        0xf..=0x12 => all | Immunity::SSB,
        _ => all,
    }
}

fn affected(cpu: &CpuInfo) -> Affected {
    match cpu.family {
        0x15..=0x18 => Affected::RETBLEED,
        _ => Affected::empty(),
    }
}

fn microcode() -> u32 {
    msr::rdmsr_safe(MSR_AMD64_PATCH_LEVEL).map_or(0, |value| value as u32)
}

//! Centaur (VIA), and Zhaoxin, who went on from there.

use incipit_lib::cpufeature::{FeatureSet, Word};
use linkme::distributed_slice;

use super::bugs::{Affected, Bugs, Immunity};
use super::common::{CpuInfo, has_extended_topology};
use super::cpuid::Cpuid;
use super::intel::has_arch_perfmon;
use super::vendor::{CPU_VENDORS, CpuVendor, last_cache};

#[distributed_slice(CPU_VENDORS)]
static CENTAUR: CpuVendor = CpuVendor {
    name: "Centaur",
    idents: &[b"CentaurHauls"],
    identify,
    errata: |_, _, _| Bugs::empty(),
    immunity,
    affected: |_| Affected::empty(),
    microcode: || 0,
    caches: last_cache,
};

#[distributed_slice(CPU_VENDORS)]
static ZHAOXIN: CpuVendor = CpuVendor {
    name: "zhaoxin",
    idents: &[b"  Shanghai  "],
    identify,
    errata: |_, _, _| Bugs::empty(),
    immunity,
    affected: |_| Affected::empty(),
    microcode: || 0,
    caches: last_cache,
};

fn identify(cpu: &mut CpuInfo, features: &mut FeatureSet, cpuid: Cpuid<'_>) {
    const LEVEL: u32 = 0xc000_0000;
    let level = cpuid(LEVEL, 0).eax;
    if level > LEVEL && level < LEVEL + 0x1_0000 {
        features.set_word(Word::LeafC0000001Edx, cpuid(LEVEL + 1, 0).edx);
    }
    let is_nano_or_later = matches!((cpu.family, cpu.model), (6, 0xf..) | (7.., _));
    features.insert_if(named!("constant_tsc"), is_nano_or_later);
    features.insert_if(named!("rep_good"), is_nano_or_later);
    if cpu.tsc_is_invariant() {
        features.insert(named!("constant_tsc"));
        features.insert(named!("nonstop_tsc"));
    }
    features.insert_if(named!("arch_perfmon"), has_arch_perfmon(cpu, cpuid));
    features.insert_if(named!("xtopology"), has_extended_topology(cpu, cpuid));
}

fn immunity(cpu: &CpuInfo) -> Immunity {
    match cpu.family {
        7 => Immunity::SPECTRE_V2 | Immunity::SWAPGS,
        _ => Immunity::empty(),
    }
}

//! Who makes processors, and what only they know of them.
//!
//! A vendor is declared beside what is known of its processors, through [`CPU_VENDORS`]; nothing lists them.

use incipit_lib::cpufeature::FeatureSet;
use linkme::distributed_slice;

use super::bugs::{Affected, Bugs, Immunity};
use super::common::CpuInfo;
use super::cpuid::Cpuid;

/// A maker of processors: Linux's `cpu_dev`.
pub struct CpuVendor {
    /// Its name, as it is shown.
    pub name: &'static str,
    /// What its processors say in leaf 0.
    pub idents: &'static [&'static [u8; 12]],
    /// Corrects and completes what was read: features that follow from the family, sizes that CPUID has wrong.
    pub identify: fn(&mut CpuInfo, &mut FeatureSet, Cpuid<'_>),
    /// Errata of its own, beside what speculation lets through.
    pub errata: fn(&CpuInfo, &FeatureSet, Cpuid<'_>) -> Bugs,
    /// Attacks by speculation that a processor is known to withstand.
    pub immunity: fn(&CpuInfo) -> Immunity,
    /// Attacks by speculation that only some processors suffer from, if this is one.
    pub affected: fn(&CpuInfo) -> Affected,
    /// The revision of the microcode; 0 if it is not known.
    pub microcode: fn() -> u32,
    /// The size of the last cache, and the pages that the second-level TLB holds.
    pub caches: fn(Cpuid<'_>) -> Caches,
}

/// Sizes of what is cached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caches {
    /// KiB of the last level.
    pub kib: u32,
    /// Pages of 4 KiB in the TLB; 0 if it is not known.
    pub tlb_pages: u32,
}

/// All vendors.
#[distributed_slice]
pub static CPU_VENDORS: [CpuVendor];

/// What is assumed of a processor whose maker nobody declared.
pub static GENERIC: CpuVendor = CpuVendor {
    name: "unknown",
    idents: &[],
    identify: |_, _, _| {},
    errata: |_, _, _| Bugs::empty(),
    immunity: |_| Immunity::empty(),
    affected: |_| Affected::empty(),
    microcode: || 0,
    caches: l2_cache,
};

/// The vendor that leaf 0 names.
pub fn by_ident(ident: &[u8; 12]) -> Option<&'static CpuVendor> {
    CPU_VENDORS.iter().find(|vendor| vendor.idents.contains(&ident))
}

/// The second-level cache of leaf 0x8000_0006, AMD's invention that most others follow: Linux's `cpu_detect_cache_sizes`.
pub fn l2_cache(cpuid: Cpuid<'_>) -> Caches {
    if cpuid(0x8000_0000, 0).eax < 0x8000_0006 {
        return Caches::default();
    }
    let leaf = cpuid(0x8000_0006, 0);
    Caches {
        kib: leaf.ecx >> 16,
        tlb_pages: (leaf.ebx >> 16 & 0xfff) + (leaf.ebx & 0xfff),
    }
}

/// The last cache of leaf 4: Linux's `init_intel_cacheinfo`.
pub fn last_cache(cpuid: Cpuid<'_>) -> Caches {
    let mut best = (0, 0);
    if cpuid(0, 0).eax >= 4 {
        // A processor has at most four levels of two caches; the list ends with type 0.
        for index in 0..8 {
            let leaf = cpuid(4, index);
            if leaf.eax & 0x1f == 0 {
                break;
            }
            let (level, sets) = (leaf.eax >> 5 & 7, u64::from(leaf.ecx) + 1);
            let field = |shift: u32, mask: u32| u64::from(leaf.ebx >> shift & mask) + 1;
            let kib = (field(22, 0x3ff) * field(12, 0x3ff) * field(0, 0xfff) * sets) >> 10;
            best = best.max((level, u32::try_from(kib).unwrap_or(u32::MAX)));
        }
    }
    Caches { kib: best.1, tlb_pages: 0 }
}

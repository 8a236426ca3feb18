//! Processors that no emulator here has, told to [`identify`](super::common) leaf by leaf.
#![cfg(CONFIG_KUNIT)]

use super::bugs::{ArchCapabilities, Bugs, speculation};
use super::common::identify;
use super::cpuid::CpuIdResult;
use crate::prelude::*;

/// Leaf, EAX, EBX, ECX, EDX; what is not there reads as 0.
type Leaves = [(u32, [u32; 4])];

fn answer(leaves: &Leaves, leaf: u32) -> CpuIdResult {
    let [eax, ebx, ecx, edx] = leaves.iter().find(|entry| entry.0 == leaf).map_or([0; 4], |entry| entry.1);
    CpuIdResult { eax, ebx, ecx, edx }
}

/// EBX, ECX and EDX of leaf 0 for a vendor.
fn leaf_0(level: u32, vendor: &[u8; 12]) -> (u32, [u32; 4]) {
    let part = |at: usize| u32::from_le_bytes([vendor[at], vendor[at + 1], vendor[at + 2], vendor[at + 3]]);
    (0, [level, part(0), part(8), part(4)])
}

#[ktest]
fn a_zhaoxin_counts_its_extended_model() {
    let leaves = [
        leaf_0(0xd, b"  Shanghai  "),
        (1, [0x0003_07b0, 0x0000_0800, 0, 1 << 19]),
        (0xc000_0000, [0xc000_0004, 0, 0, 0]),
        (0xc000_0001, [0, 0, 0, 0x3fcc]),
    ];
    let (cpu, features) = identify(&|leaf, _| answer(&leaves, leaf));
    assert_eq!((cpu.vendor.name, cpu.family, cpu.model, cpu.stepping), ("zhaoxin", 7, 0x3b, 0));
    assert!(features.contains(named!("ace2_en")) && features.contains(named!("pmm")));
    let bugs = speculation(&cpu, &features, ArchCapabilities::empty());
    assert!(bugs.contains(Bugs::SPECTRE_V1) && !bugs.intersects(Bugs::SPECTRE_V2 | Bugs::SWAPGS));
}

#[ktest]
fn a_processor_that_nobody_declared_is_still_one() {
    let (cpu, features) = identify(&|leaf, _| answer(&[leaf_0(1, b"EricssonMind"), (1, [0x0f12, 0, 0, 0])], leaf));
    assert_eq!((cpu.family, cpu.model, cpu.stepping), (0xf, 1, 2));
    assert_eq!(
        (cpu.phys_bits, cpu.virt_bits, cpu.clflush_size, cpu.extended_cpuid_level),
        (36, 48, 64, 0)
    );
    assert!(features.iter().eq([named!("nopl"), named!("cpuid")]));
}

#[ktest]
fn leaves_behind_the_last_one_are_not_asked_for() {
    for level in 0..0x20 {
        let leaf_0 = [leaf_0(level, b"GenuineIntel")];
        identify(&|leaf, _| {
            assert!(leaf <= level || leaf == 0x8000_0000, "leaf {leaf:#x} of {level:#x}");
            answer(&leaf_0, leaf)
        });
    }
}

#[ktest]
fn a_feature_goes_with_the_leaf_that_describes_it() {
    let leaves = [
        leaf_0(1, b"GenuineIntel"),
        (1, [0x0000_06fb, 0, 1 << 3 | 1 << 18 | 1 << 26 | 1 << 28, 0]),
    ];
    let (_, features) = identify(&|leaf, _| answer(&leaves, leaf));
    for name in [named!("monitor"), named!("dca"), named!("xsave"), named!("avx")] {
        assert!(!features.contains(name), "{name}");
    }
}

#[ktest]
fn what_a_processor_says_of_itself_counts_against_the_lists() {
    let skylake = [
        leaf_0(0x16, b"GenuineIntel"),
        (1, [0x0005_06e3, 0, 1 << 30, 0]),
        (7, [0, 1 << 11, 0, 1 << 29]),
    ];
    let (cpu, features) = identify(&|leaf, _| answer(&skylake, leaf));
    let open = speculation(&cpu, &features, ArchCapabilities::empty());
    let expected = Bugs::CPU_MELTDOWN | Bugs::SPECTRE_V1 | Bugs::SPECTRE_V2 | Bugs::SPEC_STORE_BYPASS | Bugs::L1TF | Bugs::MDS;
    let expected = expected | Bugs::SWAPGS | Bugs::TAA | Bugs::ITLB_MULTIHIT | Bugs::SRBDS | Bugs::MMIO_STALE_DATA | Bugs::RETBLEED;
    assert_eq!(open, expected);
    let says = ArchCapabilities::all() - ArchCapabilities::RSBA;
    let listed = Bugs::SPECTRE_V1 | Bugs::SPECTRE_V2 | Bugs::SWAPGS | Bugs::SRBDS | Bugs::RETBLEED;
    assert_eq!(speculation(&cpu, &features, says), listed);
}

#[ktest]
fn an_atom_in_order_speculates_nothing() {
    let bonnell = [leaf_0(0xa, b"GenuineIntel"), (1, [0x0001_06ca, 0, 0, 0])];
    let (cpu, features) = identify(&|leaf, _| answer(&bonnell, leaf));
    assert_eq!(speculation(&cpu, &features, ArchCapabilities::empty()), Bugs::empty());
}

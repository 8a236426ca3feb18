//! Making a CPU ready for the kernel: its descriptor tables, its exception stacks, its protections.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::entry_area;
use super::features::{boot_cpu_has, feature};
use crate::arch::x86::registers::{self, Cr4};
use crate::arch::x86::segment::{self, CPU_TSS, Ist};
use crate::percpu::smp_processor_id;
use crate::prelude::*;

#[percpu]
static INITIALIZED: AtomicBool = AtomicBool::new(false);

/// The bits of CR4 that every CPU gets: Linux's `mmu_cr4_features`.
static CR4_FEATURES: AtomicU64 = AtomicU64::new(0);

/// Gives this CPU its task-state segment, its exception stacks and its protections: Linux's `cpu_init`.
///
/// # Panics
///
/// If the CPU has been through this before, or if there is no memory for its stacks.
pub fn cpu_init() {
    let cpu = smp_processor_id();
    assert!(
        !INITIALIZED.with_this_cpu(|initialized| initialized.swap(true, Relaxed)),
        "CPU#{cpu} already initialized!"
    );
    if let Err(error) = entry_area::map_exception_stacks(cpu) {
        panic!("CPU#{cpu}: no memory for exception stacks ({error})");
    }
    CPU_TSS.with_this_cpu(|tss| {
        for ist in Ist::ALL {
            tss.set_ist(ist, entry_area::exception_stack(cpu, ist).end as u64);
        }
    });
    // SAFETY: the table is this CPU's since `smp_prepare_boot_cpu`, the stacks are fresh memory of its own, and the guard above lets nobody in twice.
    unsafe { segment::load_tr() };
    set_cr4_features();
}

/// Switches on the protections that the CPU has.
fn set_cr4_features() {
    let wanted = [
        (feature::SMEP, Cr4::SMEP),
        (feature::SMAP, Cr4::SMAP),
        (feature::UMIP, Cr4::UMIP),
        (feature::FSGSBASE, Cr4::FSGSBASE),
        (feature::PGE, Cr4::PGE),
        (feature::MCE, Cr4::MCE),
    ];
    let bits = wanted
        .into_iter()
        .filter(|&(feature, _)| boot_cpu_has(feature))
        .fold(Cr4::empty(), |bits, (_, bit)| bits | bit);
    CR4_FEATURES.store(bits.bits(), Relaxed);
    // SAFETY: the CPU has each of the features. Nothing of the kernel is mapped for user code, so neither SMEP nor SMAP stands in its way.
    unsafe { registers::write_cr4(registers::cr4() | bits.bits()) };
}

/// The bits of CR4 that [`cpu_init`] set on the boot CPU.
#[must_use]
pub fn cr4_features() -> Cr4 {
    Cr4::from_bits_truncate(CR4_FEATURES.load(Relaxed))
}

#[ktest]
fn each_exception_has_a_stack_of_its_own() {
    CPU_TSS.with_this_cpu(|tss| {
        let mut tops = Ist::ALL.map(|ist| tss.ist(ist) as usize);
        tops.sort_unstable();
        assert!(tops.windows(2).all(|pair| pair[1] - pair[0] >= entry_area::EXCEPTION_STACK_SIZE));
        assert_eq!(tss.ist(Ist::None), 0);
    });
}

#[ktest]
fn the_protections_that_the_cpu_has_are_on() {
    let cr4 = Cr4::from_bits_truncate(registers::cr4());
    assert!(cr4.contains(cr4_features()));
    for (feature, bit) in [(feature::SMEP, Cr4::SMEP), (feature::SMAP, Cr4::SMAP), (feature::UMIP, Cr4::UMIP)] {
        assert_eq!(cr4.contains(bit), boot_cpu_has(feature), "{bit:?}");
    }
}

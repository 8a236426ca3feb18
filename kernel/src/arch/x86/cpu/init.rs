//! Making a CPU ready for the kernel: its descriptor tables, its exception stacks, its protections.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::entry_area;
use super::features::{boot_cpu_has, feature};
use crate::arch::x86::registers::{self, Cr4};
use crate::arch::x86::segment::{self, CPU_TSS, Ist};
use crate::arch::x86::{fpu, msr};
use crate::mm::{PAGE_SIZE, memblock};
use crate::percpu::smp_processor_id;
use crate::prelude::*;

#[percpu]
static INITIALIZED: AtomicBool = AtomicBool::new(false);

/// What CR4 holds on the boot CPU.
#[cfg(CONFIG_SMP)]
static BOOT_CR4: AtomicU64 = AtomicU64::new(0);

/// The bits of CR4 that every CPU gets: Linux's `mmu_cr4_features`.
static CR4_FEATURES: AtomicU64 = AtomicU64::new(0);

/// Gives the boot CPU its exception stacks, its task-state segment and its protections: Linux's `cpu_init`, as `trap_init` calls it.
///
/// # Panics
///
/// If there is no memory for the stacks.
#[init]
pub fn cpu_init() {
    let cpu = smp_processor_id();
    let stacks = memblock::alloc(entry_area::EXCEPTION_STACKS_SIZE as u64, PAGE_SIZE as u64).map(|memory| {
        // SAFETY: the memory was allocated for this.
        unsafe { entry_area::map_exception_stacks(cpu, memory.0) }
    });
    if let Err(error) = stacks.flatten() {
        panic!("CPU#{cpu}: no memory for exception stacks ({error})");
    }
    load_task_state();
    set_cr4_features();
    fpu::init_system();
}

/// Gives a CPU that has just begun its task-state segment and the protections of the boot CPU: Linux's `cpu_init`, as `start_secondary` calls it. Its exception stacks are mapped.
#[cfg(CONFIG_SMP)]
pub fn cpu_init_secondary() {
    // SAFETY: the CPUs are of a kind, or the bits that this one lacks fault here, before it is used.
    unsafe { registers::write_cr4(registers::cr4() | BOOT_CR4.load(Relaxed)) };
    fpu::init_secondary();
    load_task_state();
}

/// Notes what the boot CPU has switched on, for the others.
#[cfg(CONFIG_SMP)]
pub fn note_boot_cr4() {
    BOOT_CR4.store(registers::cr4(), Relaxed);
}

/// Makes this CPU use its exception stacks.
///
/// # Panics
///
/// If the CPU has been through this since it began.
fn load_task_state() {
    let cpu = smp_processor_id();
    assert!(
        !INITIALIZED.with_this_cpu(|initialized| initialized.swap(true, Relaxed)),
        "CPU#{cpu} already initialized!"
    );
    CPU_TSS.with_this_cpu(|tss| {
        for ist in Ist::ALL {
            tss.set_ist(ist, entry_area::exception_stack(cpu, ist).end as u64);
        }
    });
    // SAFETY: the descriptor table is this CPU's, the stacks are memory of its own, and the guard above lets nobody in twice.
    unsafe { segment::load_tr() };
    clear_ldt();
    // SAFETY: what `swapgs` exchanges the kernel's base with is nobody's yet.
    unsafe { msr::wrmsr(msr::IA32_KERNEL_GS_BASE, 0) };
}

/// Leaves this CPU without a local descriptor table, which only user code ever has: Linux's `clear_LDT`.
fn clear_ldt() {
    // SAFETY: no segment in use comes from a local table.
    unsafe { asm!("lldt {:x}", in(reg) 0_u16, options(nostack, preserves_flags)) };
}

/// Notes that this CPU stops, and is to be made ready again when it begins anew.
#[cfg(CONFIG_SMP)]
pub fn forget() {
    INITIALIZED.this_cpu_write(false);
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

#[ktest]
fn there_is_no_local_descriptor_table_and_nothing_to_swap_gs_with() {
    assert_eq!((registers::sldt(), msr::rdmsr(msr::IA32_KERNEL_GS_BASE)), (0, 0));
}

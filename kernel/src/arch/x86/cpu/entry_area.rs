//! What each CPU needs at once when an exception comes: its exception stacks, at addresses of their own with unmapped pages between them (Linux's
//! `cpu_entry_area`).
//!
//! A stack that runs over runs into the page below it, which nothing is mapped at: the fault that this is has a name, and the neighbour's data are whole.

use core::ops::Range;

use super::masks::NR_CPUS;
use crate::arch::x86::mm::kernel_map;
use crate::arch::x86::mm::pgtable::Flags;
use crate::arch::x86::segment::Ist;
use crate::mm::PAGE_SIZE;
use crate::prelude::*;

/// Where the areas start: Linux's `CPU_ENTRY_AREA_BASE`.
const CPU_ENTRY_AREA: usize = 0xffff_fe00_0000_0000;

/// Bytes of each exception stack: Linux's `EXCEPTION_STKSZ`.
pub const EXCEPTION_STACK_SIZE: usize = 2 * PAGE_SIZE;

/// Bytes from one stack to the next: a stack and its guard page.
const STRIDE: usize = PAGE_SIZE + EXCEPTION_STACK_SIZE;

/// The addresses of a CPU's stack. The page before them is its guard.
#[must_use]
pub fn exception_stack(cpu: usize, ist: Ist) -> Range<usize> {
    let number = cpu * Ist::ALL.len() + (ist as usize).saturating_sub(1);
    let begin = CPU_ENTRY_AREA + number * STRIDE + PAGE_SIZE;
    begin..begin + EXCEPTION_STACK_SIZE
}

/// From where the stacks of a number of CPUs begin to where they end.
#[init]
#[must_use]
pub fn span(cpus: usize) -> Range<usize> {
    CPU_ENTRY_AREA..CPU_ENTRY_AREA + cpus * Ist::ALL.len() * STRIDE
}

/// Whether `address` lies where the exception stacks of some CPU are, or would be.
#[must_use]
pub fn is_exception_stack(address: usize) -> bool {
    (CPU_ENTRY_AREA..CPU_ENTRY_AREA + NR_CPUS * Ist::ALL.len() * STRIDE).contains(&address)
}

/// Bytes of all exception stacks of a CPU.
pub const EXCEPTION_STACKS_SIZE: usize = EXCEPTION_STACK_SIZE * Ist::ALL.len();

/// Gives `cpu` its exception stacks: [`EXCEPTION_STACKS_SIZE`] bytes at physical address `memory`. Once for each CPU.
///
/// # Errors
///
/// `ENOMEM`, without memory for a page table.
///
/// # Safety
///
/// The memory must be nobody else's from here on.
pub unsafe fn map_exception_stacks(cpu: usize, memory: u64) -> Result<(), Errno> {
    for (ist, phys) in Ist::ALL.into_iter().zip((memory..).step_by(EXCEPTION_STACK_SIZE)) {
        let start = exception_stack(cpu, ist).start;
        // SAFETY: the addresses are this stack's alone, and the caller gives the memory up.
        unsafe { kernel_map::map_range(start, phys, EXCEPTION_STACK_SIZE, Flags::READ_WRITE, false)? };
    }
    Ok(())
}

#[ktest]
fn every_exception_stack_has_a_guard_page() {
    use crate::arch::x86::mm::pgtable::lookup;
    let is_mapped = |address| lookup(address).is_some_and(|(entry, _)| entry.is_present());
    for ist in Ist::ALL {
        let stack = exception_stack(crate::percpu::smp_processor_id(), ist);
        assert!(!is_mapped(stack.start - 1) && is_mapped(stack.start) && is_mapped(stack.end - 1) && !is_mapped(stack.end));
    }
}

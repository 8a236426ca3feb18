//! Exceptions that one instruction raises, without preparation.

use core::arch::asm;

use incipit::arch::x86::cpu::boot_cpu;
use incipit::arch::x86::mm::pgtable::{Entry, Flags};
use incipit::mm::PAGE_OFFSET;

use crate::access;
use crate::crashpoints::{Outcome, SURVIVED};
use crate::window::Window;

/// A kernel address where nothing is mapped: the page below the direct map.
pub const UNMAPPED: usize = PAGE_OFFSET - 0x1000;
/// An address that the processor cannot translate: bits 63 to 47 differ.
pub const NOT_CANONICAL: usize = 0x8000_0000_0000_0000;
/// Rights of protection keys (SDM 4, table 2-2), and a value with reserved bits: with or without the register, writing this faults.
pub const IA32_PKRS: u32 = 0x6e1;
pub const BAD_PKRS: u64 = 1 << 32;

#[inline(never)]
pub fn divide_error() -> Outcome {
    // SAFETY: the instruction faults.
    unsafe { asm!("div {zero}", zero = in(reg) 0_u64, inout("rax") 1_u64 => _, inout("rdx") 0_u64 => _, options(nomem, nostack)) };
    SURVIVED
}

/// Functions around one `int`: the processor pushes a frame without an error code, in kernel mode for any vector.
macro_rules! software_interrupts {
    ($($(#[$doc:meta])* $name:ident: $vector:literal => $outcome:expr;)*) => {$(
        $(#[$doc])*
        #[inline(never)]
        pub fn $name() -> Outcome {
            // SAFETY: the handler either reports an oops or comes back with all registers as they were.
            unsafe { asm!(concat!("int ", $vector)) };
            $outcome
        }
    )*};
}

software_interrupts! {
    breakpoint: 3 => SURVIVED;
    overflow: 4 => SURVIVED;
    bounds: 5 => SURVIVED;
    coproc_overrun: 9 => SURVIVED;
    /// Not defined by any processor; old ones could raise it by mistake.
    spurious: 15 => Ok(());
    virtualization: 20 => Ok(());
    reserved_22: 22 => Ok(());
    reserved_23: 23 => Ok(());
    reserved_24: 24 => Ok(());
    reserved_25: 25 => Ok(());
    reserved_26: 26 => Ok(());
    reserved_27: 27 => Ok(());
    hv_injection: 28 => Ok(());
    reserved_31: 31 => Ok(());
    /// The system calls of 32-bit programs, which the kernel itself has no use for.
    system_call: 128 => SURVIVED;
    /// A vector of devices that no device uses.
    unexpected_interrupt: 239 => Ok(());
}

#[inline(never)]
pub fn invalid_opcode() -> Outcome {
    // SAFETY: the instruction faults.
    unsafe { asm!("ud2", options(nomem, nostack)) };
    SURVIVED
}

#[inline(never)]
pub fn general_protection() -> Outcome {
    // SAFETY: the access faults.
    unsafe { access::read(NOT_CANONICAL) };
    SURVIVED
}

#[inline(never)]
pub fn general_protection_msr() -> Outcome {
    // SAFETY: the instruction faults.
    unsafe { asm!("wrmsr", in("ecx") IA32_PKRS, in("eax") BAD_PKRS as u32, in("edx") (BAD_PKRS >> 32) as u32, options(nostack)) };
    SURVIVED
}

#[inline(never)]
pub fn page_fault_read() -> Outcome {
    // SAFETY: the access faults.
    unsafe { access::read(UNMAPPED) };
    SURVIVED
}

#[inline(never)]
pub fn page_fault_write() -> Outcome {
    // SAFETY: the access faults.
    unsafe { access::write(UNMAPPED, 0) };
    SURVIVED
}

#[inline(never)]
pub fn page_fault_exec() -> Outcome {
    // SAFETY: the call faults.
    unsafe { access::call(UNMAPPED) };
    SURVIVED
}

/// Reads through a page table entry with its highest address bit set, which this processor has no address line for.
#[inline(never)]
pub fn page_fault_reserved() -> Outcome {
    const HIGHEST: u32 = 51;
    if u32::from(boot_cpu().phys_bits) > HIGHEST {
        return Err("this processor has no reserved bits: its addresses have 52");
    }
    let Some(window) = Window::open(Entry::new(1 << HIGHEST, Flags::READ_ONLY)) else {
        return Err("the window is in use");
    };
    // SAFETY: the access faults.
    unsafe { access::read(window.address()) };
    SURVIVED
}

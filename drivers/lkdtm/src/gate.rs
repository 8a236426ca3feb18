//! Exceptions with an error code that this processor cannot be made to raise in kernel mode: their frame is built by hand.
//!
//! `int n` pushes no error code, and the handlers of these vectors expect one. What is built is what the processor would push (SDM 3, 6.14.2): the stack
//! aligned to 16 bytes, SS, RSP, RFLAGS, CS, RIP, the error code, with interrupts off behind it.

use core::arch::asm;

use incipit::arch::x86::segment::{KERNEL_CS, KERNEL_DS};
use x86::dtables::{DescriptorTablePointer, sidt};

use crate::crashpoints::{Outcome, SURVIVED};

/// Bytes of a gate.
const GATE_SIZE: usize = 16;

/// The code that the gate of `vector` leads to, from the table that this CPU uses.
fn handler(vector: u8) -> u64 {
    let mut table = DescriptorTablePointer::<[u64; 2]>::default();
    // SAFETY: only stores where the table is.
    unsafe { sidt(&mut table) };
    let gate = table.base.wrapping_byte_add(usize::from(vector) * GATE_SIZE);
    // SAFETY: the table has 256 gates, which do not change after the boot's beginning.
    let [low, high] = unsafe { gate.read_volatile() };
    (low & 0xffff) | (low >> 32 & 0xffff_0000) | high << 32
}

/// Enters the handler of `vector` as if the exception had come behind this instruction. For vectors that use the interrupted stack.
#[inline(always)]
fn raise(vector: u8, error_code: u64) {
    // SAFETY: the handler finds the frame of an exception, and if it comes back it does so with all registers and the stack as they were.
    unsafe {
        asm!(
            "mov {frame}, rsp",
            "and rsp, -16",
            "push {ss}",
            "push {frame}",
            "pushfq",
            "push {cs}",
            "lea {frame}, [rip + 2f]",
            "push {frame}",
            "push {error_code}",
            "cli",
            "jmp {handler}",
            "2:",
            ss = const KERNEL_DS,
            cs = const KERNEL_CS,
            frame = out(reg) _,
            error_code = in(reg) error_code,
            handler = in(reg) handler(vector),
        );
    }
}

/// Raised by accesses of user code only (SDM 3, 6.15).
#[inline(never)]
pub fn alignment() -> Outcome {
    raise(17, 0);
    SURVIVED
}

/// A return address that does not match the shadow stack: error code 1. Nothing here uses shadow stacks.
#[inline(never)]
pub fn control_protection() -> Outcome {
    raise(21, 1);
    Ok(())
}

/// An intercepted CPUID in an encrypted guest (AMD64 manual 2, 15.35.5): error code 0x72.
#[inline(never)]
pub fn vmm_communication() -> Outcome {
    raise(29, 0x72);
    Ok(())
}

/// A redirected INIT (AMD64 manual 2, 15.28): error code 1.
#[inline(never)]
pub fn security() -> Outcome {
    raise(30, 1);
    Ok(())
}

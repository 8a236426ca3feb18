//! Exceptions of floating point. The kernel itself never uses it, so its state is nobody's.

use core::arch::asm;

use incipit::arch::x86::registers::{cr0, cr4, write_cr0, write_cr4};

use crate::crashpoints::{Outcome, SURVIVED};

/// Bits of CR0 (SDM 3, 2.5): `fwait` obeys TS; x87 instructions are emulated; another task's state is loaded; x87 errors are exceptions rather than interrupts.
pub const MP: u64 = 1 << 1;
pub const EM: u64 = 1 << 2;
pub const TS: u64 = 1 << 3;
pub const NE: u64 = 1 << 5;
/// Bits of CR4: SSE instructions work; SSE errors are exceptions of their own.
const OSFXSR: u64 = 1 << 9;
const OSXMMEXCPT: u64 = 1 << 10;

/// The x87 control word of reset, with division by zero unmasked (SDM 1, 8.1.5).
pub const X87_DIVISION_UNMASKED: u16 = 0x037f & !(1 << 2);
/// The same of MXCSR (SDM 1, 10.2.3).
const MXCSR_DIVISION_UNMASKED: u32 = 0x1f80 & !(1 << 9);
const MXCSR_DEFAULT: u32 = 0x1f80;

/// Sets and clears bits of CR0 that concern floating point alone.
fn change_cr0(set: u64, clear: u64) {
    // SAFETY: the callers name bits of floating point only, which nothing else uses.
    unsafe { write_cr0((cr0() & !clear) | set) };
}

/// Comes back: the handler takes TS away again, and the instruction is repeated.
#[inline(never)]
pub fn device_not_available() -> Outcome {
    change_cr0(TS, EM);
    // SAFETY: resets a state that nobody uses, or faults.
    unsafe { asm!("fninit", options(nomem, nostack)) };
    if cr0() & TS == 0 { Ok(()) } else { Err("CR0.TS is still set") }
}

#[inline(never)]
pub fn device_emulated() -> Outcome {
    change_cr0(EM, TS);
    // SAFETY: resets a state that nobody uses, or faults.
    unsafe { asm!("fninit", options(nomem, nostack)) };
    change_cr0(0, EM);
    SURVIVED
}

/// An x87 error is kept until the next x87 instruction that waits, which is the one that faults.
#[inline(never)]
pub fn math() -> Outcome {
    change_cr0(NE | MP, EM | TS);
    // SAFETY: uses a state that nobody else uses; the last instruction faults.
    unsafe {
        asm!("fninit", "fldcw word ptr [{control}]", "fld1", "fldz", "fdivp", "fwait",
            // With the next instruction right behind it, a disassembler would take the two for one.
            "nop", "fninit",
            control = in(reg) &X87_DIVISION_UNMASKED, options(nostack, readonly));
    }
    SURVIVED
}

/// An emulator may have no unmasked SSE errors; the exception is raised as an interrupt then, whose frame is the same.
#[inline(never)]
pub fn simd() -> Outcome {
    change_cr0(NE | MP, EM | TS);
    // SAFETY: every x86-64 processor has SSE; switching it on changes nothing for code that does not use it.
    unsafe { write_cr4(cr4() | OSFXSR | OSXMMEXCPT) };
    // SAFETY: uses a state that nobody else uses; the division faults, or the interrupt does.
    unsafe {
        asm!("ldmxcsr dword ptr [{unmasked}]", "xorps xmm0, xmm0", "movss xmm1, dword ptr [{one}]", "divss xmm1, xmm0",
            "ldmxcsr dword ptr [{default}]", "int 19",
            unmasked = in(reg) &MXCSR_DIVISION_UNMASKED, default = in(reg) &MXCSR_DEFAULT, one = in(reg) &1.0_f32);
    }
    SURVIVED
}

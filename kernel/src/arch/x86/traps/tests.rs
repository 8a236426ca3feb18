//! Tests that raise exceptions on purpose and live on.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::*;
use crate::arch::x86::traps::debug::set_hook;

static SEEN: AtomicU64 = AtomicU64::new(0);

/// Counts breakpoints in the low half and single steps in the high half, and takes single-stepping back.
fn count(regs: &mut PtRegs, vector: Vector) -> bool {
    SEEN.fetch_add(if vector == Vector::Breakpoint { 1 } else { 1 << 32 }, Relaxed);
    regs.flags &= !crate::arch::x86::irqflags::X86_EFLAGS_TF;
    true
}

#[ktest]
fn a_breakpoint_that_somebody_claims_is_survived_with_all_registers() {
    SEEN.store(0, Relaxed);
    let before = set_hook(Some(count));
    let mut registers: [u64; 4] = [0x1111, 0x2222, 0x3333, 0x4444];
    // SAFETY: the exception returns behind the instruction.
    unsafe {
        asm!("int3", inout("rax") registers[0], inout("rcx") registers[1], inout("rdi") registers[2], inout("r11") registers[3]);
    }
    set_hook(before);
    assert_eq!(SEEN.load(Relaxed), 1);
    assert_eq!(registers, [0x1111, 0x2222, 0x3333, 0x4444]);
}

#[ktest]
fn a_single_step_reaches_its_hook_once() {
    SEEN.store(0, Relaxed);
    let before = set_hook(Some(count));
    // SAFETY: sets the trap flag; the hook clears it after the next instruction.
    unsafe { asm!("pushfq", "or qword ptr [rsp], 0x100", "popfq", "nop", "nop") };
    set_hook(before);
    assert_eq!(SEEN.load(Relaxed), 1 << 32);
}

/// Divides by zero and says what RAX holds afterwards: an entry of type FAULT puts the vector there.
fn divide_by_zero() -> u64 {
    let ax: u64;
    // SAFETY: the fault goes on at the label.
    unsafe {
        asm!(
            "xor edx, edx",
            "xor ecx, ecx",
            "2: div rcx",
            "3:",
            ".pushsection __ex_table, \"a\"",
            ".balign 4",
            ".long 2b - .",
            ".long 3b - .",
            ".long 2",
            ".popsection",
            inout("rax") 77_u64 => ax,
            out("rcx") _,
            out("rdx") _,
        );
    }
    ax
}

#[ktest]
fn a_division_by_zero_with_a_fixup_goes_on_there() {
    assert_eq!(divide_by_zero(), Vector::DivideError as u64);
}

#[ktest]
fn a_vector_without_handler_is_survived() {
    // SAFETY: the gate leads to the report of interrupts that nobody asked for.
    unsafe { asm!("int 0xef") };
}

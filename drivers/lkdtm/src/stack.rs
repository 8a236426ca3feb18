//! Crash points that leave the stack.

use core::arch::asm;
use core::hint::black_box;

use incipit::mm::sections;

use crate::access;
use crate::crashpoints::{Outcome, SURVIVED};
use crate::instructions::UNMAPPED;

/// Bytes that each call of the recursion takes at the least: Linux's `REC_STACK_SIZE`.
const FRAME_SIZE: usize = 512;

#[inline(never)]
pub fn exhaust_stack() -> Outcome {
    black_box(recursive_loop(2 * sections::INIT_STACK_SIZE / FRAME_SIZE));
    SURVIVED
}

/// Calls itself `remaining` times, with a buffer on the stack that is used behind the inner call, so that no compiler makes a loop of it.
#[inline(never)]
fn recursive_loop(remaining: usize) -> usize {
    let mut buffer = black_box([remaining as u8; FRAME_SIZE]);
    let deeper = if remaining == 0 { 0 } else { recursive_loop(remaining - 1) };
    deeper + usize::from(black_box(&mut buffer)[0])
}

#[inline(never)]
pub fn stack_guard_page_leading() -> Outcome {
    // SAFETY: below the stack lies the guard page, which is not mapped.
    unsafe { access::read(sections::boot_stack().start_address() - 8) };
    SURVIVED
}

/// The page fault of the push cannot be delivered to the same stack: the processor turns it into a double fault, which has a stack of its own.
#[inline(never)]
pub fn double_fault() -> Outcome {
    // SAFETY: a double fault is an oops. If the push went through, the stack pointer is back before the compiler's code goes on.
    unsafe {
        asm!("mov {saved}, rsp", "mov rsp, {unmapped}", "push rax", "mov rsp, {saved}", saved = out(reg) _, unmapped = in(reg) UNMAPPED + 0x800)
    };
    SURVIVED
}

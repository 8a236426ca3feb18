//! Where a thread of execution begins: with a function, on a stack that has nothing on it.

use core::arch::naked_asm;

use crate::mm::sections::Section;

/// Calls `entry` on the empty stack `stack`, and does not come back.
///
/// What the caller and its callers have on their stack is given up. If that is the same one, it is overwritten.
///
/// # Safety
///
/// The stack must be writable memory that nothing uses but the caller, whose values nothing may refer to any more.
pub unsafe fn call_on_empty_stack(stack: Section, entry: extern "C" fn() -> !) -> ! {
    // SAFETY: the caller vouches for the stack; its end is a multiple of a page, so the function finds it aligned as the ABI wants it.
    unsafe { enter(entry, stack.end_address()) }
}

/// The frame pointer 0 tells a backtrace that nobody has called this.
///
/// # Safety
///
/// `stack_end` is the end of a stack as [`call_on_empty_stack`] asks for it, and aligned as the ABI wants a stack before a call.
#[unsafe(naked)]
unsafe extern "C" fn enter(entry: extern "C" fn() -> !, stack_end: usize) -> ! {
    naked_asm!("mov rsp, rsi", "xor ebp, ebp", "call rdi", "ud2")
}

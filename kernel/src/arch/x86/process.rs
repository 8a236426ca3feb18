//! Where a thread of execution begins, with a function, on a stack that has nothing on it; and how a CPU waits that has nothing to do.

use core::arch::naked_asm;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use super::irqflags;
use crate::irq::interrupt_ends;
use crate::mm::kstack::THREAD_SIZE;
use crate::mm::sections::{self, Section};
use crate::prelude::*;

/// Where the stack begins of the task that this CPU runs; 0 is the boot's.
#[percpu]
static TASK_STACK: AtomicUsize = AtomicUsize::new(0);

/// Whether a CPU may stop until an interrupt comes.
static HLT_WORKS_OK: AtomicBool = AtomicBool::new(true);

/// `no-hlt`: a CPU that has nothing to do spins until an interrupt comes, as if `hlt` did not work.
#[early_param("no-hlt")]
#[init]
fn no_hlt(_value: Option<&'static str>) -> Result<(), Errno> {
    HLT_WORKS_OK.store(false, Relaxed);
    Ok(())
}

/// Whether [`default_idle`] stops the CPU.
#[must_use]
pub fn hlt_works_ok() -> bool {
    HLT_WORKS_OK.load(Relaxed)
}

/// Waits for an interrupt: called with interrupts off, comes back with them on. With `no-hlt` it may come back earlier.
#[inline]
pub fn default_idle() {
    interrupt_ends();
    if hlt_works_ok() {
        irqflags::safe_halt();
    } else {
        irqflags::sti();
        core::hint::spin_loop();
    }
}

/// The stack of the task that this CPU runs.
#[must_use]
pub fn task_stack() -> Section {
    match TASK_STACK.this_cpu_read() {
        0 => sections::boot_stack(),
        start => Section::between(start, start + THREAD_SIZE),
    }
}

/// Notes that this CPU has begun on `stack`.
#[cfg(CONFIG_SMP)]
pub(super) fn set_task_stack(stack: Section) {
    TASK_STACK.this_cpu_write(stack.start_address());
}

/// Calls `entry` on the empty stack `stack`, of [`THREAD_SIZE`] bytes, which is the task's from here on, and does not come back.
///
/// What the caller and its callers have on their stack is given up.
///
/// # Safety
///
/// The stack must be writable memory that nothing uses, and nothing may refer to the values on the caller's any more.
pub unsafe fn call_on_empty_stack(stack: Section, entry: extern "C" fn() -> !) -> ! {
    TASK_STACK.this_cpu_write(stack.start_address());
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

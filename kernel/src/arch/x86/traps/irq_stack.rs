//! A stack of its own for each CPU's hard interrupts, so that what they and the softirqs behind them need is not asked of whatever they interrupt (Linux's
//! `hardirq_stack_ptr`).
//!
//! The first interrupt takes the stack; those that interrupt it, which only softirqs let in, stay on it. The stack's highest word leads back to the interrupted one.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::mm::kstack::{KernelStack, THREAD_SIZE};
use crate::prelude::*;

/// Where the stack ends: 0 for a CPU that has none.
#[percpu]
static STACK_END: AtomicUsize = AtomicUsize::new(0);

/// The same while the stack is free, 0 while an interrupt is handled on it: what the entry asks.
#[percpu]
pub(super) static HARDIRQ_STACK_PTR: AtomicUsize = AtomicUsize::new(0);

/// The addresses of this CPU's stack.
#[must_use]
pub fn this_cpu() -> Option<core::ops::Range<usize>> {
    let end = STACK_END.this_cpu_read();
    (end != 0).then(|| end - THREAD_SIZE..end)
}

/// Gives `cpu` its stack, which it keeps when it stops. It does not run yet, or is this one.
///
/// # Errors
///
/// `ENOMEM`; `EINVAL` if there can be no such CPU.
pub fn irq_init_percpu_irqstack(cpu: usize) -> Result<(), Errno> {
    let (end, free) = STACK_END.per_cpu(cpu).zip(HARDIRQ_STACK_PTR.per_cpu(cpu)).ok_or(Errno::EINVAL)?;
    if end.load(Relaxed) == 0 {
        let stack = KernelStack::new()?.leak();
        end.store(stack.end_address(), Relaxed);
        free.store(stack.end_address(), Relaxed);
    }
    Ok(())
}

#[ktest]
fn this_cpu_has_a_stack_for_interrupts_that_is_free() {
    let stack = this_cpu().expect("a stack");
    let here = 0_u8;
    assert!(!stack.contains(&(&raw const here).addr()));
    assert_eq!(HARDIRQ_STACK_PTR.this_cpu_read(), stack.end);
}

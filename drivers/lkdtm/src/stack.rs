//! Crash points that leave the stack.

use core::arch::asm;
use core::hint::black_box;

use incipit::arch::x86::cpu::entry_area;
use incipit::arch::x86::process;
use incipit::arch::x86::segment::Ist;
use incipit::irq_work::IrqWork;
use incipit::mm::kstack::THREAD_SIZE;
use incipit::percpu::smp_processor_id;
use incipit::prelude::*;

use crate::access;
use crate::crashpoints::{Outcome, SURVIVED};
use crate::instructions::UNMAPPED;

/// Bytes that each call of the recursion takes at the least: Linux's `REC_STACK_SIZE`.
const FRAME_SIZE: usize = 512;

#[inline(never)]
pub fn exhaust_stack() -> Outcome {
    black_box(recursive_loop(2 * THREAD_SIZE / FRAME_SIZE));
    SURVIVED
}

/// The same on the stack for interrupts, in work that this CPU is interrupted for.
#[inline(never)]
pub fn exhaust_irq_stack() -> Outcome {
    static WORK: IrqWork = IrqWork::new(|_| {
        let _ = exhaust_stack();
    });
    WORK.queue();
    WORK.sync();
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
    let address = process::task_stack().start_address() - 8;
    pr_info!("lkdtm: attempting bad stack read from page below current stack at {address:#x}");
    // SAFETY: below the stack lies the guard page, which is not mapped.
    unsafe { access::read(address) };
    SURVIVED
}

#[inline(never)]
pub fn stack_guard_page_trailing() -> Outcome {
    let address = process::task_stack().end_address();
    pr_info!("lkdtm: attempting bad stack read from page above current stack at {address:#x}");
    // SAFETY: above the stack lies the guard page of its area, which is not mapped.
    unsafe { access::read(address) };
    SURVIVED
}

#[inline(never)]
pub fn stack_guard_page_exception() -> Outcome {
    let address = entry_area::exception_stack(smp_processor_id(), Ist::Nmi).start - 8;
    pr_info!("lkdtm: attempting bad stack read from page below the NMI stack at {address:#x}");
    // SAFETY: below each exception stack lies its guard page, which is not mapped.
    unsafe { access::read(address) };
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

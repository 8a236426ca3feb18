//! Oopses: kernel code did something that it cannot go on from. Lines and order are Linux's `arch/x86/kernel/dumpstack.c`.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::{PANIC_ON_OOPS, panic, taint, task};
use crate::arch::x86::dumpstack;
use crate::arch::x86::irqflags;
use crate::arch::x86::ptregs::PtRegs;
use crate::prelude::*;
use crate::{irq, preempt, printk};

/// How many oopses there have been.
static DIE_COUNTER: AtomicU32 = AtomicU32::new(0);

/// Oopses that are being reported: an oops inside the report of another is reported too, but the next one is too many.
static NESTING: AtomicU32 = AtomicU32::new(0);
const MAX_NESTING: u32 = 3;

/// The signal that a task dies of: Linux's choice differs with the kind of oops, and shows in init's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGKILL.
    Kill = 9,
    /// SIGSEGV.
    Segv = 11,
}

/// A report that has begun, and must end.
#[must_use = "a report that was begun must be ended"]
pub struct Report(());

/// Begins a report: all that is said from here on is shown.
pub fn begin() -> Report {
    irq::local_irq_disable();
    printk::oops_enter();
    printk::console_verbose();
    printk::close_open_line();
    if NESTING.fetch_add(1, Relaxed) >= MAX_NESTING {
        irqflags::halt_forever();
    }
    Report(())
}

/// Reports that the code with these registers met `title`, with the processor's error code, and ends the task: Linux's `die`.
pub fn die(title: &str, regs: &PtRegs, error_code: u64) -> ! {
    let report = begin();
    report.body(title, regs, error_code);
    report.end(Signal::Segv)
}

impl Report {
    /// Title, registers and backtrace: Linux's `__die`.
    pub fn body(&self, title: &str, regs: &PtRegs, error_code: u64) {
        let number = DIE_COUNTER.fetch_add(1, Relaxed) + 1;
        printk!(Level::Warning, "{title}: {:04x} [#{number}]", error_code & 0xffff);
        dumpstack::show_regs(regs);
        printk!(Level::Warning, "Modules linked in:");
    }

    /// Ends the report and the task that was running, which during the boot is the whole system: Linux's `oops_end`.
    pub fn end(self, signal: Signal) -> ! {
        taint::add(taint::Taint::Die);
        NESTING.fetch_sub(1, Relaxed);
        printk::oops_exit();
        print_end_marker();
        // The report has said where; the place of these lines in the source would only distract.
        if preempt::in_interrupt() {
            panic(format_args!("Fatal exception in interrupt"), None);
        }
        if PANIC_ON_OOPS.load(Relaxed) {
            panic(format_args!("Fatal exception"), None);
        }
        match task::pid() {
            0 => panic(format_args!("Attempted to kill the idle task!"), None),
            _ => panic(format_args!("Attempted to kill init! exitcode={:#010x}", signal as u32), None),
        }
    }
}

/// The line at which tools end a report.
pub fn print_end_marker() {
    pr_warn!("---[ end trace 0000000000000000 ]---");
}

//! Showing registers, code and stacks in Linux's form, for reports and for who asks.

use core::arch::asm;
use core::fmt::Write;
use core::mem::offset_of;

use super::maccess::{copy_from_kernel_nofault, get_kernel_nofault};
use super::ptregs::PtRegs;
use super::segment::Ist;
use super::stacktrace::{Frames, StackInfo, Step, read_regs, stack_of};
use super::{msr, registers};
use crate::init;
use crate::mm::{PAGE_SIZE, sections};
use crate::panic::{Line, ReturnAddress, Symbol, symbols, taint, task};
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::printk;

/// Code bytes shown before the instruction, and behind its first byte.
const PROLOGUE: usize = 42;
const EPILOGUE: usize = 21;

/// The most lines of a backtrace: a stack full of addresses must not scroll the rest away.
const MAX_LINES: usize = 96;

/// Shows who runs, the registers, the code and the backtrace of interrupted code: Linux's `show_regs`.
pub fn show_regs(regs: &PtRegs) {
    if !printk::ENABLED {
        return;
    }
    print_info();
    show_ip(regs);
    show_general_registers(regs);
    show_system_registers(regs);
    show_trace(regs.sp as usize, regs.bp as usize);
}

/// Shows who runs, and the backtrace of the caller: Linux's `dump_stack`.
#[inline(never)]
pub fn dump_stack() {
    if !printk::ENABLED {
        return;
    }
    print_info();
    let (bp, sp): (usize, usize);
    // SAFETY: copies two registers.
    unsafe { asm!("mov {}, rbp", "mov {}, rsp", out(reg) bp, out(reg) sp, options(nomem, nostack, preserves_flags)) };
    show_trace(sp, bp);
}

/// Where the caller of the function that calls this returns to.
#[inline(always)]
#[must_use]
pub fn return_address() -> usize {
    let bp: usize;
    // What asks for a place in the frame is not put before the frame is there; a function that returns early would otherwise read its caller's.
    let in_frame = core::mem::MaybeUninit::<u8>::uninit();
    // SAFETY: copies a register.
    unsafe { asm!("mov {}, rbp", out(reg) bp, in("rcx") (&raw const in_frame).addr(), options(nomem, nostack, preserves_flags)) };
    get_kernel_nofault((bp + 8) as *const u64).unwrap_or(0) as usize
}

/// CPU, task, taint, version, and the declared function that runs.
fn print_info() {
    printk!(
        Level::Warning,
        "CPU: {} PID: {} Comm: {} {} {}",
        smp_processor_id(),
        task::pid(),
        task::comm(),
        taint::Tainted(taint::mask()),
        init::version::VERSION
    );
    #[cfg(CONFIG_DMI)]
    if let Some(name) = crate::dmi::hardware_name() {
        printk!(Level::Warning, "Hardware name: {name}");
    }
    if let Some(current) = init::current() {
        printk!(Level::Warning, "During: {current}");
    }
}

/// The instruction, by name and by its bytes: Linux's `show_ip`.
fn show_ip(regs: &PtRegs) {
    let ip = regs.ip as usize;
    printk!(Level::Warning, "RIP: {:04x}:{}", regs.cs, Symbol(ip));
    let start = ip.wrapping_sub(PROLOGUE);
    let mut code = [0; PROLOGUE + 1 + EPILOGUE];
    if copy_from_kernel_nofault(&mut code, start as *const u8).is_err() {
        printk!(Level::Warning, "Code: Unable to access opcode bytes at {start:#x}.");
        return;
    }
    let mut line = Line::<{ 8 + 3 * 64 }>::new();
    for (index, byte) in code.into_iter().enumerate() {
        // The line has room for all bytes.
        let _ = if index == PROLOGUE {
            write!(line, " <{byte:02x}>")
        } else {
            write!(line, " {byte:02x}")
        };
    }
    printk!(Level::Warning, "Code:{}", line.as_str());
}

fn show_general_registers(regs: &PtRegs) {
    let interrupted_call = regs.orig_ax != u64::MAX;
    if interrupted_call {
        printk!(
            Level::Warning,
            "RSP: {:04x}:{:016x} EFLAGS: {:08x} ORIG_RAX: {:016x}",
            regs.ss,
            regs.sp,
            regs.flags,
            regs.orig_ax
        );
    } else {
        printk!(Level::Warning, "RSP: {:04x}:{:016x} EFLAGS: {:08x}", regs.ss, regs.sp, regs.flags);
    }
    printk!(Level::Warning, "RAX: {:016x} RBX: {:016x} RCX: {:016x}", regs.ax, regs.bx, regs.cx);
    printk!(Level::Warning, "RDX: {:016x} RSI: {:016x} RDI: {:016x}", regs.dx, regs.si, regs.di);
    printk!(Level::Warning, "RBP: {:016x} R08: {:016x} R09: {:016x}", regs.bp, regs.r8, regs.r9);
    printk!(
        Level::Warning,
        "R10: {:016x} R11: {:016x} R12: {:016x}",
        regs.r10,
        regs.r11,
        regs.r12
    );
    printk!(
        Level::Warning,
        "R13: {:016x} R14: {:016x} R15: {:016x}",
        regs.r13,
        regs.r14,
        regs.r15
    );
}

fn show_system_registers(regs: &PtRegs) {
    let base = |msr| msr::rdmsr_safe(msr).unwrap_or(0);
    printk!(
        Level::Warning,
        "FS:  {:016x}({:04x}) GS:{:016x}({:04x}) knlGS:{:016x}",
        base(msr::IA32_FS_BASE),
        registers::fs(),
        base(msr::IA32_GS_BASE),
        registers::gs(),
        base(msr::IA32_KERNEL_GS_BASE)
    );
    printk!(
        Level::Warning,
        "CS:  {:04x} DS: {:04x} ES: {:04x} CR0: {:016x}",
        regs.cs,
        registers::ds(),
        registers::es(),
        registers::cr0()
    );
    printk!(
        Level::Warning,
        "CR2: {:016x} CR3: {:016x} CR4: {:016x}",
        registers::cr2(),
        registers::cr3(),
        registers::cr4()
    );
    let breakpoints = [registers::dr0(), registers::dr1(), registers::dr2(), registers::dr3()];
    let (dr6, dr7) = (registers::dr6(), registers::dr7());
    if breakpoints != [0; 4] || dr6 != registers::DR6_RESERVED || !matches!(dr7, registers::DR7_RESERVED | registers::DR7_DISARMED) {
        let [dr0, dr1, dr2, dr3] = breakpoints;
        printk!(Level::Warning, "DR0: {dr0:016x} DR1: {dr1:016x} DR2: {dr2:016x}");
        printk!(Level::Warning, "DR3: {dr3:016x} DR6: {dr6:016x} DR7: {dr7:016x}");
    }
}

/// Shows the return addresses on the stack from `sp` up, those that the frame pointers confirm plainly and the others behind a `?`: left over, perhaps, but
/// often the only trace of a broken chain. Linux's `show_trace_log_lvl`.
fn show_trace(sp: usize, bp: usize) {
    printk!(Level::Warning, "Call Trace:");
    // Of an overflown stack what is left begins in the next page; where the stack pointer itself is wrong, the frame pointer may be right.
    let starts = [sp & !7, (sp & !(PAGE_SIZE - 1)).wrapping_add(PAGE_SIZE), bp & !7];
    let Some(mut at) = starts.into_iter().find(|&at| stack_of(at).is_some()) else {
        return;
    };
    let mut trace = Trace {
        frames: Frames::new(bp, at),
        expected: None,
        lines: 0,
    };
    trace.expected = trace.frames.next();
    // From the stack of an exception or of interrupts the trace goes on where that struck; no chain is longer than there are stacks.
    for _ in 0..=Ist::ALL.len() + 1 {
        let Some(stack) = stack_of(at) else { return };
        printk!(Level::Warning, " <{}>", stack.name);
        let next = trace.show_stack(at, &stack);
        printk!(Level::Warning, " </{}>", stack.name);
        let Some(sp) = next else { return };
        at = sp;
    }
}

/// A backtrace under way.
struct Trace {
    frames: Frames,
    /// What the frame pointers say comes next.
    expected: Option<Step>,
    lines: usize,
}

impl Trace {
    /// Shows one stack from `start` on, and says where to go on if an exception led to it from another.
    fn show_stack(&mut self, start: usize, stack: &StackInfo) -> Option<usize> {
        let mut interrupted_ip = 0;
        for slot in (start..stack.end).step_by(8) {
            if let Some(Step::Exception { regs: at }) = self.expected
                && slot == at
            {
                let regs = read_regs(at)?;
                show_ip(&regs);
                show_general_registers(&regs);
                interrupted_ip = at + offset_of!(PtRegs, ip);
                self.expected = self.frames.next();
                if !stack.holds(regs.sp as usize, 8) {
                    // Behind the registers there are but the entry's own words.
                    return Some(regs.sp as usize);
                }
            }
            let address = get_kernel_nofault(slot as *const u64).ok()? as usize;
            if slot == interrupted_ip || !sections::is_text(address) {
                continue;
            }
            let reliable = self.expected == Some(Step::Call { slot });
            if reliable {
                self.expected = self.frames.next();
            } else if symbols::is_function(address) {
                // A pointer to a function; a return address leads into one.
                continue;
            }
            if self.lines == MAX_LINES {
                printk!(Level::Warning, " ...");
                return None;
            }
            self.lines += 1;
            printk!(Level::Warning, " {}{}", if reliable { "" } else { "? " }, ReturnAddress(address));
        }
        stack.interrupted()
    }
}

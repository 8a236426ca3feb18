//! Exceptions: what the processor raises when an instruction cannot go on, and what becomes of it.
//!
//! A fault of kernel code is looked up in the exception table first; what is not found there is an oops. One handler serves the faults that differ in
//! nothing but their name; those with a treatment of their own have a file each. Handlers run with interrupts off and may log.

pub mod debug;
pub mod entry;
pub(super) mod fatal;
mod general_protection;
pub mod irq_stack;
mod page_fault;
pub mod paranoid;

use crate::arch::x86::cpu;
use crate::arch::x86::extable::fixup_exception;
use crate::arch::x86::idt;
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::registers::{self, Cr0};
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// The exceptions that the kernel knows by name (SDM 3, table 6-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the manual's")]
pub enum Vector {
    DivideError = 0,
    Debug = 1,
    Nmi = 2,
    Breakpoint = 3,
    Overflow = 4,
    Bounds = 5,
    InvalidOpcode = 6,
    DeviceNotAvailable = 7,
    DoubleFault = 8,
    CoprocessorSegmentOverrun = 9,
    InvalidTss = 10,
    SegmentNotPresent = 11,
    StackSegment = 12,
    GeneralProtection = 13,
    PageFault = 14,
    CoprocessorError = 16,
    AlignmentCheck = 17,
    MachineCheck = 18,
    SimdError = 19,
}

impl Vector {
    /// What a report of an oops calls it: Linux's words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Vector::DivideError => "divide error",
            Vector::Debug => "debug",
            Vector::Nmi => "NMI",
            Vector::Breakpoint => "int3",
            Vector::Overflow => "overflow",
            Vector::Bounds => "bounds",
            Vector::InvalidOpcode => "invalid opcode",
            Vector::DeviceNotAvailable => "unexpected #NM exception",
            Vector::DoubleFault => "double fault",
            Vector::CoprocessorSegmentOverrun => "coprocessor segment overrun",
            Vector::InvalidTss => "invalid TSS",
            Vector::SegmentNotPresent => "segment not present",
            Vector::StackSegment => "stack segment",
            Vector::GeneralProtection => "general protection fault",
            Vector::PageFault => "Oops",
            Vector::CoprocessorError => "fpu exception",
            Vector::AlignmentCheck => "alignment check",
            Vector::MachineCheck => "machine check",
            Vector::SimdError => "simd exception",
        }
    }
}

/// Exceptions are handled, each on the stack that it needs.
#[capability]
pub struct Traps;

/// Gives the exceptions that need one a stack of their own; their gates have been there since the first instructions. Linux's stage of the same name.
#[stage(after(crate::arch::x86::extable::sort_main_extable), provides(Traps))]
#[init]
pub fn trap_init() {
    cpu::init::cpu_init();
    // SAFETY: `cpu_init` has just named the stacks of this CPU; another CPU passes it too before it handles exceptions.
    unsafe { idt::idt_setup_ist_traps() };
}

/// Handles the faults that either have a fixup or are an oops.
extern "C" fn exc_fault(regs: &mut PtRegs, error_code: u64, vector: Vector) {
    if fixup_exception(regs, vector) {
        return;
    }
    if vector == Vector::GeneralProtection {
        general_protection::report(regs, error_code);
    }
    crate::panic::oops::die(vector.name(), regs, error_code)
}

/// Handles a floating-point instruction that the processor refuses. The kernel never sets CR0.TS, so finding it set is worth a warning, and can be mended.
extern "C" fn exc_device_not_available(regs: &mut PtRegs, error_code: u64, vector: Vector) {
    if fixup_exception(regs, vector) {
        return;
    }
    let cr0 = registers::cr0();
    if !crate::warn_on!(cr0 & Cr0::TS.bits() != 0, "CR0.TS was set") {
        crate::panic::oops::die(vector.name(), regs, error_code);
    }
    // SAFETY: the bit concerns floating point alone.
    unsafe { registers::write_cr0(cr0 & !Cr0::TS.bits()) };
}

/// Handles the vectors that no instruction of this kernel raises, or that the manual reserves: reports and goes on.
extern "C" fn exc_reserved(regs: &mut PtRegs, error_code: u64, vector: u64) {
    pr_err!(
        "CPU {}: unexpected exception, vector {vector:#04x}, error code {error_code:#06x}, at {}",
        smp_processor_id(),
        crate::panic::Symbol(regs.ip as usize)
    );
}

/// Handles `int 0x80`: the system calls of 32-bit programs, and Linux's answer to whoever else comes this way.
///
/// # Panics
///
/// Always: the kernel calls nothing through it, so that a device or another CPU has sent the vector.
extern "C" fn exc_int80(_regs: &mut PtRegs, _error_code: u64, _vector: u64) {
    panic!("Unexpected external interrupt 0x80");
}

mod tests;

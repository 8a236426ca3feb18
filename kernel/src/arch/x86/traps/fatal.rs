//! Exceptions that nothing comes back from: double fault, machine check, an overflown stack.

use super::Vector;
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::stacktrace::{self, StackInfo};
use crate::arch::x86::{msr, registers};
use crate::panic::oops;
use crate::percpu::smp_processor_id;
use crate::preempt;
use crate::prelude::*;

/// Handles a double fault, on a stack of its own.
///
/// A push into the guard page below a stack ends here: the processor cannot push the page fault's frame either. CR2 then tells the guard page.
pub(super) extern "C" fn exc_double_fault(regs: &mut PtRegs, error_code: u64, vector: Vector) {
    let address = registers::cr2() as usize;
    preempt::add(preempt::NMI_OFFSET);
    if let Some(stack) = stacktrace::stack_with_guard_page(address) {
        handle_stack_overflow(regs, address, &stack);
    }
    pr_emerg!("PANIC: double fault, error_code: {error_code:#x}");
    oops::die(vector.name(), regs, error_code)
}

/// Reports that `stack` has run into its guard page at `address`.
#[cold]
pub(super) fn handle_stack_overflow(regs: &mut PtRegs, address: usize, stack: &StackInfo) -> ! {
    pr_emerg!(
        "BUG: {} stack guard page was hit at {address:016x} (stack is {:016x}..{:016x})",
        stack.name,
        stack.begin,
        stack.end
    );
    oops::die("stack guard page", regs, 0)
}

/// What the banks have recorded (SDM 3, 16.3.1 and 16.3.2).
const MCG_CAP: u32 = 0x179;
const MCG_STATUS: u32 = 0x17a;
const MC0_STATUS: u32 = 0x401;
const MSRS_PER_BANK: u32 = 4;
const STATUS_VALID: u64 = 1 << 63;

/// Handles a machine check: the hardware is broken, and what it was doing is lost.
pub(super) extern "C" fn exc_machine_check(regs: &mut PtRegs, _error_code: u64, _vector: Vector) {
    preempt::add(preempt::NMI_OFFSET);
    let cpu = smp_processor_id();
    let status = msr::rdmsr_safe(MCG_STATUS).unwrap_or(0);
    let banks = msr::rdmsr_safe(MCG_CAP).map_or(0, |capabilities| capabilities as u32 & 0xff);
    for bank in 0..banks {
        match msr::rdmsr_safe(MC0_STATUS + bank * MSRS_PER_BANK) {
            Ok(error) if error & STATUS_VALID != 0 => {
                pr_emerg!("mce: [Hardware Error]: CPU {cpu}: Machine Check Exception: {status:x} Bank {bank}: {error:016x}");
            }
            _ => {}
        }
    }
    let symbol = crate::panic::Symbol(regs.ip as usize);
    pr_emerg!("mce: [Hardware Error]: RIP {:02x}:<{:016x}> {{{symbol}}}", regs.cs, regs.ip);
    panic!("Fatal machine check");
}

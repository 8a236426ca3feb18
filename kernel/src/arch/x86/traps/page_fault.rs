//! Page faults of kernel code: a fixup, or an oops that says what was accessed and what the page tables hold there.

use super::Vector;
use super::fatal::handle_stack_overflow;
use crate::arch::x86::extable::fixup_exception;
use crate::arch::x86::mm::{dump, pgtable};
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::{registers, stacktrace};
use crate::mm::{PAGE_SIZE, sections};
use crate::panic::{Symbol, oops};
use crate::prelude::*;

/// The page is there, but may not be used in this way.
const PF_PROT: u64 = 1 << 0;
const PF_WRITE: u64 = 1 << 1;
const PF_USER: u64 = 1 << 2;
/// A reserved bit is set in a page table.
const PF_RSVD: u64 = 1 << 3;
const PF_INSTR: u64 = 1 << 4;
const PF_PK: u64 = 1 << 5;

/// Handles a page fault. CR2 is read first: another fault would overwrite it.
pub(super) extern "C" fn exc_page_fault(regs: &mut PtRegs, error_code: u64, vector: Vector) {
    let address = registers::cr2() as usize;
    if !fixup_exception(regs, vector) {
        bad_area(regs, error_code, address);
    }
}

#[cold]
fn bad_area(regs: &mut PtRegs, error_code: u64, address: usize) -> ! {
    if let Some(stack) = stacktrace::stack_with_guard_page(address) {
        handle_stack_overflow(regs, address, &stack);
    }
    let report = oops::begin();
    show_fault(error_code, address);
    report.body(Vector::PageFault.name(), regs, error_code);
    // Once more behind the body, in case its beginning has scrolled away.
    printk!(Level::Warning, "CR2: {address:016x}");
    report.end(oops::Signal::Kill)
}

/// Says what was accessed, how, and why that failed: Linux's `show_fault_oops`.
fn show_fault(error_code: u64, address: usize) {
    let nx = error_code & PF_INSTR != 0 && pgtable::lookup(address).is_some_and(|(entry, _)| entry.is_present() && !entry.is_executable());
    if nx {
        pr_crit!("kernel tried to execute NX-protected page - exploit attempt? (uid: 0)");
    }
    show_freed(error_code, address);
    if address < PAGE_SIZE {
        pr_alert!("BUG: kernel NULL pointer dereference, address: {address:016x}");
    } else {
        pr_alert!("BUG: unable to handle page fault for address: {address:016x}");
    }
    let who = if error_code & PF_USER != 0 { "user" } else { "supervisor" };
    let access = if error_code & PF_INSTR != 0 {
        "instruction fetch"
    } else if error_code & PF_WRITE != 0 {
        "write access"
    } else {
        "read access"
    };
    pr_alert!("#PF: {who} {access} in kernel mode");
    let why = if error_code & PF_PROT == 0 {
        "not-present page"
    } else if error_code & PF_RSVD != 0 {
        "reserved bit violation"
    } else if error_code & PF_PK != 0 {
        "protection keys violation"
    } else {
        "permissions violation"
    };
    pr_alert!("#PF: error_code({error_code:#06x}) - {why}");
    dump::dump_pagetable(address);
}

/// Says so if what was accessed was init memory: then somebody has kept a reference that the build did not see.
fn show_freed(error_code: u64, address: usize) {
    let Some(section) = sections::init_section(address).filter(|_| sections::init_is_freed()) else {
        return;
    };
    let symbol = Symbol(address);
    if error_code & PF_INSTR != 0 {
        pr_crit!("kernel tried to execute freed init function {symbol} (exploit or section mismatch?)");
    } else {
        let verb = if error_code & PF_WRITE != 0 { "write" } else { "read" };
        pr_crit!("kernel tried to {verb} freed init memory: {symbol} ({section})");
    }
}

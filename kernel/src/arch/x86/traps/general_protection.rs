//! General protection faults of kernel code that have no fixup: an oops that names the address, if the instruction had one.

use core::fmt::Write;

use crate::arch::x86::insn;
use crate::arch::x86::maccess::copy_from_kernel_nofault;
use crate::arch::x86::ptregs::PtRegs;
use crate::panic::{Line, oops};
use crate::printk;

/// The last address of the lower canonical half.
const VIRTUAL_MASK: u64 = 0x0000_7fff_ffff_ffff;

/// Reports the fault: Linux's `die_addr` with the hint of `get_kernel_gp_address`.
#[cold]
pub(super) fn report(regs: &mut PtRegs, error_code: u64) -> ! {
    if !printk::ENABLED {
        oops::die("", regs, error_code);
    }
    let mut title = Line::<96>::new();
    // The buffer holds the longest of these.
    let _ = if error_code != 0 {
        title.write_str("segment-related general protection fault")
    } else {
        match hint(regs) {
            Some((address, true)) => write!(title, "general protection fault, probably for non-canonical address {address:#x}"),
            Some((address, false)) => write!(title, "general protection fault, maybe for address {address:#x}"),
            None => title.write_str("general protection fault"),
        }
    };
    oops::die(title.as_str(), regs, error_code)
}

/// The address that the instruction accessed, and whether it is none that the processor can translate.
fn hint(regs: &PtRegs) -> Option<(u64, bool)> {
    let mut bytes = [0; insn::MAX_LENGTH];
    let readable = match copy_from_kernel_nofault(&mut bytes, regs.ip as *const u8) {
        Ok(()) => &bytes[..],
        Err(partial) => &bytes[..partial.copied],
    };
    let address = insn::memory_operand(readable, regs)?;
    Some((address, address > VIRTUAL_MASK && address < !VIRTUAL_MASK))
}

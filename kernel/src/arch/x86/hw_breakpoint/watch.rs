//! What a breakpoint can watch, and how the processor is told.

use crate::arch::x86::cpu::entry_area;
use crate::arch::x86::ptregs::PtRegs;
use crate::mm::sections;
use crate::prelude::*;

/// What raises the exception. Data are reported behind the instruction, code before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Access {
    /// Running the instruction at the address.
    Execute = 0,
    /// Writing.
    Write = 1,
    /// Reading or writing.
    ReadWrite = 3,
}

/// Called in the debug exception, with interrupts off, in any context, on the CPU that has come to the breakpoint.
pub type Handler = fn(&mut PtRegs);

/// Something that can be watched, and what is to be done then.
pub(super) struct Watch {
    pub(super) address: usize,
    pub(super) handler: Handler,
    access: Access,
    /// The length as DR7 has it.
    len: u64,
}

impl Watch {
    /// As [`Breakpoint::new`](super::Breakpoint::new).
    pub(super) fn new(address: usize, len: usize, access: Access, handler: Handler) -> Result<Watch, Errno> {
        let encoded = match len {
            1 => 0,
            2 => 1,
            8 => 2,
            4 => 3,
            _ => return Err(Errno::EINVAL),
        };
        let is_one_instruction = access != Access::Execute || len == 1;
        if !address.is_multiple_of(len) || !is_one_instruction || is_out_of_reach(address) {
            return Err(Errno::EINVAL);
        }
        Ok(Watch {
            address,
            handler,
            access,
            len: encoded,
        })
    }

    /// The bits of DR7 that arm breakpoint `slot` for it (SDM 3, 18.2.4).
    pub(super) fn dr7(&self, slot: usize) -> u64 {
        let globally = 1 << (2 * slot + 1);
        globally | (self.access as u64 | self.len << 2) << (16 + 4 * slot)
    }
}

/// Whether `dr7` has breakpoint `slot` watch code.
pub(super) fn is_code(dr7: u64, slot: usize) -> bool {
    dr7 >> (16 + 4 * slot) & 0b11 == Access::Execute as u64
}

/// Whether a debug exception at an access to `address` would strike before its handler has disarmed the breakpoints, or behind where it arms them again.
fn is_out_of_reach(address: usize) -> bool {
    let is_looked_at = address & !7 == super::tables::looked_at_while_armed();
    is_looked_at || entry_area::is_exception_stack(address) || sections::entry_text().contains(address)
}

//! Breakpoints of the processor's: four addresses for each CPU that raise a debug exception when they are run, written or accessed (SDM 3, 18.2).
//!
//! A breakpoint is this CPU's, and a value: dropping it disarms it. The exception is handled in [`super::traps::debug`], with all breakpoints disarmed.

use core::arch::asm;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

use super::ptregs::PtRegs;
use super::registers::{self, DR7_RESERVED};
use crate::irq::IrqGuard;
use crate::prelude::*;

/// Breakpoints of a CPU.
const HBP_NUM: usize = 4;
/// Resume, in the flags: the next instruction raises no debug exception.
const X86_EFLAGS_RF: u64 = 1 << 16;

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

/// Called in the debug exception, with interrupts off, in any context.
pub type Handler = fn(&mut PtRegs);

/// The handler of each breakpoint of a CPU, null where it is free, and what DR7 holds while none is disarmed.
struct Slots {
    handlers: [AtomicPtr<()>; HBP_NUM],
    dr7: AtomicU64,
}

#[percpu]
static SLOTS: Slots = Slots {
    handlers: [const { AtomicPtr::new(core::ptr::null_mut()) }; HBP_NUM],
    dr7: AtomicU64::new(DR7_RESERVED),
};

/// An armed breakpoint of this CPU. It must be dropped on the CPU that has set it.
#[must_use = "a breakpoint that is dropped is disarmed"]
pub struct Breakpoint {
    slot: usize,
    this_cpu: PhantomData<*const ()>,
}

/// The bits of DR7 that arm breakpoint `slot` (SDM 3, 18.2.4).
fn dr7_bits(slot: usize, access: Access, len: usize) -> Option<u64> {
    let len = match len {
        1 => 0,
        2 => 1,
        8 => 2,
        4 => 3,
        _ => return None,
    };
    let globally = 1 << (2 * slot + 1);
    Some(globally | (access as u64 | len << 2) << (16 + 4 * slot))
}

/// All bits of DR7 that concern breakpoint `slot`.
fn dr7_mask(slot: usize) -> u64 {
    0b11 << (2 * slot) | 0xf << (16 + 4 * slot)
}

impl Breakpoint {
    /// Arms a free breakpoint of this CPU for `access` to the `len` bytes at `address`.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the length is not 1, 2, 4 or 8, if the address is not a multiple of it, if code is watched by more than a byte, or if the address lies in the
    /// entry code or on the exception stacks, where the exception could not be handled; `ENOSPC` if all are in use.
    pub fn new(address: usize, len: usize, access: Access, handler: Handler) -> Result<Breakpoint, Errno> {
        let bits = |slot| dr7_bits(slot, access, len).ok_or(Errno::EINVAL);
        bits(0)?;
        let is_one_instruction = access != Access::Execute || len == 1;
        if !address.is_multiple_of(len) || !is_one_instruction || is_entry(address) {
            return Err(Errno::EINVAL);
        }
        let _no_interrupts = IrqGuard::new();
        SLOTS.with_this_cpu(|slots| {
            let slot = slots
                .handlers
                .iter()
                .position(|handler| handler.load(Relaxed).is_null())
                .ok_or(Errno::ENOSPC)?;
            let dr7 = slots.dr7.load(Relaxed) & !dr7_mask(slot) | bits(slot)?;
            slots.handlers[slot].store(handler as *mut (), Relaxed);
            slots.dr7.store(dr7, Relaxed);
            write_address(slot, address);
            // SAFETY: the exception is handled wherever the address may lie: that is what was asked above.
            unsafe { registers::restore_dr7(dr7) };
            Ok(Breakpoint {
                slot,
                this_cpu: PhantomData,
            })
        })
    }
}

impl Drop for Breakpoint {
    fn drop(&mut self) {
        let _no_interrupts = IrqGuard::new();
        SLOTS.with_this_cpu(|slots| {
            let dr7 = slots.dr7.load(Relaxed) & !dr7_mask(self.slot);
            slots.dr7.store(dr7, Relaxed);
            // SAFETY: arms less than before.
            unsafe { registers::restore_dr7(dr7) };
            slots.handlers[self.slot].store(core::ptr::null_mut(), Relaxed);
        });
    }
}

/// Whether a debug exception at an access to `address` would strike before its handler has disarmed the breakpoints.
fn is_entry(address: usize) -> bool {
    super::cpu::entry_area::is_exception_stack(address) || crate::mm::sections::entry_text().contains(address)
}

/// Sets DR0 to DR3.
fn write_address(slot: usize, address: usize) {
    // SAFETY: the address counts only where DR7 arms it, which the caller decides.
    unsafe {
        match slot {
            0 => asm!("mov dr0, {}", in(reg) address, options(nomem, nostack, preserves_flags)),
            1 => asm!("mov dr1, {}", in(reg) address, options(nomem, nostack, preserves_flags)),
            2 => asm!("mov dr2, {}", in(reg) address, options(nomem, nostack, preserves_flags)),
            _ => asm!("mov dr3, {}", in(reg) address, options(nomem, nostack, preserves_flags)),
        }
    }
}

/// What DR7 is to be while no exception is handled: it changes when breakpoints come and go.
pub(super) fn wanted_dr7() -> u64 {
    SLOTS.with_this_cpu(|slots| slots.dr7.load(Relaxed))
}

/// Calls the handlers of the breakpoints that `reason`, DR6, names, and says whether there was one. A handler may drop breakpoints.
pub(super) fn handle(reason: u64, regs: &mut PtRegs) -> bool {
    SLOTS.with_this_cpu(|slots| {
        let armed = slots.dr7.load(Relaxed);
        let mut found = false;
        for (slot, handler) in slots.handlers.iter().enumerate() {
            let handler = handler.load(Relaxed);
            if reason >> slot & 1 == 0 || handler.is_null() || armed & dr7_mask(slot) == 0 {
                continue;
            }
            found = true;
            // SAFETY: not null, so made of a `Handler`.
            let handler = unsafe { core::mem::transmute::<*mut (), Handler>(handler) };
            handler(regs);
            if armed >> (16 + 4 * slot) & 0b11 == Access::Execute as u64 {
                regs.flags |= X86_EFLAGS_RF;
            }
        }
        found
    })
}

mod tests;

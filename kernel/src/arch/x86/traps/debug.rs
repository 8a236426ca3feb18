//! Breakpoints: `int3`, and the exceptions of the debug registers and of single-stepping.
//!
//! They belong to a debugger, which says so with [`set_hook`]. Without one, an `int3` in the kernel is an oops and a debug exception is dropped, as in Linux.

use core::sync::atomic::{AtomicPtr, Ordering::AcqRel, Ordering::Acquire};

use super::Vector;
use crate::arch::x86::hw_breakpoint::{self, Disarmed};
use crate::arch::x86::irqflags::X86_EFLAGS_TF;
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::{registers, text_poke};
use crate::preempt;

/// Single step, in DR6.
const DR_STEP: u64 = 1 << 14;

/// Says whether it was its breakpoint; called with interrupts off, in any context that the exception interrupts.
pub type Hook = fn(&mut PtRegs, Vector) -> bool;

static HOOK: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Makes `hook` see each breakpoint first, or nobody, and returns who did before.
pub fn set_hook(hook: Option<Hook>) -> Option<Hook> {
    let new = hook.map_or(core::ptr::null_mut(), |hook| hook as *mut ());
    from_pointer(HOOK.swap(new, AcqRel))
}

fn from_pointer(hook: *mut ()) -> Option<Hook> {
    // SAFETY: the pointer is null, which is `None`, or was made from a `Hook`.
    unsafe { core::mem::transmute::<*mut (), Option<Hook>>(hook) }
}

fn claimed(regs: &mut PtRegs, vector: Vector) -> bool {
    from_pointer(HOOK.load(Acquire)).is_some_and(|hook| hook(regs, vector))
}

/// Handles `int3`.
pub(super) extern "C" fn exc_int3(regs: &mut PtRegs, error_code: u64, vector: Vector) {
    // Before anything that could be patched itself.
    if text_poke::poke_int3_handler(regs) {
        return;
    }
    preempt::add(preempt::NMI_OFFSET);
    if !claimed(regs, vector) {
        crate::panic::oops::die(vector.name(), regs, error_code);
    }
    preempt::sub(preempt::NMI_OFFSET);
}

/// Handles debug exceptions. Breakpoints are disarmed meanwhile, for one that strikes in here would never end; this is entry code, where none can be set, for what comes before and
/// behind that.
#[unsafe(link_section = ".entry.text")]
pub(in crate::arch::x86) extern "C" fn exc_debug(regs: &mut PtRegs, _error_code: u64, vector: Vector) {
    let reason = registers::dr6() ^ registers::DR6_RESERVED;
    registers::clear_dr6();
    let disarmed = Disarmed::new();
    handle(reason, regs, vector);
    drop(disarmed);
}

#[inline(never)]
fn handle(reason: u64, regs: &mut PtRegs, vector: Vector) {
    preempt::add(preempt::NMI_OFFSET);
    let is_known = hw_breakpoint::handle(reason, regs);
    if !is_known && reason != 0 && !claimed(regs, vector) && reason & DR_STEP != 0 {
        crate::warn_once!("single step at {} that nobody asked for", crate::panic::Symbol(regs.ip as usize));
        regs.flags &= !X86_EFLAGS_TF;
    }
    preempt::sub(preempt::NMI_OFFSET);
}

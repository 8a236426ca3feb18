//! Debug exceptions that no debugger has asked for. All come back.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit::arch::x86::hw_breakpoint;
use incipit::arch::x86::ptregs::PtRegs;
use incipit::arch::x86::registers::DR7_RESERVED;
use incipit::arch::x86::traps::{Vector, debug::set_hook};

use crate::crashpoints::Outcome;

/// Debug exceptions that [`observe`] has seen.
static SEEN: AtomicU32 = AtomicU32::new(0);

/// Counts debug exceptions and claims none.
fn observe(_regs: &mut PtRegs, vector: Vector) -> bool {
    if vector == Vector::Debug {
        SEEN.fetch_add(1, Relaxed);
    }
    false
}

/// Calls `raise` and checks that it raises `expected` debug exceptions with a cause.
#[inline(always)]
fn expect(expected: u32, raise: impl FnOnce()) -> Outcome {
    let before = SEEN.load(Relaxed);
    let hook = set_hook(Some(observe));
    raise();
    set_hook(hook);
    if SEEN.load(Relaxed) - before == expected {
        Ok(())
    } else {
        Err("not the expected number of debug exceptions")
    }
}

/// Sets the trap flag, which the handler takes back with a warning.
#[inline(never)]
pub fn step() -> Outcome {
    // SAFETY: the exception comes behind the first `nop`.
    expect(1, || unsafe { asm!("pushfq", "or qword ptr [rsp], 0x100", "popfq", "nop", "nop") })
}

/// Lets DR0 watch writes of four bytes (SDM 3, 18.2.4).
#[inline(never)]
pub fn data() -> Outcome {
    const ARMED: u64 = DR7_RESERVED | 1;
    const WRITES_OF_FOUR_BYTES: u64 = 0b1101 << 16;
    static WATCHED: AtomicU32 = AtomicU32::new(0);
    expect(1, || {
        // SAFETY: the watched variable is this function's own; the breakpoint is disarmed before anything else is called.
        unsafe {
            asm!("mov dr0, {address}", "mov dr7, {armed}", "mov dword ptr [{address}], 1",
                address = in(reg) WATCHED.as_ptr(), armed = in(reg) ARMED | WRITES_OF_FOUR_BYTES, options(nostack));
        }
        hw_breakpoint::reload();
    })
}

/// Gives no cause in DR6, so the handler does not even ask who has called.
#[inline(never)]
pub fn software() -> Outcome {
    // SAFETY: the exception comes behind the instruction.
    expect(0, || unsafe { asm!("int 1") })
}

//! Who called whom.

use core::arch::asm;
use core::fmt::Write;

use incipit::arch::x86::maccess::get_kernel_nofault;
use incipit::arch::x86::stacktrace::{Frames, Step, read_regs};
use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use incipit::panic::{ReturnAddress, Symbol, task};
use linkme::distributed_slice;

use super::none;

/// Frames shown at most: a chain that goes in a circle must end.
const MAX_FRAMES: usize = 64;

#[distributed_slice(KDB_COMMANDS)]
static BT: Command = Command {
    name: "bt",
    usage: "",
    help: "Stack traceback",
    run: bt,
};

#[inline(never)]
fn bt(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    let (frame, stack): (usize, usize);
    // SAFETY: copies two registers.
    unsafe { asm!("mov {}, rbp", "mov {}, rsp", out(reg) frame, out(reg) stack, options(nomem, nostack, preserves_flags)) };
    writeln!(screen, "Stack traceback for pid {}", task::pid())?;
    for step in Frames::new(frame, stack).take(MAX_FRAMES) {
        match step {
            Step::Call { slot } => {
                let address = get_kernel_nofault(core::ptr::without_provenance::<u64>(slot));
                let address = address.map_err(|_| CommandError::BadAddress(slot as u64))?;
                writeln!(screen, " {}", ReturnAddress(address as usize))?;
            }
            Step::Exception { regs } => {
                let regs = read_regs(regs).ok_or(CommandError::BadAddress(regs as u64))?;
                writeln!(screen, " <exception at {}>", Symbol(regs.ip as usize))?;
            }
        }
    }
    Ok(Then::Stay)
}

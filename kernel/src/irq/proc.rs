//! What `/proc/interrupts` says, and the monitor's `interrupts`.

use core::fmt::{self, Write};

use super::desc::{IrqDesc, for_each};
use super::flow::Flow;
use crate::arch::x86::cpu::masks::ONLINE;
use crate::arch::x86::irq as arch;

/// The width of the first column.
const LABEL: usize = 3;

/// Writes the table: a line for each interrupt, a column for each CPU that is online.
///
/// # Errors
///
/// What `out` says.
pub fn interrupts(out: &mut dyn Write) -> fmt::Result {
    write!(out, "{:width$}", "", width = LABEL + 8)?;
    for cpu in ONLINE.iter() {
        write!(out, "CPU{cpu:<8}")?;
    }
    writeln!(out)?;
    let mut result = Ok(());
    for_each(|desc| result = result.and_then(|()| line(desc, out)));
    result?;
    arch::show_interrupts(out, LABEL)
}

/// The line of one that has come or that somebody handles.
fn line(desc: &IrqDesc, out: &mut dyn Write) -> fmt::Result {
    let (name, flow) = {
        let state = desc.lock();
        (state.chip.name(), state.flow)
    };
    if flow == Flow::Bad || desc.actions.is_empty() && desc.total() == 0 {
        return Ok(());
    }
    write!(out, "{:>LABEL$}: ", desc.irq())?;
    for cpu in ONLINE.iter() {
        write!(out, "{:>10} ", desc.count(cpu))?;
    }
    write!(out, " {name:>8} {:>LABEL$}-{:<8}", desc.data.hwirq(), flow.name())?;
    let state = desc.lock();
    // SAFETY: the lock is held.
    for (index, action) in unsafe { desc.actions.iter() }.enumerate() {
        write!(out, "{}{}", if index == 0 { "  " } else { ", " }, action.name)?;
    }
    drop(state);
    writeln!(out)
}

#[cfg(CONFIG_KDB)]
mod command {
    use core::fmt::Write;

    use linkme::distributed_slice;

    use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

    #[distributed_slice(KDB_COMMANDS)]
    static INTERRUPTS: Command = Command {
        name: "interrupts",
        usage: "",
        help: "Display which interrupts have come to which CPU, as /proc/interrupts",
        run,
    };

    fn run(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
        if !arguments.is_empty() {
            return Err(CommandError::ArgumentCount);
        }
        super::interrupts(screen)?;
        Ok(Then::Stay)
    }
}

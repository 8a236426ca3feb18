//! What `/proc/softirqs` says, as the monitor's `softirqs`.

use core::fmt::{self, Write};

use linkme::distributed_slice;

use super::{Softirq, count};
use crate::arch::x86::cpu::masks::POSSIBLE;
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

#[distributed_slice(KDB_COMMANDS)]
static SOFTIRQS: Command = Command {
    name: "softirqs",
    usage: "",
    help: "Display how often softirqs have run",
    run,
};

fn run(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    show(screen)?;
    Ok(Then::Stay)
}

/// Writes the text of `/proc/softirqs`.
///
/// # Errors
///
/// What `out` says.
pub fn show(out: &mut dyn Write) -> fmt::Result {
    write!(out, "{:20}", "")?;
    for cpu in POSSIBLE.iter() {
        write!(out, "CPU{cpu:<8}")?;
    }
    writeln!(out)?;
    for nr in Softirq::ALL {
        write!(out, "{:>12}:", nr.name())?;
        for cpu in POSSIBLE.iter() {
            write!(out, " {:>10}", count(nr, cpu))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

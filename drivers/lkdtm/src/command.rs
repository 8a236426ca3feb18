//! The monitor's command that triggers a crash point: what `/sys/kernel/debug/provoke-crash/DIRECT` is in Linux.

use core::fmt::Write;

use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use linkme::distributed_slice;

use crate::crashpoints::{CRASHPOINTS, find};
use crate::trigger;

#[distributed_slice(KDB_COMMANDS)]
static LKDTM: Command = Command {
    name: "lkdtm",
    usage: "[type]",
    help: "Crash in the way of this type, or display the types",
    run: lkdtm,
};

#[inline(never)]
fn lkdtm(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    match arguments {
        [] => CRASHPOINTS
            .iter()
            .try_for_each(|point| writeln!(screen, "{:<28}{}", point.name, point.shows))?,
        [name] => match find(name.as_bytes()) {
            // What became of it is in the log, which this console shows.
            Some(point) => drop(trigger::perform(point)),
            None => writeln!(screen, "Unknown crashtype '{name}'")?,
        },
        _ => return Err(CommandError::ArgumentCount),
    }
    Ok(Then::Stay)
}

//! The monitor's view.

use core::fmt::Write;

use linkme::distributed_slice;

use super::early::access;
use super::scan::each_function;
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

#[distributed_slice(KDB_COMMANDS)]
static LSPCI: Command = Command {
    name: "lspci",
    usage: "",
    help: "Display the PCI devices, as lspci -n",
    run: lspci,
};

fn lspci(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    let Some(access) = access() else {
        writeln!(screen, "no PCI by ports 0xcf8 and 0xcfc")?;
        return Ok(Then::Stay);
    };
    each_function(&access, |function| {
        let at = function.address;
        write!(
            screen,
            "{:02x}:{:02x}.{} {:04x}: ",
            at.bus(),
            at.device(),
            at.function(),
            function.class
        )?;
        write!(screen, "{:04x}:{:04x}", function.vendor, function.device)?;
        match function.revision {
            0 => {}
            revision => write!(screen, " (rev {revision:02x})")?,
        }
        writeln!(screen)
    })?;
    Ok(Then::Stay)
}

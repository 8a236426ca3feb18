//! Who has which addresses.

use core::fmt::Write;

use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use incipit::resource::{Kind, for_each_line};
use linkme::distributed_slice;

use super::none;

#[distributed_slice(KDB_COMMANDS)]
static IOMEM: Command = Command {
    name: "iomem",
    usage: "",
    help: "Display what has which addresses, as /proc/iomem",
    run: |arguments, screen| show(Kind::Mem, arguments, screen),
};

#[distributed_slice(KDB_COMMANDS)]
static IOPORTS: Command = Command {
    name: "ioports",
    usage: "",
    help: "Display who has which I/O ports, as /proc/ioports",
    run: |arguments, screen| show(Kind::Io, arguments, screen),
};

fn show(kind: Kind, arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    for_each_line(kind, |line| writeln!(screen, "{line}"))?;
    Ok(Then::Stay)
}

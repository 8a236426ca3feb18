//! The processor: what it is.

use core::fmt::Write;

use incipit::arch::x86::cpu;
use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use linkme::distributed_slice;

use super::none;

#[distributed_slice(KDB_COMMANDS)]
static CPUINFO: Command = Command {
    name: "cpuinfo",
    usage: "",
    help: "Display what the processor is and can, as /proc/cpuinfo",
    run: cpuinfo,
};

fn cpuinfo(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    write!(screen, "{}", cpu::cpuinfo())?;
    Ok(Then::Stay)
}

//! The monitor's `mptable`.

use core::fmt::Write;

use linkme::distributed_slice;

use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

#[distributed_slice(KDB_COMMANDS)]
static MPTABLE: Command = Command {
    name: "mptable",
    usage: "",
    help: "Display the MP table, if ACPI has named no processor",
    run,
};

fn run(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    let Some((phys, pointer)) = super::floating_pointer() else {
        writeln!(screen, "no MP table was looked for, or there is none")?;
        return Ok(Then::Stay);
    };
    writeln!(screen, "floating pointer at {phys:#x}, version 1.{}", pointer.revision)?;
    if pointer.default_configuration != 0 {
        writeln!(screen, "default configuration {}", pointer.default_configuration)?;
    }
    let Some(table) = super::mptable() else {
        return Ok(Then::Stay);
    };
    let (oem, product) = table.names();
    writeln!(
        screen,
        "table at {:#x}, {} bytes: {oem} {product}",
        pointer.table, table.header.length
    )?;
    for entry in table.entries() {
        match entry {
            Ok(entry) => writeln!(screen, "  {entry}")?,
            Err(error) => writeln!(screen, "  {error}")?,
        }
    }
    Ok(Then::Stay)
}

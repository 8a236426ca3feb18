//! The monitor's `acpi`: the tables, and what is in one.

use core::fmt::{self, Write};

use linkme::distributed_slice;

use super::Kept;
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

#[distributed_slice(KDB_COMMANDS)]
static ACPI: Command = Command {
    name: "acpi",
    usage: "[table]",
    help: "Display the ACPI tables, or the bytes of those of a name",
    run,
};

/// Bytes in a line.
const WIDTH: usize = 16;

fn run(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    match arguments {
        [] => list(screen)?,
        [name] => {
            let named = |table: &Kept| table.header.signature.0 == name.as_bytes();
            if !super::tables().any(|table| named(&table)) {
                writeln!(screen, "there is no table {name}")?;
            }
            super::tables().filter(named).try_for_each(|table| show(&table, screen))?;
        }
        _ => return Err(CommandError::ArgumentCount),
    }
    Ok(Then::Stay)
}

fn list(screen: &mut dyn Write) -> fmt::Result {
    let Some((phys, rsdp)) = super::root_pointer() else {
        return writeln!(screen, "there are no ACPI tables");
    };
    writeln!(screen, "RSDP 0x{phys:016X} {rsdp}")?;
    super::tables().try_for_each(|table| line(&table, screen))
}

fn line(table: &Kept, screen: &mut dyn Write) -> fmt::Result {
    let note = if table.sum == 0 { "" } else { "  bad checksum" };
    writeln!(screen, "{table}{note}")
}

/// The table's line, what is known of its entries, and its bytes.
fn show(table: &Kept, screen: &mut dyn Write) -> fmt::Result {
    line(table, screen)?;
    match &table.header.signature.0 {
        b"APIC" => entries(super::madt().map(|madt| madt.entries()), screen)?,
        b"SRAT" => {
            for entry in super::srat().into_iter().flat_map(|srat| srat.entries()) {
                match entry {
                    Ok(entry) => writeln!(screen, "  {entry:x?}")?,
                    Err(error) => writeln!(screen, "  {error}")?,
                }
            }
        }
        _ => {}
    }
    for (index, bytes) in table.bytes.chunks(WIDTH).enumerate() {
        write!(screen, "{:05x}:", index * WIDTH)?;
        bytes.iter().try_for_each(|byte| write!(screen, " {byte:02x}"))?;
        write!(screen, "{:width$}", "", width = 2 + 3 * (WIDTH - bytes.len()))?;
        for byte in bytes {
            let shown = byte.is_ascii_graphic() || *byte == b' ';
            screen.write_char(if shown { char::from(*byte) } else { '.' })?;
        }
        writeln!(screen)?;
    }
    Ok(())
}

fn entries<T: fmt::Display, E: fmt::Display>(entries: Option<impl Iterator<Item = Result<T, E>>>, screen: &mut dyn Write) -> fmt::Result {
    for entry in entries.into_iter().flatten() {
        match entry {
            Ok(entry) => writeln!(screen, "  {entry}")?,
            Err(error) => writeln!(screen, "  {error}")?,
        }
    }
    Ok(())
}

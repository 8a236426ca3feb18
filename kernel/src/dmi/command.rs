//! The monitor's `dmi`.

use core::fmt::{self, Write};

use incipit_lib::dmi::{Chassis, Field, Filtered, MemoryDevice, Processor};
use linkme::distributed_slice;

use super::Dmi;
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

#[distributed_slice(KDB_COMMANDS)]
static DMI: Command = Command {
    name: "dmi",
    usage: "",
    help: "Display what the firmware says of the machine",
    run,
};

fn run(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    match super::dmi() {
        Some(dmi) => show(dmi, screen)?,
        None => writeln!(screen, "the firmware says nothing")?,
    }
    Ok(Then::Stay)
}

fn show(dmi: &Dmi, screen: &mut dyn Write) -> fmt::Result {
    writeln!(screen, "{} Table at {:#x}.", dmi.entry, dmi.entry.table)?;
    for (field, name, _, _) in Field::ALL {
        if let Some(value) = dmi.ids.get(field) {
            writeln!(screen, "{name:<16} {}", Filtered(value))?;
        }
    }
    for structure in dmi.structures() {
        if let Some(chassis) = Chassis::of(&structure) {
            writeln!(screen, "{:<16} {}", "chassis_type", chassis.kind)?;
        }
        if let Some(cpu) = Processor::of(&structure) {
            let name = |bytes: Option<&'static [u8]>| Filtered(bytes.unwrap_or_default());
            let (socket, version) = (name(cpu.socket), name(cpu.version));
            writeln!(
                screen,
                "{:<16} {socket}: {version}, {} cores, {} MHz",
                "processor", cpu.cores, cpu.max_speed
            )?;
        }
        if let Some(memory) = MemoryDevice::of(&structure) {
            write!(screen, "{:<16} {}: ", "memory", Filtered(memory.locator.unwrap_or_default()))?;
            match memory.size_kib {
                Some(0) => writeln!(screen, "empty")?,
                Some(size) => writeln!(screen, "{size} KiB, {} MT/s", memory.speed)?,
                None => writeln!(screen, "unknown size")?,
            }
        }
    }
    Ok(())
}

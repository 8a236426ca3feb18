//! How the boot went: stages, initcalls, parameters, tables.

use core::fmt::Write;

use arrayvec::ArrayString;
use incipit::arch::x86::tsc::tsc_khz;
use incipit::init::{self, EntryInfo, State};
use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use incipit::table;
use linkme::distributed_slice;

use super::none;

/// The longest `name=value` that fits its column.
const SETTING: usize = 64;

#[distributed_slice(KDB_COMMANDS)]
static STAGES: Command = Command {
    name: "stages",
    usage: "",
    help: "Display the stages of start_kernel, in order",
    run: stages,
};

#[distributed_slice(KDB_COMMANDS)]
static INITCALLS: Command = Command {
    name: "initcalls",
    usage: "",
    help: "Display the initcalls, in order",
    run: initcalls,
};

#[distributed_slice(KDB_COMMANDS)]
static PARAMS: Command = Command {
    name: "params",
    usage: "",
    help: "Display the parameters and their values",
    run: params,
};

#[distributed_slice(KDB_COMMANDS)]
static SECTIONS: Command = Command {
    name: "sections",
    usage: "",
    help: "Display the link-time tables",
    run: sections,
};

fn stages(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    list(init::stages(), screen)
}

fn initcalls(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    list(init::initcalls(), screen)
}

fn list(entries: impl Iterator<Item = &'static EntryInfo>, screen: &mut dyn Write) -> Result<Then, CommandError> {
    writeln!(
        screen,
        "{:>3}  {:<10} {:<11} {:<8} {:>9}  {:<28} source",
        "#", "level", "state", "result", "usecs", "name"
    )?;
    for (index, entry) in entries.enumerate() {
        let (file, line) = entry.place();
        write!(screen, "{:>3}  {:<10} {:<11} ", index + 1, entry.level().name(), entry.state())?;
        match (entry.state(), entry.error()) {
            (_, Some(error)) => write!(screen, "{error:<8} ")?,
            (State::Ok, None) => write!(screen, "{:<8} ", 0)?,
            _ => write!(screen, "{:<8} ", "-")?,
        }
        writeln!(screen, "{:>9}  {:<28} {file}:{line}", microseconds(entry.took()), entry.name())?;
    }
    Ok(Then::Stay)
}

/// Ticks of the time stamp counter in microseconds; 0 if its rate is not known.
fn microseconds(ticks: u64) -> u64 {
    u64::try_from(u128::from(ticks) * 1000 / u128::from(tsc_khz().max(1))).unwrap_or(0)
}

fn params(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    writeln!(screen, "{:<32} {:<10} {:<4} {:<12} source", "parameter", "type", "perm", "from")?;
    for param in init::params() {
        let (file, line) = param.place();
        let mut setting = ArrayString::<SETTING>::new();
        if write!(setting, "{}={}", param.name(), param.value()).is_err() {
            // A long text is shown in full on a line of its own.
            writeln!(screen, "{}={}", param.name(), param.value())?;
            setting.clear();
        }
        let (kind, perm, origin) = (param.type_name(), param.perm(), param.origin());
        writeln!(screen, "{setting:<32} {kind:<10} {perm:04o} {origin:<12} {file}:{line}")?;
    }
    Ok(Then::Stay)
}

fn sections(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    writeln!(
        screen,
        "{:<18} {:<26} {:<37} {:>7} {:>5}",
        "table", "section", "range", "entries", "bytes"
    )?;
    for table in table::ALL {
        let (start, end) = (table.start.addr(), table.end.addr());
        write!(
            screen,
            "{:<18} {:<26} {start:#018x}-{end:#018x} {:>7} {:>5}",
            table.name,
            table.section,
            table.len(),
            table.entry_size
        )?;
        for (is_so, word) in [
            (table.sorted, "sorted"),
            (table.writable, "writable"),
            (table.freed, "freed after boot"),
        ] {
            if is_so {
                write!(screen, " {word}")?;
            }
        }
        writeln!(screen)?;
    }
    Ok(Then::Stay)
}

//! How the boot went: stages, initcalls, parameters, tables.

use core::fmt::Write;

use arrayvec::ArrayString;
use incipit::init::listing::{self, Listing};
use incipit::init::{self, EntryInfo};
use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use incipit::mm::sections::init_is_freed;
use incipit::table;
use linkme::distributed_slice;

use super::{none, optional};

/// The longest `name=value` that fits its column.
const SETTING: usize = 64;

/// Asks for an answer that programs read.
const RAW: &str = "-r";

/// Asks for all entries as one.
const SUMMARY: &str = "-s";

#[distributed_slice(KDB_COMMANDS)]
static STAGES: Command = Command {
    name: "stages",
    usage: "[-r | name]",
    help: "Display the stages of start_kernel, or one; -r: tabs between columns",
    run: stages,
};

#[distributed_slice(KDB_COMMANDS)]
static INITCALLS: Command = Command {
    name: "initcalls",
    usage: "[-r | -s | name]",
    help: "Display the initcalls, or one; -r: tabs between columns; -s: what they took",
    run: initcalls,
};

#[distributed_slice(KDB_COMMANDS)]
static CAPABILITIES: Command = Command {
    name: "capabilities",
    usage: "",
    help: "Display the capabilities, and who provides each",
    run: capabilities,
};

#[distributed_slice(KDB_COMMANDS)]
static PARAMS: Command = Command {
    name: "params",
    usage: "[-r]",
    help: "Display the parameters and their values; -r: tabs between columns",
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
    list(init::stages(), arguments, screen)
}

fn initcalls(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if arguments == [SUMMARY] {
        writeln!(screen, "{}", init::initcall::Summary::new())?;
        return Ok(Then::Stay);
    }
    list(init::initcalls(), arguments, screen)
}

fn list(entries: impl Iterator<Item = &'static EntryInfo>, arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    let listing = Listing::new();
    match optional(arguments)? {
        None => {
            writeln!(screen, "{}", listing.heading())?;
            for (index, entry) in entries.enumerate() {
                writeln!(screen, "{}", listing.row(index + 1, entry))?;
            }
        }
        Some(RAW) => {
            writeln!(screen, "{}", listing::RAW_HEADING)?;
            for entry in entries {
                writeln!(screen, "{}", listing.raw_row(entry))?;
            }
        }
        Some(name) => {
            let mut found = entries.filter(|entry| entry.is_called(name)).peekable();
            if found.peek().is_none() {
                writeln!(screen, "diag: nothing here is called '{name}'")?;
            }
            for entry in found {
                writeln!(screen, "{}", listing.details(entry))?;
            }
        }
    }
    Ok(Then::Stay)
}

fn capabilities(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    for capability in init::capabilities() {
        writeln!(screen, "{}", listing::capability(capability))?;
    }
    Ok(Then::Stay)
}

fn params(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if arguments == [RAW] {
        writeln!(screen, "{}", listing::RAW_PARAM_HEADING)?;
        for param in init::params() {
            writeln!(screen, "{}", listing::raw_param(param))?;
        }
        return Ok(Then::Stay);
    }
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
    let is_freed = init_is_freed();
    for table in table::all() {
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
            (table.freed && !is_freed, "freed after boot"),
            (table.freed && is_freed, "freed"),
        ] {
            if is_so {
                write!(screen, " {word}")?;
            }
        }
        writeln!(screen)?;
    }
    Ok(Then::Stay)
}

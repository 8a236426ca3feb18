//! Help, the way out, and what kernel this is.

use core::fmt::Write;

use arrayvec::ArrayVec;
use incipit::console;
use incipit::init::version;
use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use incipit::time::sched_clock;
use linkme::distributed_slice;

use super::{none, optional};

/// How many commands the help sorts; those beyond are listed behind the others.
const SORTED: usize = 64;

#[distributed_slice(KDB_COMMANDS)]
static HELP: Command = Command {
    name: "help",
    usage: "[command]",
    help: "Display this list, or one command",
    run: help,
};

#[distributed_slice(KDB_COMMANDS)]
static GO: Command = Command {
    name: "go",
    usage: "",
    help: "Let the kernel go on",
    run: go,
};

#[distributed_slice(KDB_COMMANDS)]
static SUMMARY: Command = Command {
    name: "summary",
    usage: "",
    help: "Summarize the system",
    run: summary,
};

#[distributed_slice(KDB_COMMANDS)]
static VERSION: Command = Command {
    name: "version",
    usage: "",
    help: "Display what kernel this is",
    run: show_version,
};

#[distributed_slice(KDB_COMMANDS)]
static REBOOT: Command = Command {
    name: "reboot",
    usage: "",
    help: "Reboot the machine immediately",
    run: reboot,
};

fn help(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    let wanted = optional(arguments)?;
    let mut commands: ArrayVec<&Command, SORTED> = KDB_COMMANDS.iter().take(SORTED).collect();
    commands.sort_unstable_by_key(|command| command.name);
    writeln!(screen, "{:<12}{:<24}Description", "Command", "Usage")?;
    let listed = commands.into_iter().chain(KDB_COMMANDS.iter().skip(SORTED));
    for command in listed.filter(|command| wanted.is_none_or(|name| name == command.name)) {
        writeln!(screen, "{:<12}{:<24}{}", command.name, command.usage, command.help)?;
    }
    Ok(Then::Stay)
}

fn go(arguments: &[&str], _screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    Ok(Then::Leave)
}

fn show_version(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    writeln!(screen, "Incipit version {} ({})", version::VERSION, version::COMPILER)?;
    Ok(Then::Stay)
}

fn reboot(arguments: &[&str], _screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    incipit::panic::reboot::emergency_restart()
}

fn summary(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    let uptime = sched_clock();
    writeln!(screen, "version    {}", version::VERSION)?;
    writeln!(screen, "compiler   {}", version::COMPILER)?;
    writeln!(
        screen,
        "uptime     {}.{:06} s",
        uptime / 1_000_000_000,
        uptime % 1_000_000_000 / 1000
    )?;
    for state in console::consoles() {
        let kind = if state.is_boot { " (boot)" } else { "" };
        let preferred = if state.is_preferred { " (/dev/console)" } else { "" };
        write!(screen, "console    {}{kind}{preferred}", state.name)?;
        if let Some(address) = state.address {
            write!(screen, " at {address}")?;
        }
        writeln!(screen)?;
    }
    Ok(Then::Stay)
}

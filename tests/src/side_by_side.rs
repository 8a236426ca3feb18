//! The same boot with its initcalls one after the other, and on several CPUs: what others see of them must be the same.

use anyhow::{Context, Result, ensure};

use crate::log::Log;
use crate::machine::Machine;
use crate::session::Session;

/// Asks for several CPUs.
pub const PARALLEL: &str = "initcall_parallel=1";

/// How the first line begins that an initcall behind the start of the other CPUs logs.
const FIRST: &str = "boot: started through";

/// What becomes of a boot up to the monitor, without what differs from one to the next.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// What the initcalls logged.
    pub log: Vec<String>,
    /// What is registered, and what became of each initcall; a line each, with the command before it that showed it.
    pub lists: Vec<String>,
}

/// The lines of the log from the first one of an initcall to the first that begins with `end`.
///
/// # Errors
///
/// If one of the two is missing.
pub fn of_initcalls(log: &Log, end: &str) -> Result<Vec<String>> {
    let lines: Vec<_> = log.lines().map(str::to_owned).collect();
    let first = lines.iter().position(|line| line.starts_with(FIRST)).context(FIRST)?;
    let count = lines[first..]
        .iter()
        .position(|line| line.starts_with(end))
        .context(end.to_owned())?;
    Ok(lines[first..first + count].to_vec())
}

/// Boots `machine`, whose command line asks for the monitor, and looks.
///
/// # Errors
///
/// If the boot does not come to the monitor.
pub fn look(machine: &Machine) -> Result<(Session, Seen)> {
    let mut session = Session::on(machine)?;
    let log = of_initcalls(&session.guest.log(), "Freeing unused kernel image")?;
    let mut lists = Vec::new();
    for (command, columns) in COMMANDS {
        let answer = session.obey(command)?;
        ensure!(answer.lines().count() > 2, "{command} shows:\n{answer}");
        lists.extend(answer.lines().map(|line| format!("{command}: {}", columns(line))));
    }
    Ok((session, Seen { log, lists }))
}

/// What of a line stays the same.
type Columns = fn(&str) -> String;

const COMMANDS: [(&str, Columns); 5] = [
    ("iomem", str::to_owned),
    ("ioports", str::to_owned),
    ("interrupts", registered),
    ("slabinfo", |line| line.split_whitespace().next().unwrap_or_default().to_owned()),
    ("initcalls -r", outcome),
];

/// The line's number and who has asked for it, without how often it came.
fn registered(line: &str) -> String {
    let words = line.split_whitespace().filter(|word| word.parse::<u64>().is_err());
    words.collect::<Vec<_>>().join(" ")
}

/// Level, name, path, place, state, error, policy and reason.
fn outcome(line: &str) -> String {
    let columns: Vec<_> = line.split('\t').collect();
    let stay = columns.iter().enumerate().filter(|(index, _)| ![6, 7, 8, 11, 12].contains(index));
    stay.map(|(_, column)| *column).collect::<Vec<_>>().join(" ")
}

/// Fails unless both are the same, and names the first line that is not.
///
/// # Errors
///
/// The two lines.
pub fn require_same(serial: &[String], parallel: &[String]) -> Result<()> {
    let differs = (0..serial.len().max(parallel.len())).find(|at| serial.get(*at) != parallel.get(*at));
    let Some(at) = differs else { return Ok(()) };
    ensure!(
        false,
        "line {at} is {:?} one after the other, and {:?} on several CPUs:\n{}",
        serial.get(at),
        parallel.get(at),
        parallel.join("\n")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_boot_to_boot_is_left_out() {
        assert_eq!(
            registered("  4:     12      0   IO-APIC   4-edge      ttyS0"),
            "4: IO-APIC 4-edge ttyS0"
        );
        let line = "late\ta\tx::a\tx.rs:1\tok\t-\t12\t34\t56\twarn\t-\t3\t99";
        assert_eq!(outcome(line), "late a x::a x.rs:1 ok - warn -");
    }

    #[test]
    fn the_first_difference_is_named() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(require_same(&lines("a b"), &lines("a b")).is_ok());
        let error = require_same(&lines("a b"), &lines("a b c")).unwrap_err().to_string();
        assert!(error.starts_with("line 2 is None one after the other, and Some(\"c\")"), "{error}");
    }

    #[test]
    fn the_log_of_the_initcalls_has_both_ends() {
        let log = Log::new(b"a\nboot: started through PVH\nb\nend of it\nc\n");
        assert_eq!(of_initcalls(&log, "end").unwrap(), ["boot: started through PVH", "b"]);
        assert!(of_initcalls(&log, "z").is_err());
    }
}

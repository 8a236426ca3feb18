//! The monitor's view: which CPUs there are, and bringing them up and down.

use core::fmt::Write;

use linkme::distributed_slice;

use super::state::Section;
use super::{ONLINE, POSSIBLE, PRESENT, cpu_down, cpu_up};
use crate::arch::x86::apic::cpu_to_apicid;
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use crate::mm::numa::cpu_to_node;
use crate::percpu::smp_processor_id;
use crate::preempt::in_interrupt;
use crate::prelude::*;
use crate::smp::with_other_cpus;

#[distributed_slice(KDB_COMMANDS)]
static CPU: Command = Command {
    name: "cpu",
    usage: "[up N | down N | states]",
    help: "Display the CPUs; bring one up or take it down; display what is done for each",
    run: cpu,
};

fn cpu(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    match arguments {
        [] => list(screen)?,
        ["states"] => states(screen)?,
        ["up", number] => change(number, cpu_up, "come", screen)?,
        ["down", number] => change(number, cpu_down, "go", screen)?,
        _ => return Err(CommandError::ArgumentCount),
    }
    Ok(Then::Stay)
}

/// Not in an exception: what it has interrupted may be at the same, or hold what that takes.
fn change(number: &str, act: fn(usize) -> Result<(), Errno>, what: &str, screen: &mut dyn Write) -> Result<(), CommandError> {
    let number = number.parse().map_err(|_| CommandError::BadNumber)?;
    let result = if in_interrupt() {
        Err(Errno::EBUSY)
    } else {
        with_other_cpus(|| act(number))
    };
    if let Err(error) = result {
        writeln!(screen, "diag: CPU {number} does not {what} ({error})")?;
    }
    Ok(())
}

/// What is done for a CPU that comes, in order; one that goes meets it from the end, as far as there is something to take back.
fn states(screen: &mut dyn Write) -> Result<(), CommandError> {
    for (section, name) in Section::ALL {
        for state in section.states() {
            writeln!(
                screen,
                "{name:<9} {}{}",
                state.name(),
                if state.has_teardown() { "" } else { " (nothing to take back)" }
            )?;
        }
    }
    Ok(())
}

fn list(screen: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(screen, "Currently on cpu {}", smp_processor_id())?;
    writeln!(screen, "{:>3} {:>4} {:>7}  state", "cpu", "node", "apic id")?;
    for cpu in POSSIBLE.iter() {
        let state = match (ONLINE.contains(cpu), PRESENT.contains(cpu)) {
            (true, _) => "online",
            (false, true) => "offline",
            (false, false) => "absent",
        };
        write!(screen, "{cpu:>3} {:>4} ", cpu_to_node(cpu))?;
        match cpu_to_apicid(cpu) {
            Some(id) => write!(screen, "{id:>7}")?,
            None => write!(screen, "{:>7}", "-")?,
        }
        writeln!(screen, "  {state}")?;
    }
    Ok(())
}

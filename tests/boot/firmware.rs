//! Firmware that lies. Whatever it says, the boot comes to its end by the same initcalls, and each lie is one line.
//!
//! QEMU puts its own firmware's tables right before it hands them over, so those that lie are put into memory by the test, and the command line leads to them.

mod acpi;
mod bios;
mod dmi;
mod low_memory;

use anyhow::{Result, ensure};
use incipit_tests::golden::INITCALLS;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use libtest_mimic::Trial;

use crate::ending::require_end;

pub fn trials() -> Vec<Trial> {
    [acpi::trials(), bios::trials(), dmi::trials(), low_memory::trials()]
        .into_iter()
        .flatten()
        .collect()
}

/// Boots `machine`, which must come to its end by the initcalls of the golden file and without a warning.
fn boots(machine: Machine) -> Result<Log> {
    let log = machine.append("initcall_debug ignore_loglevel").run()?;
    came_to_its_end(&log)?;
    Ok(log)
}

/// Fails unless the boot with `initcall_debug` and `ignore_loglevel` went as it should.
fn came_to_its_end(log: &Log) -> Result<()> {
    require_end(log)?;
    let (golden, called) = (INITCALLS.names()?, log.calls());
    ensure!(called == golden, "the initcalls were {called:?}; the log ends:\n{}", log.tail());
    log.refuse("WARNING:")
}

//! Every crash point of `lkdtm`, a boot each: the outcome must be Linux's, and the report must say what the image says.
//!
//! A report is checked against the image with tools that share no code with the kernel: every name in it must be a symbol of that size, the code bytes must
//! be the file's, and the marked one must begin an instruction of the right kind.

mod cases;
mod check;
mod expect;
mod image;
mod options;
mod report;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::{Machine, QEMU};
use incipit_tests::trial::{self, trial};

use cases::CASES;
use check::check;
use expect::Trigger;
use image::{Image, OBJDUMP};
use options::TESTS;

/// How a boot ends that nothing stops.
const END_OF_BOOT: &str = "Kernel panic - not syncing: No working init found.";

/// What the kernel's monitor shows when it waits for a line.
const PROMPT: &str = "[0]kdb> ";

fn main() -> ExitCode {
    let vmlinux = Build::ours().vmlinux();
    let machine = Machine::new(&vmlinux);
    let image = match Image::read(&vmlinux) {
        Ok(image) => Arc::new(image),
        Err(error) => {
            eprintln!("the image cannot be read: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials = Vec::new();
    for case in CASES {
        let (machine, image) = (machine.clone(), Arc::clone(&image));
        trials.push(trial(format!("crash::{}", case.name), move || {
            let machine = machine.clone().append(case.words).processors(case.processors);
            let log = match case.trigger {
                Trigger::Initcall => crash(&machine, case.name)?,
                Trigger::Monitor => crash_after_the_boot(&machine, case.name)?,
            };
            check(case, &log, &image)
        }));
    }
    for (name, test) in TESTS {
        let machine = machine.clone();
        trials.push(trial(*name, move || test(machine)));
    }
    trial::run(trials, &[QEMU, OBJDUMP])
}

/// Boots `machine` into the crash point `name`.
fn crash(machine: &Machine, name: &str) -> Result<Log> {
    let machine = machine
        .clone()
        .append(&format!("lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type={name}"));
    if name != "MACHINE_CHECK" {
        return machine.run();
    }
    let mut guest = machine.monitored().start()?;
    guest.wait_for("ms for a machine check")?;
    // Bank 0: valid, uncorrected, enabled, context corrupt; the check is in progress.
    guest.monitor()?.human("mce 0 0 0xb200000000000000 4 0 0")?;
    guest.wait_for_end()
}

/// Boots `machine` to its end, and then has the kernel's monitor trigger the crash point `name`. If that is survived, the boot goes on.
fn crash_after_the_boot(machine: &Machine, name: &str) -> Result<Log> {
    let mut guest = machine.clone().append("kdb").start()?;
    guest.wait_for(PROMPT)?;
    guest.send(format!("lkdtm {name}\rgo\r").as_bytes())?;
    guest.wait_for_end()
}

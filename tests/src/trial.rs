//! Tests that are made at run time, with the ordinary report: one for each in-kernel test, each machine, each bad input.

use std::process::ExitCode;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::built::has_program;
use crate::machine::{Machine, QEMU};

/// How many guests run at a time, unless the caller says otherwise.
const THREADS: usize = 2;

/// A test called `name`.
pub fn trial(name: impl Into<String>, run: impl FnOnce() -> Result<()> + Send + 'static) -> Trial {
    Trial::test(name, move || run().map_err(|error| Failed::from(format!("{error:#}"))))
}

/// A test that boots `machine`, left out with a line that says what is missing where this computer cannot.
pub fn trial_on(machine: &Machine, name: impl Into<String>, run: impl FnOnce() -> Result<()> + Send + 'static) -> Trial {
    let (name, missing) = (name.into(), machine.missing());
    if !missing.is_empty() {
        eprintln!("skipped: {name} needs {}, which this machine does not have", missing.join(", "));
    }
    trial(name, run).with_ignored_flag(!missing.is_empty())
}

/// Runs `trials` if this machine has the programs `needs`; otherwise says which is missing and leaves them out.
#[must_use]
pub fn run(trials: Vec<Trial>, needs: &[&str]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let missing: Vec<_> = needs.iter().filter(|program| !has_program(program)).collect();
    if missing.is_empty() {
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    for program in missing {
        eprintln!("skipped: {} tests need {program}, which this machine does not have", trials.len());
    }
    let ignored = trials.into_iter().map(|trial| trial.with_ignored_flag(true)).collect();
    libtest_mimic::run(&arguments, ignored).exit_code()
}

/// Runs `trials`, all of which boot the kernel.
#[must_use]
pub fn run_in_qemu(trials: Vec<Trial>) -> ExitCode {
    run(trials, &[QEMU])
}

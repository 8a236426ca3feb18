//! Clocks that lie: each is found out and named, and the boot goes on by another one.
//!
//! QEMU's emulated CPUs all show one time-stamp counter, which cannot be written. Those of Bochs have one each.

use anyhow::{Context, Result, ensure};
use incipit_machine::grub::Protocol;
use incipit_tests::built::Build;
use incipit_tests::machine::{Emulator, Loader, Machine};
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::smp::online;

pub fn trials() -> Vec<Trial> {
    vec![
        in_bochs("a_cpu_whose_counter_is_behind_is_named_when_it_comes", warp),
        in_bochs("a_cpu_whose_counter_is_behind_is_believed_if_asked_for", believed),
    ]
}

fn machine(cpus: u32) -> Machine {
    Machine::new(&Build::ours().vmlinux()).processors(cpus)
}

/// A trial with two CPUs in Bochs, which is passed over where there is none.
fn in_bochs(name: &str, run: fn(Machine) -> Result<()>) -> Trial {
    let machine = machine(2).emulator(Emulator::Bochs).loader(Loader::Grub(Protocol::Multiboot2));
    let missing = machine.missing();
    trial(format!("hostile_clocks::{name}"), move || run(machine)).with_ignored_flag(!missing.is_empty())
}

/// A session in which CPU 1 has gone and come back with a counter that has begun anew.
fn with_a_counter_behind(machine: Machine) -> Result<Session> {
    let mut session = Session::on(&machine.append("kdb"))?;
    let written = session.obey("wrmsr 10 0 1")?;
    ensure!(written.is_empty(), "{written}");
    session.obey("cpu down 1")?;
    online(&mut session, &[0])?;
    session.obey("cpu up 1")?;
    online(&mut session, &[0, 1])?;
    Ok(session)
}

fn warp(machine: Machine) -> Result<()> {
    let mut session = with_a_counter_behind(machine)?;
    let log = session.guest.log();
    for line in [
        "TSC synchronization [CPU#0 -> CPU#1]:",
        "cycles TSC warp between CPUs, turning off TSC clock.",
        "tsc: Marking TSC unstable due to check_tsc_sync_source failed",
    ] {
        log.require_mention(line)?;
    }
    // A difference that stays.
    log.refuse("TSC warped randomly between CPUs")?;
    let clocks = session.obey("clocksource")?;
    ensure!(
        clocks.lines().any(|line| line.starts_with("* ") && !line.starts_with("* tsc")),
        "{clocks}"
    );
    let before = monotonic(&mut session)?;
    let after = monotonic(&mut session)?;
    ensure!(after > before, "{after} is not after {before}");
    Ok(())
}

fn believed(machine: Machine) -> Result<()> {
    let session = with_a_counter_behind(machine.append("tsc=reliable"))?;
    session.guest.log().refuse("TSC synchronization")?;
    session.guest.log().refuse("Marking TSC unstable")
}

/// The monotonic clock, in seconds.
fn monotonic(session: &mut Session) -> Result<f64> {
    let text = session.obey("date")?;
    let row = text.lines().find_map(|line| line.strip_prefix("monotonic "));
    row.with_context(|| text.clone())?.trim().parse().with_context(|| text.clone())
}

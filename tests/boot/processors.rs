//! Processors that this kernel cannot run on: it says so, on the serial line and on the screen, and stops.

use anyhow::{Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

const CASES: &[(&str, &str, &str)] = &[
    (
        "without_long_mode",
        "qemu32",
        "This kernel requires an x86-64 CPU, but only detected an i686 CPU.",
    ),
    (
        "with_long_mode_hidden",
        "qemu64,-lm",
        "This kernel requires an x86-64 CPU, but only detected an i686 CPU.",
    ),
    (
        "of_the_fourth_family",
        "486",
        "This kernel requires an x86-64 CPU, but only detected an i486 CPU.",
    ),
    (
        "without_nx",
        "qemu64,-nx",
        "This kernel requires the NX (execute disable) feature, which this CPU does not have.",
    ),
    (
        "without_sse2",
        "qemu64,-sse2",
        "This kernel requires the following features not present on the CPU: sse2",
    ),
    (
        "without_several_features",
        "qemu64,-pge,-fxsr",
        "This kernel requires the following features not present on the CPU: pge fxsr",
    ),
];

pub fn trials() -> Vec<Trial> {
    let build = Build::ours();
    let mut trials = Vec::new();
    for image in [build.vmlinux(), build.bzimage()] {
        for &(name, cpu, message) in CASES {
            let machine = Machine::new(&image).cpu(cpu);
            let file = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
            trials.push(trial(format!("processors::one_{name}_is_refused_by_{file}"), move || {
                says_and_stops(&machine, message)
            }));
        }
    }
    trials
}

/// Boots `machine`, which must write `message` to serial line and screen and then do nothing more.
pub fn says_and_stops(machine: &Machine, message: &str) -> Result<()> {
    let mut guest = machine.clone().monitored().start()?;
    guest.wait_for(message)?;
    guest.wait_for("\r\n")?;
    let screen = guest.screen()?;
    // A message that is longer than a line of the screen goes on in the next.
    ensure!(
        screen.concat().contains(&message.replace(' ', "")) || joined(&screen).contains(message),
        "the screen shows {screen:#?}"
    );
    ensure!(
        guest.log().lines().last().is_some_and(|line| line.ends_with(message)),
        "more was written: {}",
        guest.log().tail()
    );
    Ok(())
}

/// The screen as one text.
fn joined(screen: &[String]) -> String {
    screen.iter().map(|line| format!("{line:<80}")).collect()
}

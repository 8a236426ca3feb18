//! Every machine boots to the same initcalls, by both images.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use incipit_tests::built::{Build, has_program};
use incipit_tests::golden::INITCALLS;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// Chipset, memory, processor, processors. Each value is in the list of each image at least once.
const BY_PVH: &[(&str, &str, &str, u32)] = &[
    ("pc", "16M", "qemu64", 1),
    ("q35", "64M", "max", 1),
    ("microvm", "128M", "qemu64", 1),
    ("microvm", "1G", "max", 1),
    ("pc", "1G", "max", 4),
    ("q35", "4G", "qemu64", 1),
];
const BY_BZIMAGE: &[(&str, &str, &str, u32)] = &[
    ("pc", "16M", "max", 1),
    ("q35", "64M", "qemu64", 1),
    ("microvm", "128M", "max", 1),
    ("q35", "1G", "max", 4),
    ("pc", "4G", "qemu64", 1),
];

pub fn trials() -> Vec<Trial> {
    let build = Build::ours();
    let mut trials = Vec::new();
    for (image, machines) in [(build.vmlinux(), BY_PVH), (build.bzimage(), BY_BZIMAGE)] {
        let name = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for &(chipset, memory, cpu, processors) in machines {
            let machine = Machine::new(&image).chipset(chipset).memory(memory).cpu(cpu).processors(processors);
            trials.push(trial(
                format!("machines::{name}_on_{chipset}_with_{memory}_{processors}x{cpu}"),
                move || same_initcalls(machine),
            ));
        }
    }
    let (bzimage, has_file) = (build.bzimage(), has_program("file"));
    if !has_file {
        eprintln!("skipped: a test of bzImage needs file, which this machine does not have");
    }
    trials.push(trial("machines::file_knows_the_bzimage", move || file_says(bzimage)).with_ignored_flag(!has_file));
    trials
}

fn same_initcalls(machine: Machine) -> Result<()> {
    let log = machine.append("initcall_debug ignore_loglevel").run()?;
    let (golden, called) = (INITCALLS.names()?, log.calls());
    ensure!(
        called == golden,
        "the initcalls were {called:#?}, the golden file has {golden:#?}; the log ends:\n{}",
        log.tail()
    );
    for name in &golden {
        log.require_mention(&format!("initcall {name}+0x0/"))?;
    }
    log.refuse("WARNING:")?;
    log.require_mention("No working init found.")
}

fn file_says(bzimage: PathBuf) -> Result<()> {
    let output = Command::new("file").arg("--brief").arg(bzimage).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        text.starts_with("Linux kernel x86 boot executable bzImage, version "),
        "file says: {text}"
    );
    Ok(())
}

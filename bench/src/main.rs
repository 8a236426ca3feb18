//! `make bench`: how many instructions the boot takes, and what it is made of.
//!
//! The guest is run by QEMU with `-icount shift=0`, where the time-stamp counter counts instructions: a figure is the same on every run and every machine, so
//! a change of one is a change of the code. Nothing here fails because of a figure; what has changed by more than a little is pointed out, and a person judges.
//!
//! [`plan`] lists the images and their boots; [`image`] builds an image, which is the default configuration plus crates from `guest/` that declare what is
//! measured and report it by QEMU's debug port; [`mod@run`] boots it; [`report`] reads what it reported; [`figures`] makes figures of that; [`table`] shows
//! them beside Linux's or the aim; [`host`] times the build; [`record`] keeps them in `docs/figures.md`, which `make bench RECORD=1` writes anew.
//!
//! How a figure comes about: the boot's are readings of its one run, from the kernel's entry on (the firmware is in none); those of look-ups and faults
//! are means over all entries, each the least of five passes, without the instructions of the loop around the call; those of initcalls, parameters and
//! arguments are differences of two boots. With several processors the counter counts what all of them execute, and who waits lets the next one run with each
//! `pause`; only what a further CPU costs is counted on the boot CPU alone, by stepping it (`guest/cpus`).

mod figures;
mod host;
mod image;
mod plan;
mod record;
mod report;
mod run;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use figures::Reports;
use host::Times;

/// Where the figures are kept, from the project's root.
const RECORD: &str = "docs/figures.md";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let record = match arguments.as_slice() {
        [] => false,
        [word] if word == "--record" => true,
        _ => bail!("usage: incipit-bench [--record]"),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the crate has a folder of its own")?;
    let (reports, times) = measure(root)?;
    let sections = figures::sections(&reports, times)?;
    let file = root.join(RECORD);
    let recorded = record::read(&file)?;
    print!("{}", table::show(&sections, &recorded));
    if record {
        record::write(&file, &sections, &record::Circumstances::find(root)?)?;
        println!("\nrecorded in {RECORD}");
    }
    Ok(())
}

/// Builds every image and boots it in every way that a figure needs.
fn measure(root: &Path) -> Result<(Reports, Times)> {
    let mut reports = Reports::default();
    // The last plan's image is that of the large graph.
    let mut large = PathBuf::new();
    for plan in plan::PLANS {
        eprintln!("bench: {}", plan.name);
        let vmlinux = image::build(root, plan.name, plan.guests)?;
        for boot in plan.boots {
            let lines = run::boot(boot, &vmlinux)?;
            reports.add(boot.name, report::parse(&lines)?)?;
        }
        large = vmlinux;
    }
    eprintln!("bench: the build");
    Ok((reports, host::measure(root, &large)?))
}

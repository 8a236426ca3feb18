//! The same sources by another profile, in more or fewer pieces, by another linker.

use anyhow::{Result, bail, ensure};
use incipit_linker::seal::image::Image;
use incipit_linker::seal::list::{self, Row};
use incipit_tests::built::{Build, root};
use incipit_tests::golden::INITCALLS;
use incipit_tests::machine::Machine;
use incipit_tests::make::{Failure, make};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// What an image is called, and the words that make it.
const VARIANTS: &[(&str, &str)] = &[
    ("debug", "DEBUG=1"),
    ("one_codegen_unit", "CODEGEN_UNITS=1"),
    ("256_codegen_units", "CODEGEN_UNITS=256"),
    ("link_time_optimisation", "LTO=1"),
    ("gnu_ld", "LD=gnu"),
];

pub fn trials() -> Vec<Trial> {
    let variants = VARIANTS.iter().map(|&(name, word)| {
        trial(format!("variants::{name}_has_the_same_order_and_boots"), move || {
            same_order(name, word)
        })
    });
    variants
        .chain([trial("variants::the_smallest_configuration_boots", smallest)])
        .collect()
}

fn build(name: &str, words: &[String]) -> Result<Build> {
    match make(&format!("variants/{name}"), words)? {
        Ok(build) => Ok(build),
        Err(Failure(text)) => bail!("make {} fails:\n{text}", words.join(" ")),
    }
}

fn lines(build: &Build) -> Result<Vec<String>> {
    Ok(list::rows(&Image::read(&build.vmlinux())?, None)?
        .iter()
        .map(Row::to_line)
        .collect())
}

fn same_order(name: &str, word: &str) -> Result<()> {
    let build = build(name, &[word.to_owned()])?;
    let (ours, theirs) = (lines(&Build::ours())?, lines(&build)?);
    let difference = ours.iter().zip(&theirs).find(|(one, other)| one != other);
    ensure!(
        ours == theirs,
        "{} and {} entries, the first difference is {difference:?}",
        ours.len(),
        theirs.len()
    );
    for image in [build.vmlinux(), build.bzimage()] {
        let log = Machine::new(&image).append("initcall_debug ignore_loglevel").run()?;
        ensure!(
            log.calls() == INITCALLS.names()?,
            "the initcalls were {:?}; the log ends:\n{}",
            log.calls(),
            log.tail()
        );
        log.require_mention("Kernel panic - not syncing: No working init found.")?;
    }
    Ok(())
}

/// Everything that can be left out is: no tests, no monitor, no crash points. The serial port stays, to see something.
fn smallest() -> Result<()> {
    let config = root().join("tests/fixtures/smallest.config");
    let build = build("smallest", &[format!("INCIPIT_CONFIG={}", config.display())])?;
    let image = Image::read(&build.vmlinux())?;
    ensure!(
        image.symbol("__kunit_suites_start").is_none(),
        "the table of tests is there without CONFIG_KUNIT"
    );
    let log = Machine::new(&build.vmlinux())
        .append("kdb kunit.enable=1 lkdtm.cpoint_name=DIRECT")
        .run()?;
    log.require_mention("this image has no tests")?;
    log.require_mention("Kernel panic - not syncing: No working init found.")
}

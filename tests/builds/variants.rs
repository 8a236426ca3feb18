//! The same sources by another profile, in more or fewer pieces, by another linker, with the crates named in another order.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Result, anyhow, bail, ensure};
use incipit_linker::seal::image::Image;
use incipit_linker::seal::list::{self, Row};
use incipit_tests::built::{Build, root};
use incipit_tests::configured::{self, Sizes};
use incipit_tests::guest::Folder;
use incipit_tests::machine::Machine;
use incipit_tests::make::{Failure, make};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// Crates whose initcalls have relations of every kind.
const CRATES: &str = "SUBSYS=tests/fixtures/policies examples/hello tests/fixtures/parameters";

/// What an image is called, and the words that make it.
const VARIANTS: &[(&str, &[&str])] = &[
    ("debug", &[CRATES, "DEBUG=1"]),
    ("one_codegen_unit", &[CRATES, "CODEGEN_UNITS=1"]),
    ("256_codegen_units", &[CRATES, "CODEGEN_UNITS=256"]),
    ("link_time_optimisation", &[CRATES, "LTO=1"]),
    ("gnu_ld", &[CRATES, "LD=gnu"]),
    (
        "another_list_of_crates",
        &["SUBSYS=tests/fixtures/parameters tests/fixtures/policies examples/hello"],
    ),
];

/// The seeds of random configurations; `make randconfig-test` tries others.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=2;

pub fn trials() -> Vec<Trial> {
    let variants = VARIANTS.iter().map(|&(name, words)| {
        trial(format!("variants::{name}_has_the_same_order_and_boots"), move || {
            same_order(name, words)
        })
    });
    variants
        .chain([
            trial("variants::the_smallest_configuration_boots", smallest),
            trial("variants::tinyconfig_builds_and_boots", || preset("tinyconfig").map(drop)),
            trial("variants::a_configuration_of_all_that_there_is_builds_and_boots", || {
                preset("allyesconfig").map(drop)
            }),
        ])
        .chain(SEEDS.map(|seed| {
            trial(format!("variants::random_configuration_{seed}_builds_and_boots"), move || {
                configured::random(seed).map(drop)
            })
        }))
        .collect()
}

/// The image that the others are held against, which is built once, and the initcalls that it calls.
fn usual() -> Result<&'static (Build, Vec<String>)> {
    static USUAL: OnceLock<Result<(Build, Vec<String>), String>> = OnceLock::new();
    let usual = || -> Result<_> {
        let build = build("usual", &[CRATES])?;
        let calls = calls(&build.vmlinux())?;
        Ok((build, calls))
    };
    let usual = USUAL.get_or_init(|| usual().map_err(|error| format!("{error:#}")));
    usual.as_ref().map_err(|text| anyhow!("{text}"))
}

/// Boots `image`, and returns the initcalls that it calls.
fn calls(image: &Path) -> Result<Vec<String>> {
    let log = Machine::new(image).append("initcall_debug ignore_loglevel").run()?;
    log.require_mention("Kernel panic - not syncing: No working init found.")?;
    Ok(log.calls())
}

fn build(name: &str, words: &[&str]) -> Result<Build> {
    let owned: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
    match make(&format!("variants/{name}"), &owned)? {
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

fn same_order(name: &str, words: &[&str]) -> Result<()> {
    let (usual, called) = usual()?;
    let build = build(name, words)?;
    let ours = lines(usual)?;
    // Checks that are off otherwise have entries of their own; they change nothing about the others' order.
    let mut theirs = lines(&build)?;
    theirs.retain(|line| name != "debug" || ours.contains(line));
    let difference = ours.iter().zip(&theirs).find(|(one, other)| one != other);
    ensure!(
        ours == theirs,
        "{} and {} entries, the first difference is {difference:?}",
        ours.len(),
        theirs.len()
    );
    for image in [build.vmlinux(), build.bzimage()] {
        let mut calls = calls(&image)?;
        calls.retain(|call| name != "debug" || called.contains(call));
        ensure!(calls == *called, "the initcalls were {calls:?}");
    }
    Ok(())
}

/// Builds and boots what a target of make configures.
fn preset(target: &str) -> Result<Sizes> {
    let folder = Folder::new()?;
    let config = folder.path().join("config");
    configured::configure(&config, target)?;
    configured::builds_and_boots(&config)
}

/// Everything that can be left out is: no tests, no monitor, no crash points. The serial port stays, to see something.
fn smallest() -> Result<()> {
    let config = root().join("tests/fixtures/smallest.config");
    let build = build("smallest", &[&format!("KCONFIG_CONFIG={}", config.display())])?;
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

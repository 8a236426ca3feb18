//! Init memory: nothing that stays refers to it, whatever compiled and linked the image, and an exception says why.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use incipit_linker::seal::image::Image;
use incipit_linker::seal::records;
use incipit_tests::built::root;
use incipit_tests::machine::Machine;
use incipit_tests::make::{Failure, make};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::mistakes::fails;

/// Who refers to what in the fixture `lingering`: the path and a text of the line at which it is told.
const LINGERING: [(&str, &str, &str, &str); 3] = [
    ("lingering::NEWEST", ".rodata", "lingering::SAMPLES", ".init.data"),
    ("lingering::one", "    sample()", "lingering::sample", "fn sample()"),
    ("lingering::several", "(0..count)", "lingering::sample", "fn sample()"),
];

/// The ways to build it.
const WAYS: [(&str, &[&str]); 4] = [
    ("release", &[]),
    ("debug", &["DEBUG=1"]),
    ("link_time_optimisation", &["LTO=1"]),
    ("gnu_ld", &["LD=gnu"]),
];

pub fn trials() -> Vec<Trial> {
    let ways = WAYS.iter().map(|&(name, words)| {
        trial(format!("mismatch::{name}_refuses_what_stays_and_refers_to_what_goes"), move || {
            lingering(name, words)
        })
    });
    ways.chain([
        trial("mismatch::what_may_refer_to_init_memory_is_built_and_runs", handover),
        trial("mismatch::the_kernel_is_clean_where_nothing_is_inlined", unoptimised),
    ])
    .collect()
}

/// Where the line with `text` is in the library of the fixture `name`; `text` itself if it is a section.
fn place(name: &str, text: &str) -> Result<String> {
    if text.starts_with('.') {
        return Ok(text.to_owned());
    }
    let file = format!("tests/fixtures/{name}/src/lib.rs");
    let source = std::fs::read_to_string(root().join(&file)).with_context(|| file.clone())?;
    let line = source.lines().position(|line| line.contains(text));
    let line = line.with_context(|| format!("{file}: no line with `{text}`"))?;
    Ok(format!("{file}:{}", line + 1))
}

fn lingering(name: &str, words: &[&str]) -> Result<()> {
    let subsystems = "SUBSYS=tests/fixtures/lingering tests/fixtures/handover";
    let text = fails(&format!("mismatch/{name}"), &[words, &[subsystems]].concat())?;
    let mut told: Vec<_> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    for (from, from_place, to, to_place) in LINGERING {
        let first = format!(
            "error: section mismatch: {from} ({}) stays after the boot and refers",
            place("lingering", from_place)?
        );
        let second = format!("to {to} ({}), which does not: put ", place("lingering", to_place)?);
        let at = told.iter().position(|line| line.starts_with(&first) && line.contains(&second));
        let at = at.with_context(|| format!("no `{first} … {second}` in:\n{text}"))?;
        told.remove(at);
    }
    ensure!(told.is_empty(), "more than there is: {told:#?}");
    Ok(())
}

fn handover() -> Result<()> {
    let words = ["DEBUG=1".to_owned(), "SUBSYS=tests/fixtures/handover".to_owned()];
    let build = match make("mismatch/handover", &words)? {
        Ok(build) => build,
        Err(Failure(text)) => bail!("make {} fails:\n{text}", words.join(" ")),
    };
    let exceptions: BTreeMap<_, _> = records::read(&Image::read(&build.vmlinux())?)?
        .into_iter()
        .filter(|record| record.is_exception() && record.path.starts_with("handover::"))
        .map(|record| (record.path.clone(), record))
        .collect();
    for (path, text) in [
        ("handover::FIRST", "static FIRST"),
        ("handover::sum_to", "fn sum_to"),
        ("handover::more", "fn more"),
    ] {
        let record = exceptions.get(path).with_context(|| format!("no record of {path}"))?;
        ensure!(
            record.place() == place("handover", text)?,
            "{path} is said to be at {}",
            record.place()
        );
        let reason = record.get("reason").unwrap_or_default();
        ensure!(reason.ends_with("by handover_init and by nothing else"), "{path}: `{reason}`");
    }
    ensure!(exceptions.len() == 3, "{:?}", exceptions.keys());
    let log = Machine::new(&build.vmlinux()).run()?;
    log.require_mention("handover: 23 and 25 and 49")
}

/// Code that the optimiser leaves alone shows every reference that the sources have.
fn unoptimised() -> Result<()> {
    let words = ["DEBUG=1", "CARGO_PROFILE_CHECKED_OPT_LEVEL=0", "SUBSYS=tests/fixtures/handover"].map(str::to_owned);
    match make("mismatch/unoptimised", &words)? {
        Ok(_) => Ok(()),
        Err(Failure(text)) => bail!("make {} fails:\n{text}", words.join(" ")),
    }
}

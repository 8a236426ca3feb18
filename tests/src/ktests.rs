//! Runs the tests that are inside an image, and tells of each what became of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow, bail, ensure};
use incipit_lib::glob;
use incipit_linker::seal::image::Image;
use incipit_linker::seal::list;
use libtest_mimic::Trial;

use crate::ktap;
use crate::machine::Machine;
use crate::trial::trial;

/// Of each test, by path: none for success, or why it failed.
pub type Results = BTreeMap<String, Option<String>>;

/// The paths of the tests in the image `vmlinux`, in the order in which they run.
///
/// # Errors
///
/// If the image cannot be read.
pub fn declared(vmlinux: &Path) -> Result<Vec<String>> {
    let rows = list::rows(&Image::read(vmlinux)?, Some("ktest"))?;
    Ok(rows.into_iter().map(|row| row.record.path).collect())
}

/// Those of the tests `declared` that the kernel runs with `kunit.filter_glob=PATTERN`.
#[must_use]
pub fn matching(declared: &[String], pattern: &str) -> Vec<String> {
    let fits = |path: &&String| glob::matches(pattern.as_bytes(), path.bytes());
    declared.iter().filter(fits).cloned().collect()
}

/// A trial for each of the tests `declared`. The first that runs boots `machine`, once for all of them.
#[must_use]
pub fn trials(machine: Machine, declared: Vec<String>) -> Vec<Trial> {
    let shared = Arc::new((machine, declared, OnceLock::new()));
    let paths = shared.1.iter().cloned();
    paths
        .map(|path| {
            let shared = Arc::clone(&shared);
            trial(path.clone(), move || {
                let (machine, declared, results) = &*shared;
                let results = results.get_or_init(|| run(machine, declared).map_err(|error| format!("{error:#}")));
                result_of(results, &path)
            })
        })
        .collect()
}

fn result_of(results: &Result<Results, String>, path: &str) -> Result<()> {
    let results = results.as_ref().map_err(|error| anyhow!("{error}"))?;
    match results.get(path).context("the guest does not tell of this test")? {
        None => Ok(()),
        Some(why) => bail!("{why}"),
    }
}

/// Boots `machine` to run the `declared` tests, with `words` on its command line. A test in which the guest ends has failed; the machine is booted again
/// to go on behind it.
///
/// # Errors
///
/// If the guest ends before its first test, or tells of other tests than were declared.
pub fn run(machine: &Machine, declared: &[String]) -> Result<Results> {
    let mut results = Results::new();
    while results.len() < declared.len() {
        let skip = results.len();
        let log = machine.clone().append(&format!("kunit.enable=1 kunit.skip={skip}")).run()?;
        let report = ktap::parse(&log);
        for (path, why) in report.done {
            insert(&mut results, declared, path, why)?;
        }
        if let Some(path) = report.running {
            let story = log.from(&format!("# {} (", path.rsplit("::").next().unwrap_or(&path)));
            insert(
                &mut results,
                declared,
                path,
                Some(format!("the guest ended in this test:\n{story}")),
            )?;
        } else if !report.complete {
            bail!("the guest ended between two tests; the log ends:\n{}", log.tail());
        } else {
            ensure!(
                results.len() == declared.len(),
                "only {} of {} tests ran; the log ends:\n{}",
                results.len(),
                declared.len(),
                log.tail()
            );
        }
    }
    Ok(results)
}

/// Notes the result of the next test, which must be the next that was declared.
fn insert(results: &mut Results, declared: &[String], path: String, why: Option<String>) -> Result<()> {
    match declared.get(results.len()) {
        Some(expected) if *expected == path => {}
        Some(expected) => bail!("the test {path} ran where {expected} should have"),
        None => bail!("the test {path} ran, but the image declares only {}", declared.len()),
    }
    results.insert(path, why);
    Ok(())
}

//! Runs the tests that are inside an image, and tells of each what became of it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use incipit_linker::seal::image::Image;
use incipit_linker::seal::list;

use crate::ktap;
use crate::machine::Machine;

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

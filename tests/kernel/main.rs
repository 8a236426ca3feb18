//! The tests that are inside the kernel, each told as a test of its own.
//!
//! The guest is booted once for all of them, and once more behind each test that ends it.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow, bail};
use incipit_tests::built::Build;
use incipit_tests::ktests::{self, Results};
use incipit_tests::machine::Machine;
use incipit_tests::trial;

fn main() -> ExitCode {
    let vmlinux = Build::ours().vmlinux();
    let declared = match ktests::declared(&vmlinux) {
        Ok(declared) => Arc::new(declared),
        Err(error) => {
            eprintln!("error: {error:#}: `make` builds it");
            return ExitCode::FAILURE;
        }
    };
    let results: Arc<OnceLock<Result<Results, String>>> = Arc::default();
    let trials = declared.iter().map(|path| {
        let (path, declared, results, vmlinux) = (path.clone(), Arc::clone(&declared), Arc::clone(&results), vmlinux.clone());
        trial::trial(path.clone(), move || {
            let all = results.get_or_init(|| ktests::run(&Machine::new(&vmlinux), &declared).map_err(|error| format!("{error:#}")));
            report(all, &path)
        })
    });
    trial::run_in_qemu(trials.collect())
}

fn report(all: &Result<Results, String>, path: &str) -> Result<()> {
    let results = all.as_ref().map_err(|error| anyhow!("{error}"))?;
    match results.get(path).context("the guest does not tell of this test")? {
        None => Ok(()),
        Some(why) => bail!("{why}"),
    }
}

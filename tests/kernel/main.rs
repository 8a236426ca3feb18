//! The tests that are inside the kernel, each told as a test of its own.
//!
//! The guest is booted once for all of them, and once more behind each test that ends it.

use std::process::ExitCode;

use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::{ktests, trial};

fn main() -> ExitCode {
    let vmlinux = Build::ours().vmlinux();
    match ktests::declared(&vmlinux) {
        Ok(declared) => trial::run_in_qemu(ktests::trials(Machine::new(&vmlinux), declared)),
        Err(error) => {
            eprintln!("error: {error:#}: `make` builds it");
            ExitCode::FAILURE
        }
    }
}

//! The linker that rustc is told to use: writes the script, then runs the real linker.

use std::process::ExitCode;

fn main() -> ExitCode {
    match incipit_linker::ld::run(std::env::args_os().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("incipit-ld: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! `golden IMAGE`: writes the golden sequences from an image. The difference is for people to review.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use incipit_tests::golden::{INITCALLS, STAGES};

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
    let image = std::env::args_os().nth(1).context("usage: golden IMAGE")?;
    for sequence in [STAGES, INITCALLS] {
        let path = sequence.path();
        std::fs::write(&path, sequence.generate(Path::new(&image))?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

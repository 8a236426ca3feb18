//! `shuffle IMAGE`: boots an image in many legal orders of its initcalls; the first that goes differently is narrowed down to a pair.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use incipit_tests::shuffle::{Shuffle, Verdict};

/// Boots an image in many legal orders of its initcalls.
#[derive(Parser)]
struct Arguments {
    /// The image
    image: PathBuf,
    /// How many orders
    #[arg(long, default_value_t = 20)]
    count: u64,
    /// The first order's seed; the others follow it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// More words for the kernel command line
    #[arg(long, default_value = "")]
    append: String,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let shuffle = Shuffle::new(&arguments.image, &arguments.append)?;
    let terminal = std::io::stderr().is_terminal();
    let verdict = shuffle.run(arguments.seed, arguments.count, |tried| {
        if terminal {
            // A count that cannot be shown is not missed.
            let _ = write!(std::io::stderr(), "\rshuffle: {tried} of {}", arguments.count);
        }
    })?;
    if terminal {
        eprintln!();
    }
    match verdict {
        Verdict::Passed => {
            println!(
                "{} orders, seeds from {}: every boot went as in the order of the build",
                arguments.count, arguments.seed
            );
            Ok(ExitCode::SUCCESS)
        }
        Verdict::Failed(text) => {
            println!("{text}");
            Ok(ExitCode::FAILURE)
        }
    }
}

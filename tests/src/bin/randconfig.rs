//! `randconfig`: builds and boots random configurations, and tells the seeds of those that fail.

use std::process::ExitCode;

use clap::Parser;
use incipit_tests::configured;

/// Builds and boots random configurations.
#[derive(Parser)]
struct Arguments {
    /// How many
    #[arg(long, default_value_t = 20)]
    count: u64,
    /// The first one's seed; the others follow it
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut failed = Vec::new();
    for seed in (arguments.seed..).take(usize::try_from(arguments.count).unwrap_or(usize::MAX)) {
        match configured::random(seed) {
            Ok(sizes) => println!("seed {seed}: boots; {sizes}"),
            Err(error) => {
                println!("seed {seed}: FAILS\n{error:#}");
                failed.push(seed);
            }
        }
    }
    println!(
        "{} random configurations, {} of which fail: {failed:?}",
        arguments.count,
        failed.len()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

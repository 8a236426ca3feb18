//! `boots IMAGE`: boots an image again and again on machines with 1, 2, 4 and 8 CPUs, and counts the boots in which a CPU does not come, or something is complained of.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use incipit_tests::boots::{self, Outcome};

/// Boots an image again and again on machines with several CPUs.
#[derive(Parser)]
struct Arguments {
    /// The image
    image: PathBuf,
    /// How many boots of each machine
    #[arg(long, default_value_t = 20)]
    count: u64,
    /// In Bochs instead of QEMU
    #[arg(long)]
    bochs: bool,
    /// In QEMU on KVM
    #[arg(long, conflicts_with = "bochs")]
    kvm: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let kinds = match (arguments.bochs, arguments.kvm) {
        (true, _) => boots::bochs(),
        (_, true) => boots::kvm(),
        _ => boots::qemu(),
    };
    let total = kinds.len() as u64 * arguments.count;
    let terminal = std::io::stderr().is_terminal();
    let outcomes = boots::run(&arguments.image, &kinds, arguments.count, |over| {
        if terminal {
            // A count that cannot be shown is not missed.
            let _ = write!(std::io::stderr(), "\rboots: {over} of {total}");
        }
    });
    if terminal {
        eprintln!();
    }
    outcomes.iter().for_each(report);
    let missed: usize = outcomes.iter().map(|outcome| outcome.misses.len()).sum();
    println!("{total} boots, {missed} missed");
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(outcome: &Outcome) {
    let times = &outcome.times;
    let seconds = |index: usize| times.get(index).map_or(0.0, std::time::Duration::as_secs_f64);
    println!(
        "{:<32} {:>4} boots, {:>3} missed; {:.2} s, {:.2} s, {:.2} s (shortest, median, longest)",
        outcome.kind.to_string(),
        times.len() + outcome.misses.len(),
        outcome.misses.len(),
        seconds(0),
        seconds(times.len() / 2),
        seconds(times.len().saturating_sub(1))
    );
    for miss in &outcome.misses {
        println!("{miss}");
    }
}

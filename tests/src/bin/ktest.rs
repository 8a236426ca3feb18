//! `make ktest`: runs tests that are inside an image, and tells of each what became of it.
//!
//! Succeeds only if at least one test ran and all passed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use incipit_tests::built::has_program;
use incipit_tests::ktests;
use incipit_tests::machine::{Accelerator, Machine, QEMU};
use libtest_mimic::{Arguments, Trial};

/// Boots an image in QEMU to run the tests inside it.
#[derive(Parser)]
#[command(name = "ktest")]
struct Words {
    /// The image
    #[arg(long)]
    image: PathBuf,
    /// A file that names crates, one a line, whose tests run unless a filter says otherwise
    #[arg(long)]
    crates: Option<PathBuf>,
    /// Run the tests whose path matches: `*` is any text, `?` any character
    #[arg(long)]
    filter: Option<String>,
    /// pc, q35 or microvm
    #[arg(long, default_value = "pc")]
    machine: String,
    /// The processor's model, as QEMU names it
    #[arg(long, default_value = "max")]
    cpu: String,
    /// What runs the processors
    #[arg(long, value_enum, default_value_t)]
    accelerator: Accelerator,
    /// The size of the memory, as QEMU takes it
    #[arg(long, default_value = "128M")]
    memory: String,
    /// How many processors there are
    #[arg(long, default_value_t = 1)]
    processors: u32,
    /// More words for the kernel's command line
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    append: String,
    /// An initial ramdisk
    #[arg(long)]
    initrd: Option<PathBuf>,
}

fn main() -> ExitCode {
    match trials(&Words::parse()) {
        Ok(trials) => libtest_mimic::run(&Arguments::default(), trials).exit_code(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn trials(words: &Words) -> Result<Vec<Trial>> {
    ensure!(has_program(QEMU), "{QEMU} is not installed");
    let all = ktests::declared(&words.image)?;
    ensure!(
        !all.is_empty(),
        "{} has no tests: it was built without CONFIG_KUNIT",
        words.image.display()
    );
    let patterns = match &words.filter {
        Some(filter) => vec![filter.clone()],
        None => patterns(words)?,
    };
    let mut trials = Vec::new();
    for pattern in patterns {
        let declared = ktests::matching(&all, &pattern);
        if declared.is_empty() {
            bail!(
                "no test of {} matches {pattern}; the first of {} is {}",
                words.image.display(),
                all.len(),
                all[0]
            );
        }
        trials.extend(ktests::trials(
            machine(words).append(&format!("kunit.filter_glob={pattern}")),
            declared,
        ));
    }
    Ok(trials)
}

/// Which tests run unless a filter says otherwise: those of each named crate, or all.
fn patterns(words: &Words) -> Result<Vec<String>> {
    let Some(file) = &words.crates else {
        return Ok(vec!["*".to_owned()]);
    };
    let crates = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    ensure!(!crates.is_empty(), "no crate of SUBSYS is in {}", words.image.display());
    Ok(crates.lines().map(|name| format!("{name}::*")).collect())
}

fn machine(words: &Words) -> Machine {
    let machine = Machine::new(Path::new(&words.image))
        .chipset(&words.machine)
        .cpu(&words.cpu)
        .accelerator(words.accelerator)
        .memory(&words.memory)
        .processors(words.processors)
        .append(&words.append);
    match &words.initrd {
        Some(file) => machine.initrd(file),
        None => machine,
    }
}

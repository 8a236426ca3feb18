//! The tables' tool: seals a linked image, lists what an image declares, prints what the descriptions generate.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use incipit_linker::seal::image::Image;
use incipit_linker::seal::{self, Outcome, list};
use incipit_linker::{reference, script};

/// Works with the link-time tables of an Incipit image.
#[derive(Parser)]
#[command(name = "incipit-linker", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a linked image, sort its tables and write the image that boots
    Seal(Seal),
    /// List what an image declares, in the order in which the kernel walks it, with tabs between the columns
    List {
        /// The image, sealed or not
        #[arg(long)]
        image: PathBuf,
        /// Only this table: stage, initcall, ktest, param, …
        #[arg(long)]
        table: Option<String>,
    },
    /// Print the linker script
    Script {
        /// A symbol of the configuration that is on
        #[arg(long)]
        config: Vec<String>,
        /// A slice of the crate `linkme`, whose elements may change
        #[arg(long)]
        slice: Vec<String>,
    },
    /// Print the reference page of the tables
    Tables,
    /// Print the front page of an image's documentation
    Index {
        /// The image, sealed or not
        #[arg(long)]
        image: PathBuf,
        /// Where rustdoc put the pages of the crates
        #[arg(long)]
        folder: PathBuf,
    },
    /// Print the reference page of an image's kernel parameters
    Parameters {
        /// The image, sealed or not
        #[arg(long)]
        image: PathBuf,
        /// A crate and the symbol that switches it, on each line
        #[arg(long)]
        switches: PathBuf,
    },
}

#[derive(clap::Args)]
struct Seal {
    /// The linked image
    #[arg(long)]
    image: PathBuf,
    /// What `cargo build --message-format=json` said while building it
    #[arg(long)]
    artifacts: PathBuf,
    /// The enabled crates, a package name a line
    #[arg(long)]
    crates: PathBuf,
    /// The target of the build
    #[arg(long, default_value = "x86_64-unknown-none")]
    target: String,
    /// Where the sealed image goes
    #[arg(long)]
    output: PathBuf,
    /// Where System.map goes
    #[arg(long)]
    map: PathBuf,
    /// Tell what is in the image, a line per table
    #[arg(long, short)]
    verbose: bool,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Seal(arguments) => run_seal(arguments),
        Command::List { image, table } => run_list(&image, table.as_deref()),
        Command::Script { config, slice } => {
            let slices = slice.into_iter().map(|name| script::Slice { name, writable: true }).collect();
            print(&script::generate(&script::Options { config, slices }))
        }
        Command::Tables => print(&reference::tables::page()),
        Command::Index { image, folder } => run_index(&image, &folder),
        Command::Parameters { image, switches } => run_parameters(&image, &switches),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run_seal(
    Seal {
        image,
        artifacts,
        crates,
        target,
        output,
        map,
        verbose,
    }: Seal,
) -> Result<ExitCode> {
    match seal::seal(&seal::Options {
        image,
        artifacts,
        crates,
        target,
        output,
        map,
    })? {
        Outcome::Sealed(lines) if verbose => print(&(lines.join("\n") + "\n")),
        Outcome::Sealed(_) => Ok(ExitCode::SUCCESS),
        Outcome::Refused(problems) => {
            for problem in problems {
                eprintln!("error: {problem}");
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

fn run_list(image: &Path, table: Option<&str>) -> Result<ExitCode> {
    let rows = list::rows(&Image::read(image)?, table)?;
    print(&rows.iter().map(|row| row.to_line() + "\n").collect::<String>())
}

fn run_index(image: &Path, folder: &Path) -> Result<ExitCode> {
    print(&reference::index::page(&list::rows(&Image::read(image)?, None)?, folder))
}

fn run_parameters(image: &Path, switches: &Path) -> Result<ExitCode> {
    let switches = fs::read_to_string(switches).with_context(|| switches.display().to_string())?;
    print(&reference::parameters::page_of(&Image::read(image)?, &switches)?)
}

/// Prints to standard output; a reader that has seen enough is no error.
fn print(text: &str) -> Result<ExitCode> {
    let mut output = BufWriter::new(std::io::stdout().lock());
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

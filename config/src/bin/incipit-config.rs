//! The configuration's tool: writes the package that is built into the image, and the crates of new subsystems.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use incipit_config::{Config, image, root, subsystem};

/// Works with the configuration of an Incipit image.
#[derive(Parser)]
#[command(name = "incipit-config", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the package that is built into the image
    Image {
        /// The folder of the package
        #[arg(long)]
        output: PathBuf,
        /// Folders of subsystem crates besides the tree's
        crates: Vec<PathBuf>,
    },
    /// Write the crate of a new subsystem
    New {
        /// The crate's name, and the prefix of its parameters
        #[arg(long)]
        name: String,
        /// The crate's folder
        #[arg(long)]
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Image { output, crates } => assemble(&output, &crates),
        Command::New { name, folder } => create(&name, &folder),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn assemble(output: &Path, crates: &[PathBuf]) -> Result<()> {
    let package = image::Package::assemble(&root(), &Config::load()?, crates)?;
    for line in package.left_out() {
        eprintln!("note: {line}");
    }
    package.write(output)
}

fn create(name: &str, folder: &Path) -> Result<()> {
    subsystem::create(&subsystem::Name::new(name, &root())?, folder, &root())?;
    let shown = folder.display();
    println!(
        "{shown}: the crate {name}. See it in the boot, and run its tests:\n    make run SUBSYS={shown}\n    make ktest SUBSYS={shown}"
    );
    Ok(())
}

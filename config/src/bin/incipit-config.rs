//! `incipit-config image --output DIR [CRATE_DIR…]`: writes the package that is built into the image.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use incipit_config::{Config, image};

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
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|command| command != "image") || arguments.next().is_none_or(|option| option != "--output") {
        bail!("usage: incipit-config image --output DIR [CRATE_DIR…]");
    }
    let output = PathBuf::from(arguments.next().context("--output: names the folder of the package")?);
    let extra: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let config = Config::load()?;
    image::Package::assemble(&incipit_config::root(), &config, &extra)?.write(&output)
}

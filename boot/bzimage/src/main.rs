//! `incipit-bzimage --vmlinux FILE --output FILE`: packs a linked kernel as a bzImage.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::Parser;

/// Packs the linked kernel for boot loaders that speak the Linux boot protocol.
#[derive(Parser)]
struct Arguments {
    /// The linked kernel, an ELF file
    #[arg(long, value_name = "FILE")]
    vmlinux: PathBuf,
    /// The EFI stub, a position-independent ELF file; without one the bzImage is no EFI application
    #[arg(long, value_name = "FILE")]
    stub: Option<PathBuf>,
    /// The bzImage to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

fn main() -> ExitCode {
    match pack(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("incipit-bzimage: {message}");
            ExitCode::FAILURE
        }
    }
}

fn pack(arguments: &Arguments) -> Result<(), String> {
    let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let vmlinux = fs::read(&arguments.vmlinux).map_err(|error| failed(&arguments.vmlinux, error))?;
    let read = |path: &PathBuf| fs::read(path).map_err(|error| failed(path, error));
    let stub = arguments.stub.as_ref().map(read).transpose()?;
    let image = incipit_bzimage::build(&vmlinux, stub.as_deref()).map_err(|error| format!("{}: {error}", arguments.vmlinux.display()))?;
    fs::write(&arguments.output, image).map_err(|error| failed(&arguments.output, error))
}

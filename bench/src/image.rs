//! Builds the images: `make` with a folder and a list of crates for each.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Builds the image of the default configuration and the crates in `guests` (folders under `bench/guest`), as `out/bench/NAME/vmlinux`, which is returned, and
/// `bzImage` beside it.
///
/// # Errors
///
/// If the build fails. Make says itself, on standard error, what is wrong.
pub fn build(root: &Path, name: &str, guests: &[&str]) -> Result<PathBuf> {
    let folder = Path::new("out/bench").join(name);
    let vmlinux = folder.join("vmlinux");
    let crates: Vec<_> = guests.iter().map(|guest| format!("bench/guest/{guest}")).collect();
    let mut make = Command::new("make");
    make.arg("--no-print-directory")
        .arg(format!("O={}", folder.display()))
        .arg(format!("SUBSYS={}", crates.join(" ")))
        .arg(folder.join("bzImage"));
    // The figures are the default configuration's.
    make.env("KCONFIG_CONFIG", root.join("config/defconfig"));
    // A build for figures takes nothing over from the command line of the make that started this.
    let status = make
        .env_remove("MAKEFLAGS")
        .current_dir(root)
        .stdin(Stdio::null())
        .status()
        .context("starting make")?;
    ensure!(status.success(), "the image {name} could not be built");
    Ok(root.join(vmlinux))
}

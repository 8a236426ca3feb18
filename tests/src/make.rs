//! Builds other images than `make` alone does, with the command that a user would type.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};

use crate::built::{Build, root};

/// What of the environment a build gets: nothing that says how the tests themselves were built.
const KEPT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "TERM",
    "LANG",
    "RUSTC",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "XDG_CACHE_HOME",
    "INCIPIT_SYSROOT",
    "TMPDIR",
];

/// The subsystem crates of the [extended](extended) image.
const EXTENSIONS: &[&str] = &[
    "examples/hello",
    "examples/registries",
    "tests/fixtures/misbehaving",
    "tests/fixtures/parameters",
    "tests/fixtures/pieces",
];

/// What a build said, when it failed.
#[derive(Debug)]
pub struct Failure(pub String);

/// Runs `make O=out/NAME` with `words`, and returns the image or what went wrong.
///
/// # Errors
///
/// If make cannot be started. A build that fails is no error but `Err(Failure)` within.
pub fn make(name: &str, words: &[String]) -> Result<Result<Build, Failure>> {
    // Builds share what they have compiled, so one waits for the other.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = format!("out/{name}");
    let output = Command::new("make")
        .current_dir(root())
        .arg(format!("O={folder}"))
        .args(words)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| KEPT.iter().any(|kept| name == kept)))
        .output()
        .context("starting make")?;
    if output.status.success() {
        return Ok(Ok(Build::in_folder(root().join(folder))));
    }
    Ok(Err(Failure(String::from_utf8_lossy(&output.stderr).into_owned())))
}

/// The image with the examples and the fixtures in it, which is built once.
///
/// # Errors
///
/// If it does not build; the error shows what the build said.
pub fn extended() -> Result<&'static Build> {
    static BUILD: OnceLock<Result<Build, String>> = OnceLock::new();
    let build = || match make("extended", &[format!("SUBSYS={}", EXTENSIONS.join(" "))]) {
        Ok(Ok(build)) => Ok(build),
        Ok(Err(Failure(text))) => Err(text),
        Err(error) => Err(format!("{error:#}")),
    };
    match BUILD.get_or_init(build) {
        Ok(build) => Ok(build),
        Err(text) => bail!("the extended image does not build:\n{text}"),
    }
}

/// The folder of a fixture.
#[must_use]
pub fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

//! Builds other images than `make` alone does, with the command that a user would type.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};

use crate::built::{Build, root};
use crate::guest::Guest;

/// What of the environment a build gets.
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

/// The subsystem crates of the [extended] image.
const EXTENSIONS: &[&str] = &[
    "examples/hello",
    "examples/registries",
    "tests/fixtures/misbehaving",
    "tests/fixtures/parameters",
    "tests/fixtures/pieces",
    "tests/fixtures/policies",
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
    let _turn = turn();
    make_now(name, words)
}

/// Runs `command`, which calls make, in a shell at the project's root, as a user would type it.
///
/// # Errors
///
/// If the shell cannot be started.
pub fn typed(command: &str) -> Result<Output> {
    let _turn = turn();
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    plain(&mut shell);
    shell.output().with_context(|| command.to_owned())
}

/// The same for a command that ends in a machine with its console on the terminal, which `session` gets.
///
/// # Errors
///
/// If the shell cannot be started, or `session` fails.
pub fn watched(command: &str, session: impl FnOnce(Guest) -> Result<()>) -> Result<()> {
    let _turn = turn();
    session(Guest::watch("sh", &["-c".to_owned(), command.to_owned()], plain)?)
}

/// Builds share what they have compiled, so one waits for the other.
fn turn() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make_now(name: &str, words: &[String]) -> Result<Result<Build, Failure>> {
    let folder = format!("out/{name}");
    let mut command = Command::new("make");
    command.arg(format!("O={folder}")).args(words);
    plain(&mut command);
    let output = command.output().context("starting make")?;
    if output.status.success() {
        return Ok(Ok(Build::in_folder(root().join(folder))));
    }
    Ok(Err(Failure(String::from_utf8_lossy(&output.stderr).into_owned())))
}

/// Lets `command` run at the project's root, in an environment that says nothing of how the tests were built.
fn plain(command: &mut Command) {
    command
        .current_dir(root())
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| KEPT.iter().any(|kept| name == kept)));
}

/// The word that adds the subsystem crates of the [extended] image.
#[must_use]
pub fn extensions() -> String {
    format!("SUBSYS={}", EXTENSIONS.join(" "))
}

/// The image with the examples and the fixtures in it, which is built once.
///
/// # Errors
///
/// If it does not build; the error shows what the build said.
pub fn extended() -> Result<&'static Build> {
    static BUILD: BuiltOnce = BuiltOnce::new();
    BUILD.make("extended", &[extensions()])
}

/// An image that several tests boot, and the first of them builds.
pub struct BuiltOnce(OnceLock<Result<Build, String>>);

impl BuiltOnce {
    /// Not built yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// What [`make`] makes of these words.
    ///
    /// # Errors
    ///
    /// If it does not build; the error shows what the build said.
    pub fn make(&self, output: &str, words: &[String]) -> Result<&Build> {
        let build = || match make(output, words) {
            Ok(Ok(build)) => Ok(build),
            Ok(Err(Failure(text))) => Err(text),
            Err(error) => Err(format!("{error:#}")),
        };
        match self.0.get_or_init(build) {
            Ok(build) => Ok(build),
            Err(text) => bail!("the image {output} does not build:\n{text}"),
        }
    }
}

impl Default for BuiltOnce {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes the extended image twice in a row, and tells whether the second time left it alone.
///
/// # Errors
///
/// If that fails.
pub fn second_make_builds_nothing() -> Result<bool> {
    let image = extended()?.vmlinux();
    let _turn = turn();
    let mut written = Vec::new();
    for _ in 0..2 {
        if let Err(Failure(text)) = make_now("extended", &[extensions()])? {
            bail!("the extended image does not build again:\n{text}");
        }
        written.push(std::fs::metadata(&image)?.modified()?);
    }
    Ok(written[0] == written[1])
}

/// Runs `make run` with the extended image and `words`, as a user would on a terminal, and gives the guest to `session`.
///
/// # Errors
///
/// If the image does not build, make cannot be started, or `session` fails.
pub fn run_extended(words: &str, session: impl FnOnce(Guest) -> Result<()>) -> Result<()> {
    extended()?;
    watched(&format!("make O=out/extended '{}' run {words}", extensions()), session)
}

/// The folder of a fixture.
#[must_use]
pub fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

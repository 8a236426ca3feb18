//! Programs that make something and say little.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Runs `command` to its end.
///
/// # Errors
///
/// If it cannot be started (`package` has it, in Debian's words) or fails; the error shows what it said.
pub fn run(command: &mut Command, package: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}, which is in the package {package}"))?;
    ensure!(
        output.status.success(),
        "{name} failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

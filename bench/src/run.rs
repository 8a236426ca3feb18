//! Boots an image in QEMU so that every run executes the same instructions, and returns what the guest reported.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use incipit_machine::qemu::{PROGRAM, QUIET, SAME};

use crate::plan::Boot;

/// What a guest writes to the debug port comes out of QEMU's standard output.
const DEBUG_PORT: &str = "-debugcon stdio";

/// How long a guest may run. Far above what any takes, UEFI counted instruction by instruction included; a guest that hangs must not hang the caller.
const LIMIT: Duration = Duration::from_secs(600);

/// Boots the build of `vmlinux` and returns what it wrote to the debug port. The guest ends by itself, in the panic of a boot without init.
///
/// # Errors
///
/// If QEMU cannot be started or fails, its media cannot be made, or the guest does not end.
pub fn boot(boot: &Boot, vmlinux: &Path) -> Result<String> {
    let log = vmlinux.with_extension("log");
    let mut serial = OsString::from("file:");
    serial.push(&log);
    let folder = vmlinux.with_file_name("media");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut machine = boot.way.machine(vmlinux);
    machine.append(boot.command_line().as_bytes());
    machine.processors = boot.processors;
    if let Some(memory) = boot.memory {
        machine.memory = memory.into();
    }
    let mut child = Command::new(PROGRAM)
        .args(QUIET.split(' '))
        .args(SAME.split(' '))
        .args(DEBUG_PORT.split(' '))
        .args(machine.qemu_words(&folder)?)
        .arg("-serial")
        .arg(serial)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {PROGRAM}"))?;
    let mut output = child.stdout.take().context("QEMU has no output")?;
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        output.read_to_end(&mut bytes).map(|_| bytes)
    });
    let ended = wait(&mut child)?;
    let bytes = reader
        .join()
        .map_err(|_| anyhow::anyhow!("the reader of QEMU's output is gone"))??;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    ensure!(
        ended,
        "the guest did not end in {} s; see {}, and what it reported:\n{text}",
        LIMIT.as_secs(),
        log.display()
    );
    Ok(text)
}

/// Waits for QEMU's end; `false` if it had to be ended.
fn wait(child: &mut Child) -> Result<bool> {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "QEMU failed ({status})");
            return Ok(true);
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

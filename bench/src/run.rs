//! Boots an image in QEMU so that every run executes the same instructions, and returns what the guest reported.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// The emulator.
pub const QEMU: &str = "qemu-system-x86_64";

/// What makes two runs the same: one instruction is one nanosecond of the guest's time, no time passes outside of it, and nothing in it is random.
pub const MACHINE: &str = "-accel tcg -icount shift=0,sleep=off -rtc base=2024-01-01,clock=vm -seed 1 -cpu max,-rdrand,-rdseed -m 128M";

/// No window, no network, no monitor; what the guest writes to the debug port on standard output; a reset of the guest ends it.
const QUIET: &str = "-no-user-config -machine pc -nic none -display none -monitor none -debugcon stdio -no-reboot";

/// How long a guest may run. Far above what any takes; a guest that hangs must not hang the caller.
const LIMIT: Duration = Duration::from_secs(120);

/// Boots `vmlinux` by its PVH note and returns what it wrote to the debug port. The guest ends by itself, in the panic of a boot without init.
///
/// # Errors
///
/// If QEMU cannot be started or fails, or the guest does not end.
pub fn boot(vmlinux: &Path, command_line: &str) -> Result<String> {
    let log = vmlinux.with_extension("log");
    let mut serial = OsString::from("file:");
    serial.push(&log);
    let mut child = Command::new(QEMU)
        .args(QUIET.split(' '))
        .args(MACHINE.split(' '))
        .arg("-serial")
        .arg(serial)
        .arg("-kernel")
        .arg(vmlinux)
        .arg("-append")
        .arg(command_line)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {QEMU}"))?;
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

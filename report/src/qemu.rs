//! A machine of QEMU's that executes the same instructions in every run, with the kernel's monitor on standard input and output.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use incipit_machine::qemu::{PROGRAM, QUIET, SAME, SERIAL_ON_STDIO};

/// The kernel's own words: to the monitor at the end of the boot, and an end if it panics before. With the rate of the counter given, no boot measures it.
const ALWAYS: &str = "console=ttyS0 kdb panic=-1 tsc_early_khz=1000000";

/// What the monitor writes when it waits for a line.
const PROMPT: &str = "[0]kdb> ";

const NO_MONITOR: &str =
    "the boot did not come to the monitor; the image must have one (CONFIG_KDB), and a serial port to reach it by (CONFIG_SERIAL_8250)";

/// How long a guest may run. Far above what any takes; a guest that hangs must not hang the caller.
const LIMIT: Duration = Duration::from_secs(120);

/// How many of the last lines of a log an error shows.
const SHOWN: usize = 20;

/// What can be chosen of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The chipset, as `-machine` takes it.
    pub chipset: String,
    /// The size of memory, as `-m` takes it.
    pub memory: String,
    /// More words for the kernel's command line.
    pub append: String,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            chipset: "pc".into(),
            memory: "128M".into(),
            append: String::new(),
        }
    }
}

/// A kernel whose monitor waits for a line. The machine ends when this is dropped.
pub struct Session {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// What was read and not yet waited for.
    pending: Vec<u8>,
    deadline: Instant,
}

impl Session {
    /// Boots `vmlinux` by its PVH note, up to the monitor.
    ///
    /// # Errors
    ///
    /// If QEMU cannot be started, or the boot does not come to the monitor; the error shows the end of the log.
    pub fn boot(vmlinux: &Path, machine: &Machine) -> Result<Self> {
        let mut description = incipit_machine::Machine::new(vmlinux);
        description.chipset.clone_from(&machine.chipset);
        description.memory.clone_from(&machine.memory);
        description.append(format!("{ALWAYS} {}", machine.append).trim_end().as_bytes());
        // QEMU loads the image itself, so there are no media to be put anywhere.
        let words = description.qemu_words(Path::new(""))?;
        let mut child = Command::new(PROGRAM)
            .args([QUIET, SAME, SERIAL_ON_STDIO].into_iter().flat_map(|words| words.split(' ')))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {PROGRAM}"))?;
        let input = child.stdin.take().context("QEMU has no input")?;
        let output = read_in_background(child.stdout.take().context("QEMU has no output")?);
        let mut session = Self {
            child,
            input,
            output,
            pending: Vec::new(),
            deadline: Instant::now() + LIMIT,
        };
        session.wait_for_prompt().context(NO_MONITOR)?;
        Ok(session)
    }

    /// Types `line`, and returns what the monitor answers.
    ///
    /// # Errors
    ///
    /// If the machine ends, or the answer does not.
    pub fn obey(&mut self, line: &str) -> Result<String> {
        let typed = self
            .input
            .write_all(format!("{line}\r").as_bytes())
            .and_then(|()| self.input.flush());
        typed.with_context(|| format!("typing `{line}`"))?;
        let text = self
            .wait_for_prompt()
            .with_context(|| format!("waiting for the answer to `{line}`"))?;
        // The line that was typed comes back first.
        Ok(text.split_once('\n').map_or_else(String::new, |(_, answer)| answer.to_owned()))
    }

    /// Returns what the guest writes up to the next prompt.
    fn wait_for_prompt(&mut self) -> Result<String> {
        let mut searched = 0;
        loop {
            if let Some(at) = find(&self.pending[searched..], PROMPT.as_bytes()) {
                let rest = self.pending.split_off(searched + at + PROMPT.len());
                let mut text = std::mem::replace(&mut self.pending, rest);
                text.truncate(searched + at);
                return Ok(to_text(&text));
            }
            searched = self.pending.len().saturating_sub(PROMPT.len());
            match self.output.recv_timeout(self.deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.pending.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => bail!("the guest ended: {}", self.tail()),
                Err(RecvTimeoutError::Timeout) => bail!("nothing in {} s: {}", LIMIT.as_secs(), self.tail()),
            }
        }
    }

    fn tail(&self) -> String {
        let text = to_text(&self.pending);
        let lines: Vec<_> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(SHOWN)..];
        if shown.is_empty() {
            return "it wrote nothing".into();
        }
        format!("the log ends\n{}", shown.join("\n"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hands on what comes out of `pipe`, so that waiting for it can have an end.
fn read_in_background(mut pipe: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(16);
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

fn to_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\r', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_found_across_pieces_and_only_once() {
        assert_eq!(find(b"a\n[0]kdb> [0]kdb> ", PROMPT.as_bytes()), Some(2));
        assert_eq!(find(b"[0]kdb>", PROMPT.as_bytes()), None);
    }

    #[test]
    fn an_image_that_is_none_is_an_error_that_says_so() {
        let machine = Machine::default();
        let Err(error) = Session::boot(Path::new("/nonexistent/vmlinux"), &machine) else {
            panic!("nothing was booted");
        };
        let text = format!("{error:#}");
        assert!(
            text.contains("the boot did not come to the monitor") || text.contains("starting"),
            "{text}"
        );
    }
}

//! Describes a machine of QEMU's, and starts it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::guest::{Folder, Guest};
use crate::log::Log;

/// The emulator.
pub const QEMU: &str = "qemu-system-x86_64";

/// A machine that is not running yet.
#[derive(Debug, Clone)]
pub struct Machine {
    kernel: PathBuf,
    chipset: String,
    cpu: String,
    memory: String,
    processors: u32,
    command_line: OsString,
    initrd: Option<PathBuf>,
    monitored: bool,
    debugged: bool,
}

impl Machine {
    /// A `pc` with one `max` processor and 128 MiB that boots `kernel`, an ELF image by its PVH note or a bzImage, and ends when the kernel panics.
    #[must_use]
    pub fn new(kernel: &Path) -> Self {
        Self {
            kernel: kernel.to_owned(),
            chipset: "pc".into(),
            cpu: "max".into(),
            memory: "128M".into(),
            processors: 1,
            command_line: "console=ttyS0 panic=-1".into(),
            initrd: None,
            monitored: false,
            debugged: false,
        }
    }

    /// With another chipset: `pc`, `q35` or `microvm`.
    #[must_use]
    pub fn chipset(mut self, chipset: &str) -> Self {
        chipset.clone_into(&mut self.chipset);
        self
    }

    /// With another processor, as QEMU's `-cpu` names it.
    #[must_use]
    pub fn cpu(mut self, cpu: &str) -> Self {
        cpu.clone_into(&mut self.cpu);
        self
    }

    /// With another size of memory, as QEMU's `-m` takes it.
    #[must_use]
    pub fn memory(mut self, memory: &str) -> Self {
        memory.clone_into(&mut self.memory);
        self
    }

    /// With several processors.
    #[must_use]
    pub fn processors(mut self, count: u32) -> Self {
        self.processors = count;
        self
    }

    /// With more words on the kernel's command line, behind those that the machine has already.
    #[must_use]
    pub fn append(self, words: &str) -> Self {
        self.append_bytes(words.as_bytes())
    }

    /// The same with words that need be no text.
    #[must_use]
    pub fn append_bytes(mut self, words: &[u8]) -> Self {
        self.command_line.push(" ");
        self.command_line.push(OsStr::from_bytes(words));
        self
    }

    /// With an initial ramdisk.
    #[must_use]
    pub fn initrd(mut self, file: &Path) -> Self {
        self.initrd = Some(file.to_owned());
        self
    }

    /// With QEMU's monitor at hand: [`Guest::monitor`].
    #[must_use]
    pub fn monitored(mut self) -> Self {
        self.monitored = true;
        self
    }

    /// Stopped at its first instruction, with QEMU's debugger stub at hand: [`Guest::debugger`].
    #[must_use]
    pub fn debugged(mut self) -> Self {
        self.debugged = true;
        self
    }

    /// Starts the machine.
    ///
    /// # Errors
    ///
    /// If QEMU cannot be started or does not answer.
    pub fn start(&self) -> Result<Guest> {
        let folder = Folder::new()?;
        let sockets = folder.listen(self.monitored, self.debugged)?;
        let mut command = Command::new(QEMU);
        command
            .args([
                "-no-user-config",
                "-accel",
                "tcg",
                "-machine",
                &self.chipset,
                "-cpu",
                &self.cpu,
                "-m",
                &self.memory,
            ])
            .args([
                "-smp",
                &self.processors.to_string(),
                "-nic",
                "none",
                "-no-reboot",
                "-display",
                "none",
                "-monitor",
                "none",
            ])
            .args(["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"])
            .arg("-kernel")
            .arg(&self.kernel)
            .arg("-append")
            .arg(&self.command_line);
        if let Some(initrd) = &self.initrd {
            command.arg("-initrd").arg(initrd);
        }
        if self.monitored {
            command.args(["-chardev", &folder.client("monitor"), "-mon", "chardev=monitor,mode=control"]);
        }
        if self.debugged {
            command.args(["-S", "-chardev", &folder.client("debugger"), "-gdb", "chardev:debugger"]);
        }
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {QEMU}"))?;
        Guest::new(child, folder, sockets)
    }

    /// Starts the machine and waits until the guest ends it.
    ///
    /// # Errors
    ///
    /// If QEMU cannot be started, fails, or does not end.
    pub fn run(&self) -> Result<Log> {
        self.start()?.wait_for_end()
    }
}

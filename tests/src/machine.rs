//! A machine for a test, and how it is started.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use incipit_machine::grub::Protocol;
pub use incipit_machine::machine::{Accelerator, Emulator, Firmware, Loader};
pub use incipit_machine::qemu::PROGRAM as QEMU;
use incipit_machine::{bochs, firmware, qemu};

use crate::built::has_program;
use crate::guest::{Folder, Guest};
use crate::log::Log;

/// A machine that is not running yet.
#[derive(Debug, Clone)]
pub struct Machine {
    description: incipit_machine::Machine,
    monitored: bool,
    debugged: bool,
}

impl Machine {
    /// QEMU's `pc` with one `max` processor and 128 MiB that boots `kernel`, an ELF image by its PVH note or a bzImage, and ends when the kernel panics.
    #[must_use]
    pub fn new(kernel: &Path) -> Self {
        let mut description = incipit_machine::Machine::new(kernel);
        description.append(b"console=ttyS0 panic=-1");
        Self {
            description,
            monitored: false,
            debugged: false,
        }
    }

    /// In Bochs, by GRUB: its CPUs differ from each other where QEMU's emulated ones cannot.
    #[must_use]
    pub fn in_bochs(self) -> Self {
        self.emulator(Emulator::Bochs).loader(Loader::Grub(Protocol::Multiboot2))
    }

    /// In another emulator.
    #[must_use]
    pub fn emulator(mut self, emulator: Emulator) -> Self {
        self.description.emulator = emulator;
        self
    }

    /// With other firmware.
    #[must_use]
    pub fn firmware(mut self, firmware: Firmware) -> Self {
        self.description.firmware = firmware;
        self
    }

    /// With another loader, which must be one that takes the kernel's file.
    #[must_use]
    pub fn loader(mut self, loader: Loader) -> Self {
        self.description.loader = loader;
        self
    }

    /// With another chipset: `pc`, `q35` or `microvm`.
    #[must_use]
    pub fn chipset(mut self, chipset: &str) -> Self {
        chipset.clone_into(&mut self.description.chipset);
        self
    }

    /// With another processor, as the emulator names it.
    #[must_use]
    pub fn cpu(mut self, cpu: &str) -> Self {
        self.description.cpu = Some(cpu.to_owned());
        self
    }

    /// With another size of memory: a number and `M` or `G`.
    #[must_use]
    pub fn memory(mut self, memory: &str) -> Self {
        memory.clone_into(&mut self.description.memory);
        self
    }

    /// With several processors.
    #[must_use]
    pub fn processors(mut self, count: u32) -> Self {
        self.description.processors = count;
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
        self.description.append(words);
        self
    }

    /// With these words for a command line, and no others: without `console=ttyS0`, too.
    #[must_use]
    pub fn only(mut self, words: &str) -> Self {
        self.description.command_line = words.into();
        self
    }

    /// With the screen that GRUB leaves, as its `gfxpayload` has it: `text`, `1024x768x32`.
    #[must_use]
    pub fn screen(mut self, mode: &str) -> Self {
        self.description.screen = Some(mode.to_owned());
        self
    }

    /// With an initial ramdisk.
    #[must_use]
    pub fn initrd(mut self, file: &Path) -> Self {
        self.description.initrd = Some(file.to_owned());
        self
    }

    /// With the processors run by something else than QEMU's translation in a thread for each.
    #[must_use]
    pub fn accelerator(mut self, accelerator: Accelerator) -> Self {
        self.description.accelerator = accelerator;
        self
    }

    /// With another of QEMU's options, as it is given on a command line: `-smbios`, `type=0,vendor=…`.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.description.options.extend([name.into(), value.into()]);
        self
    }

    /// With the content of `file` in memory from physical address `phys` on.
    #[must_use]
    pub fn loaded(self, file: &Path, phys: u64) -> Self {
        let value = format!("loader,file={},addr={phys:#x},force-raw=on", file.display());
        self.option("-device", &value)
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

    /// The kernel's command line.
    #[must_use]
    pub fn command_line(&self) -> &OsStr {
        &self.description.command_line
    }

    /// The Debian packages that starting this machine needs and this computer lacks.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let emulator = match self.description.emulator {
            Emulator::Qemu => (has_program(qemu::PROGRAM), "qemu-system-x86"),
            Emulator::Bochs => (has_program(bochs::PROGRAM), "bochs"),
        };
        let firmware = match (self.description.emulator, self.description.firmware) {
            (Emulator::Qemu, Firmware::Uefi) => (firmware::Ovmf::find().is_ok(), "ovmf"),
            (Emulator::Bochs, _) => (bochs::has_bios(), "bochsbios"),
            (Emulator::Qemu, Firmware::Bios | Firmware::None) => (true, ""),
        };
        let loader = match self.description.loader {
            Loader::Qemu | Loader::Vmm => (true, ""),
            Loader::Grub(_) => (has_program("grub-mkrescue") && has_program("xorriso"), "grub-common"),
            Loader::Firmware | Loader::Shell => (has_program("mformat"), "mtools"),
        };
        [emulator, firmware, loader]
            .into_iter()
            .filter_map(|(there, package)| (!there).then_some(package))
            .collect()
    }

    /// Starts the machine.
    ///
    /// # Errors
    ///
    /// If the emulator cannot be started or does not answer, or the media that it boots from cannot be made.
    pub fn start(&self) -> Result<Guest> {
        match self.description.emulator {
            Emulator::Qemu => self.start_qemu(),
            Emulator::Bochs => self.start_bochs(),
        }
    }

    fn start_qemu(&self) -> Result<Guest> {
        let folder = Folder::new()?;
        let sockets = folder.listen(self.monitored, self.debugged)?;
        let mut command = self.description.qemu(folder.path())?;
        command.args(qemu::SERIAL_ON_STDIO.split(' '));
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
            .with_context(|| format!("starting {}", qemu::PROGRAM))?;
        Guest::new(child, folder, sockets)
    }

    fn start_bochs(&self) -> Result<Guest> {
        ensure!(
            !self.monitored && !self.debugged,
            "Bochs has neither QEMU's monitor nor its debugger stub"
        );
        let folder = Folder::new()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let serial = bochs::Serial::Port(listener.local_addr()?.port());
        let child = self
            .description
            .bochs(folder.path(), &serial, None)?
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", bochs::PROGRAM))?;
        Guest::on_line(child, folder, &listener)
    }

    /// Starts the machine and waits until the guest ends it.
    ///
    /// # Errors
    ///
    /// If the emulator cannot be started, fails, or does not end.
    pub fn run(&self) -> Result<Log> {
        self.start()?.wait_for_end()
    }
}

//! The description of a machine.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::grub::Protocol;

/// What runs the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Emulator {
    /// QEMU, which translates instructions and forgives much.
    #[default]
    Qemu,
    /// Bochs, which does each instruction as the manual has it.
    Bochs,
}

impl fmt::Display for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qemu => "QEMU",
            Self::Bochs => "Bochs",
        })
    }
}

/// What the machine does before it loads anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Firmware {
    /// The BIOS that comes with the emulator.
    #[default]
    Bios,
    /// UEFI: OVMF.
    Uefi,
    /// Nothing: the loader was there before the machine.
    None,
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bios => "BIOS",
            Self::Uefi => "UEFI",
            Self::None => "none",
        })
    }
}

/// What puts the kernel into memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Loader {
    /// QEMU's own `-kernel`: an ELF image by its PVH note; a bzImage by the 16-bit protocol from a BIOS, as an EFI application from UEFI.
    #[default]
    Qemu,
    /// GRUB, from a CD.
    Grub(Protocol),
    /// The firmware itself: UEFI starts `\EFI\BOOT\BOOTX64.EFI` of a disk. It has no command line to hand over, and no RAM disk.
    Firmware,
    /// The shell of UEFI, by a script on a disk.
    Shell,
    /// A virtual machine monitor, which starts a bzImage in long mode, without firmware.
    Vmm,
}

/// What QEMU runs the guest's processors by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Accelerator {
    /// By translation, each processor in a thread of its own.
    #[default]
    Tcg,
    /// By translation, all processors by turns in one thread.
    TcgInOneThread,
    /// By the computer's own processor, through Linux's KVM.
    Kvm,
}

/// A machine that is not running yet.
#[derive(Debug, Clone)]
pub struct Machine {
    /// What runs it.
    pub emulator: Emulator,
    /// What it begins with.
    pub firmware: Firmware,
    /// What loads the kernel.
    pub loader: Loader,
    /// The kernel's file, of the kind that the loader takes.
    pub kernel: PathBuf,
    /// The kernel's command line.
    pub command_line: OsString,
    /// The initial RAM disk's file.
    pub initrd: Option<PathBuf>,
    /// QEMU's chipset: `pc`, `q35` or `microvm`.
    pub chipset: String,
    /// The processor, as the emulator names it; the emulator's best if there is none.
    pub cpu: Option<String>,
    /// The size of memory: a number and `M` or `G`.
    pub memory: String,
    /// How many processors.
    pub processors: u32,
    /// What QEMU runs the guest's processors by.
    pub accelerator: Accelerator,
    /// The screen that GRUB leaves, as its `gfxpayload` has it.
    pub screen: Option<String>,
    /// More of QEMU's options, as they are given on a command line.
    pub options: Vec<OsString>,
}

impl Machine {
    /// QEMU's `pc` with one processor and 128 MiB, which loads `kernel` itself.
    #[must_use]
    pub fn new(kernel: &Path) -> Self {
        Self {
            emulator: Emulator::default(),
            firmware: Firmware::default(),
            loader: Loader::default(),
            kernel: kernel.to_owned(),
            command_line: OsString::new(),
            initrd: None,
            chipset: "pc".into(),
            cpu: None,
            memory: "128M".into(),
            processors: 1,
            accelerator: Accelerator::default(),
            screen: None,
            options: Vec::new(),
        }
    }

    /// Adds `words`, which need be no text, to the command line.
    pub fn append(&mut self, words: &[u8]) {
        if !self.command_line.is_empty() {
            self.command_line.push(" ");
        }
        self.command_line.push(OsStr::from_bytes(words));
    }

    /// The size of memory in MiB.
    ///
    /// # Errors
    ///
    /// If it is no number with `M` or `G`.
    pub fn mebibytes(&self) -> Result<u32> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        let found = match (self.memory.strip_suffix('M'), self.memory.strip_suffix('G')) {
            (Some(text), _) => number(text),
            (_, Some(text)) => number(text).and_then(|number| number.checked_mul(1024)),
            _ => None,
        };
        found.with_context(|| format!("`{}` is no size of memory: a number and M or G, as 128M", self.memory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mebibytes(memory: &str) -> Result<u32> {
        let mut machine = Machine::new(Path::new("vmlinux"));
        memory.clone_into(&mut machine.memory);
        machine.mebibytes()
    }

    #[test]
    fn memory_is_told_in_mebibytes() {
        assert_eq!(mebibytes("128M").unwrap(), 128);
        assert_eq!(mebibytes("2G").unwrap(), 2048);
        for text in ["", "M", "0M", "128", "-1M", "1.5G", "4194304G"] {
            assert!(mebibytes(text).unwrap_err().to_string().contains("no size of memory"), "{text}");
        }
    }
}

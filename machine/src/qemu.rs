//! How QEMU is told of a machine.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::firmware::Ovmf;
use crate::grub::{Disc, disc_for};
use crate::machine::{Accelerator, Firmware, Loader, Machine};
use crate::{Emulator, esp};

/// The emulator.
pub const PROGRAM: &str = "qemu-system-x86_64";

/// What makes two runs the same: an instruction is a nanosecond of the guest's time, no time passes outside of it, and nothing in it is random.
pub const SAME: &str = "-accel tcg -icount shift=0,sleep=off -rtc base=2024-01-01,clock=vm -seed 1 -cpu max,-rdrand,-rdseed";

/// No window, no network, no monitor; a reset of the guest ends it.
pub const QUIET: &str = "-no-user-config -nic none -display none -monitor none -no-reboot";

/// The serial line on standard input and output.
pub const SERIAL_ON_STDIO: &str = "-chardev stdio,id=console,signal=off -serial chardev:console";

impl Machine {
    /// QEMU's words for everything but time, serial line and processor. What the loader needs is put into `folder`.
    ///
    /// # Errors
    ///
    /// If there is no such machine, or its media or firmware are not to be had.
    pub fn qemu_words(&self, folder: &Path) -> Result<Vec<OsString>> {
        let mut words = Words::default();
        words.add(&["-machine", &self.chipset, "-m", &self.memory, "-smp", &self.processors.to_string()]);
        ensure!(
            (self.firmware == Firmware::None) == (self.loader == Loader::Vmm),
            "a virtual machine monitor loads without firmware, and nothing else does"
        );
        if self.firmware == Firmware::Uefi {
            let Ovmf { code, variables } = Ovmf::find()?;
            words.add(&["-drive", &format!("if=pflash,format=raw,readonly=on,file={}", code.display())]);
            // Each machine has variables of its own, which are gone with it.
            words.add(&["-drive", &format!("if=pflash,format=raw,snapshot=on,file={}", variables.display())]);
        }
        match self.loader {
            Loader::Qemu => {
                words.add_file("-kernel", &self.kernel);
                words.0.extend(["-append".into(), self.command_line.clone()]);
                if let Some(initrd) = &self.initrd {
                    words.add_file("-initrd", initrd);
                }
            }
            Loader::Grub(_) => words.add_file("-cdrom", &disc_for(&self.disc()?, folder)?),
            Loader::Firmware => {
                words.add_disk(&esp::disk(folder, &[("EFI/BOOT/BOOTX64.EFI", &self.kernel)])?);
            }
            Loader::Shell => words.add_disk(&esp::disk_with_script(self, folder)?),
            Loader::Vmm => {
                let size = u64::from(self.mebibytes()?) << 20;
                let files = self.load(folder, size)?;
                let backend = format!(
                    "memory-backend-file,id=ram,size={size},share=off,mem-path={}",
                    files.memory.display()
                );
                words.add(&["-object", &backend, "-machine", "memory-backend=ram"]);
                words.add_file("-bios", &files.rom);
            }
        }
        words.0.extend_from_slice(&self.options);
        Ok(words.0)
    }

    /// The command that starts QEMU with this machine, its serial line left to the caller.
    ///
    /// # Errors
    ///
    /// As for [`Self::qemu_words`].
    pub fn qemu(&self, folder: &Path) -> Result<Command> {
        let mut command = Command::new(PROGRAM);
        let accelerator = match self.accelerator {
            Accelerator::Tcg => "tcg",
            Accelerator::TcgInOneThread => "tcg,thread=single",
            Accelerator::Kvm => "kvm",
        };
        command
            .args(QUIET.split(' '))
            .args(["-accel", accelerator, "-cpu", self.cpu.as_deref().unwrap_or("max")]);
        command.args(self.qemu_words(folder)?);
        Ok(command)
    }

    /// The CD that GRUB boots this machine from.
    pub(crate) fn disc(&self) -> Result<Disc<'_>> {
        let protocol = match (self.loader, self.emulator) {
            (Loader::Grub(protocol), _) => protocol,
            (_, Emulator::Bochs) => bail!("Bochs has only its BIOS to load from, so GRUB must be the loader"),
            (_, Emulator::Qemu) => bail!("the loader of this machine is not GRUB"),
        };
        Ok(Disc {
            entries: vec![(protocol, &self.kernel)],
            command_line: &self.command_line,
            initrd: self.initrd.as_deref(),
            timeout: 0,
            screen: self.screen.as_deref(),
        })
    }
}

#[derive(Default)]
struct Words(Vec<OsString>);

impl Words {
    fn add(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn add_disk(&mut self, disk: &Path) {
        self.add(&["-drive", &format!("format=raw,snapshot=on,file={}", disk.display())]);
    }

    fn add_file(&mut self, option: &str, file: &Path) {
        self.0.extend([option.into(), file.into()]);
    }
}

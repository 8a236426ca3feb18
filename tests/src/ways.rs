//! The ways to the kernel that are tested: loaders, firmware and emulators, and the page that lists them.

use std::fmt::Write;
use std::path::PathBuf;

use incipit_machine::grub::Protocol;

use crate::built::{Build, root};
use crate::machine::{Emulator, Firmware, Loader, Machine};

/// What a loader loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// The ELF image.
    Vmlinux,
    /// The image for boot loaders.
    BzImage,
}

/// A machine and what it shows of the way that the boot took.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// What runs the machine.
    pub emulator: Emulator,
    /// What it begins with.
    pub firmware: Firmware,
    /// What loads the kernel.
    pub loader: Loader,
    /// What it loads.
    pub file: File,
    /// The chipset; Bochs has one only.
    pub chipset: &'static str,
    /// How many processors.
    pub processors: u32,
    /// The protocol, as the log has it.
    pub through: &'static str,
    /// The loader's name, as the log has it.
    pub by: &'static str,
}

const PVH: &str = "PVH";
const LINUX_16: &str = "the 16-bit Linux boot protocol";
const LINUX_32: &str = "the 32-bit Linux boot protocol";

/// QEMU loads the kernel itself, on a machine with a BIOS.
const fn direct(file: File, chipset: &'static str) -> Way {
    Way {
        emulator: Emulator::Qemu,
        firmware: Firmware::Bios,
        loader: Loader::Qemu,
        file,
        chipset,
        processors: 1,
        through: match file {
            File::Vmlinux => PVH,
            File::BzImage => LINUX_16,
        },
        by: "QEMU",
    }
}

/// GRUB loads the kernel from a CD.
const fn grub(protocol: Protocol, firmware: Firmware) -> Way {
    Way {
        emulator: Emulator::Qemu,
        firmware,
        loader: Loader::Grub(protocol),
        file: match protocol {
            Protocol::Multiboot2 => File::Vmlinux,
            Protocol::Linux | Protocol::Linux16 => File::BzImage,
        },
        chipset: match firmware {
            Firmware::Bios | Firmware::None => "pc",
            Firmware::Uefi => "q35",
        },
        processors: 1,
        through: match protocol {
            Protocol::Multiboot2 => "multiboot2",
            Protocol::Linux => LINUX_32,
            Protocol::Linux16 => LINUX_16,
        },
        by: "GRUB",
    }
}

/// The same in Bochs.
const fn bochs(protocol: Protocol, processors: u32) -> Way {
    Way {
        emulator: Emulator::Bochs,
        processors,
        ..grub(protocol, Firmware::Bios)
    }
}

/// UEFI starts the bzImage, an application of its own.
const fn efi(loader: Loader) -> Way {
    Way {
        firmware: Firmware::Uefi,
        loader,
        through: "the EFI stub",
        by: "EFI stub",
        ..direct(File::BzImage, "q35")
    }
}

/// A virtual machine monitor starts the kernel in long mode.
const fn monitor(chipset: &'static str) -> Way {
    Way {
        firmware: Firmware::None,
        loader: Loader::Vmm,
        through: "the 64-bit Linux boot protocol",
        by: "unassigned",
        ..direct(File::BzImage, chipset)
    }
}

/// Every way that is tested.
pub const WAYS: &[Way] = &[
    direct(File::Vmlinux, "pc"),
    direct(File::Vmlinux, "q35"),
    direct(File::Vmlinux, "microvm"),
    direct(File::BzImage, "pc"),
    direct(File::BzImage, "q35"),
    direct(File::BzImage, "microvm"),
    monitor("pc"),
    monitor("q35"),
    grub(Protocol::Multiboot2, Firmware::Bios),
    grub(Protocol::Linux, Firmware::Bios),
    grub(Protocol::Linux16, Firmware::Bios),
    grub(Protocol::Multiboot2, Firmware::Uefi),
    grub(Protocol::Linux, Firmware::Uefi),
    efi(Loader::Qemu),
    efi(Loader::Firmware),
    efi(Loader::Shell),
    bochs(Protocol::Multiboot2, 1),
    bochs(Protocol::Multiboot2, 2),
    bochs(Protocol::Linux, 1),
    bochs(Protocol::Linux, 2),
    bochs(Protocol::Linux16, 1),
];

impl Way {
    /// The file of our own build that is loaded.
    #[must_use]
    pub fn kernel(&self) -> PathBuf {
        match self.file {
            File::Vmlinux => Build::ours().vmlinux(),
            File::BzImage => Build::ours().bzimage(),
        }
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> Machine {
        let machine = Machine::new(&self.kernel())
            .emulator(self.emulator)
            .firmware(self.firmware)
            .loader(self.loader)
            .processors(self.processors);
        match self.emulator {
            Emulator::Qemu => machine.chipset(self.chipset),
            Emulator::Bochs => machine,
        }
    }

    /// What the test of this way is called.
    #[must_use]
    pub fn name(&self) -> String {
        let loader = match self.loader {
            Loader::Qemu => "kernel".to_owned(),
            Loader::Grub(protocol) => format!("grub_{protocol}"),
            Loader::Firmware => "bootx64_efi".to_owned(),
            Loader::Shell => "shell".to_owned(),
            Loader::Vmm => "monitor".to_owned(),
        };
        let file = match self.file {
            File::Vmlinux => "vmlinux",
            File::BzImage => "bzimage",
        };
        let machine = match self.emulator {
            Emulator::Qemu => format!("qemu_{}", self.chipset),
            Emulator::Bochs => format!("bochs_with_{}", self.processors),
        };
        let firmware = match self.firmware {
            Firmware::Bios => "bios",
            Firmware::Uefi => "uefi",
            Firmware::None => "no_firmware",
        };
        format!("{firmware}::{loader}_{file}_on_{machine}")
    }

    /// The loader as the page names it.
    fn loader_in_words(&self) -> &'static str {
        match (self.loader, self.file) {
            (Loader::Qemu, File::Vmlinux) => "QEMU `-kernel vmlinux`",
            (Loader::Qemu, File::BzImage) => "QEMU `-kernel bzImage`",
            (Loader::Grub(Protocol::Multiboot2), _) => "GRUB `multiboot2 vmlinux`",
            (Loader::Grub(Protocol::Linux), _) => "GRUB `linux bzImage`",
            (Loader::Grub(Protocol::Linux16), _) => "GRUB `linux16 bzImage`",
            (Loader::Vmm, _) => "a monitor with the crate `linux-loader`",
            (Loader::Shell, _) => "the shell of UEFI, `bzImage.efi …`",
            (Loader::Firmware, _) => "the firmware, `\\EFI\\BOOT\\BOOTX64.EFI`",
        }
    }
}

/// The columns of the page's table.
const COLUMNS: [(&str, Emulator, Firmware); 4] = [
    ("QEMU, BIOS", Emulator::Qemu, Firmware::Bios),
    ("QEMU, UEFI", Emulator::Qemu, Firmware::Uefi),
    ("QEMU, no firmware", Emulator::Qemu, Firmware::None),
    ("Bochs, BIOS", Emulator::Bochs, Firmware::Bios),
];

/// The page's table stands between these lines.
const START: &str = "<!-- the table: `make reference` writes it -->\n";
const END: &str = "<!-- the end of the table -->\n";

/// The page.
#[must_use]
pub fn page() -> PathBuf {
    root().join("docs/loaders.md")
}

/// `text`, that of the page, with the table that belongs there; `None` if it has no place for one.
#[must_use]
pub fn with_table(text: &str) -> Option<String> {
    let (before, rest) = text.split_once(START)?;
    let (_, behind) = rest.split_once(END)?;
    Some(format!("{before}{START}\n{}\n{END}{behind}", table()))
}

/// A row for each loader, a column for each pair of emulator and firmware, in each cell the tests that boot it.
fn table() -> String {
    let mut loaders: Vec<&str> = Vec::new();
    for way in WAYS {
        if !loaders.contains(&way.loader_in_words()) {
            loaders.push(way.loader_in_words());
        }
    }
    let mut text = String::from("| loader |");
    COLUMNS.iter().for_each(|(heading, ..)| text.push_str(&format!(" {heading} |")));
    text.push_str("\n| --- |");
    COLUMNS.iter().for_each(|_| text.push_str(" --- |"));
    for loader in loaders {
        // A string takes everything.
        let _ = write!(text, "\n| {loader} |");
        for (_, emulator, firmware) in COLUMNS {
            let here = |way: &&Way| way.loader_in_words() == loader && way.emulator == emulator && way.firmware == firmware;
            let ways: Vec<_> = WAYS.iter().filter(here).collect();
            let through = ways.first().map_or("", |way| way.through);
            let names: Vec<_> = ways.iter().map(|way| format!("`{}`", way.name())).collect();
            let gap = if names.is_empty() { "" } else { ": " };
            let _ = write!(text, " {through}{gap}{} |", names.join(", "));
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_ways_are_the_same() {
        let mut names: Vec<_> = WAYS.iter().map(Way::name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), WAYS.len());
    }

    #[test]
    fn the_table_names_every_way() {
        let table = table();
        for way in WAYS {
            assert!(table.contains(&way.name()), "{} is not in:\n{table}", way.name());
        }
    }

    #[test]
    fn only_the_table_of_a_page_is_replaced() {
        let text = with_table(&format!("before\n{START}old\n{END}behind\n")).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("behind\n") && !text.contains("old"));
        assert_eq!(with_table(&text).as_ref(), Some(&text));
        assert_eq!(with_table("no table"), None);
    }
}

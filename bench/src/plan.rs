//! Which images there are, and how each is booted.

use std::path::Path;

use incipit_machine::Machine;
use incipit_machine::grub::Protocol;
use incipit_machine::machine::Firmware;

/// An image, and the boots that it is for.
pub struct Plan {
    /// The image's name.
    pub name: &'static str,
    /// The crates that it has besides those of the default configuration: folders under `bench/guest`.
    pub guests: &'static [&'static str],
    /// How it is booted.
    pub boots: &'static [Boot],
}

/// One boot.
pub struct Boot {
    /// The name of what it reports.
    pub name: &'static str,
    /// How the image comes into the machine.
    pub way: Way,
    /// What its command line says besides [`ALWAYS`].
    words: &'static str,
    /// How many arguments follow.
    arguments: usize,
    /// How much memory there is, if not as much as always.
    pub memory: Option<&'static str>,
    /// How many processors there are.
    pub processors: u32,
}

/// How an image comes into a machine.
#[derive(Clone, Copy)]
pub struct Way {
    firmware: Firmware,
    loader: Loader,
}

/// By its PVH note: what everything but the way itself is measured with.
const PVH: Way = Way {
    firmware: Firmware::Bios,
    loader: Loader::Qemu(Image::Vmlinux),
};

/// Who loads what.
#[derive(Clone, Copy)]
enum Loader {
    Qemu(Image),
    Grub(Protocol),
    Vmm,
}

/// The two files of a build.
#[derive(Clone, Copy)]
enum Image {
    Vmlinux,
    BzImage,
}

impl Way {
    /// The machine that boots the build of `vmlinux` in this way.
    pub fn machine(self, vmlinux: &Path) -> Machine {
        let (image, loader) = match self.loader {
            Loader::Qemu(image) => (image, incipit_machine::Loader::Qemu),
            Loader::Grub(protocol @ Protocol::Multiboot2) => (Image::Vmlinux, incipit_machine::Loader::Grub(protocol)),
            Loader::Grub(protocol) => (Image::BzImage, incipit_machine::Loader::Grub(protocol)),
            Loader::Vmm => (Image::BzImage, incipit_machine::Loader::Vmm),
        };
        let mut machine = Machine::new(&match image {
            Image::Vmlinux => vmlinux.to_owned(),
            Image::BzImage => vmlinux.with_file_name("bzImage"),
        });
        (machine.firmware, machine.loader) = (self.firmware, loader);
        if self.firmware == Firmware::Uefi {
            machine.chipset = "q35".into();
        }
        machine
    }
}

/// How many arguments the long command line has.
pub const ARGUMENTS: usize = 1000;

/// The panic at the end of a boot without init ends the guest, and the counter's rate is known: a boot that measures it counts its waiting, too.
const ALWAYS: &str = "panic=-1 tsc_early_khz=1000000";

/// A boot that writes its log nowhere.
const SILENT: &str = "console=null";

/// The same, and at the end nothing happens but that init memory is given back.
const UNPROTECTED: &str = "console=null rodata=off";

const fn image(name: &'static str, guests: &'static [&'static str], boots: &'static [Boot]) -> Plan {
    Plan { name, guests, boots }
}

const fn boot(name: &'static str, words: &'static str) -> Boot {
    Boot {
        name,
        way: PVH,
        words,
        arguments: 0,
        memory: None,
        processors: 1,
    }
}

/// A silent boot with as much memory.
const fn with_memory(name: &'static str, memory: &'static str) -> Boot {
    Boot {
        memory: Some(memory),
        ..boot(name, SILENT)
    }
}

/// A silent boot with as many processors, all in turn in one thread of QEMU's: the counter counts what all of them execute.
const fn with_processors(name: &'static str, processors: u32) -> Boot {
    Boot {
        processors,
        ..boot(name, SILENT)
    }
}

const fn by(name: &'static str, firmware: Firmware, loader: Loader) -> Boot {
    Boot {
        name,
        way: Way { firmware, loader },
        words: SILENT,
        arguments: 0,
        memory: None,
        processors: 1,
    }
}

/// All images.
pub const PLANS: &[Plan] = &[
    image(
        "boot",
        &["boot"],
        &[
            boot("boot", SILENT),
            boot("boot quiet", "console=ttyS0 quiet"),
            boot("boot loud", "console=ttyS0"),
            with_memory("1G", "1G"),
            with_memory("2G", "2G"),
            by("bzImage", Firmware::Bios, Loader::Qemu(Image::BzImage)),
            by("multiboot2", Firmware::Bios, Loader::Grub(Protocol::Multiboot2)),
            by("linux", Firmware::Bios, Loader::Grub(Protocol::Linux)),
            by("64-bit", Firmware::None, Loader::Vmm),
            by("EFI", Firmware::Uefi, Loader::Qemu(Image::BzImage)),
        ],
    ),
    image("memory", &["boot", "memory"], &[boot("memory", SILENT)]),
    image(
        "processor",
        &["boot", "processor"],
        &[
            boot("processor", SILENT),
            with_processors("2 processors", 2),
            with_processors("4 processors", 4),
        ],
    ),
    image(
        "cpus",
        &["boot", "cpus"],
        &[with_processors("2 CPUs stepped", 2), with_processors("4 CPUs stepped", 4)],
    ),
    image(
        "initcalls-1000",
        &["boot", "initcalls/1000"],
        &[boot("1000 initcalls", SILENT), boot("1000 initcalls unprotected", UNPROTECTED)],
    ),
    image(
        "initcalls-2000",
        &["boot", "initcalls/2000"],
        &[boot("2000 initcalls", SILENT), boot("2000 initcalls unprotected", UNPROTECTED)],
    ),
    image(
        "params-200",
        &["boot", "params/200"],
        &[
            boot("200 params", SILENT),
            Boot {
                name: "1000 arguments",
                way: PVH,
                words: SILENT,
                arguments: ARGUMENTS,
                memory: None,
                processors: 1,
            },
        ],
    ),
    image("params-10000", &["boot", "params/10000"], &[boot("10000 params", SILENT)]),
    image("extable-900", &["boot", "extable/900"], &[boot("900 entries", SILENT)]),
    image("extable-100000", &["boot", "extable/100000"], &[boot("100000 entries", SILENT)]),
    image("graph-100", &["boot", "graph/100"], &[boot("graph of 100", SILENT)]),
    image("graph-10000", &["boot", "graph/10000"], &[boot("graph of 10000", SILENT)]),
];

/// The argument that the long command line is made of: a parameter of the image with 200. QEMU's PVH loader has room for a few kilobytes only.
const ARGUMENT: &str = " v";

impl Boot {
    /// The command line.
    pub fn command_line(&self) -> String {
        format!("{ALWAYS} {}{}", self.words, ARGUMENT.repeat(self.arguments))
    }
}

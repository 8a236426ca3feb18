//! What a loader is told wrong: it, or the kernel, says so in a line, and nothing else is started.

use anyhow::{Result, ensure};
use incipit_machine::grub::Protocol;
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::machine::{Firmware, Loader, Machine};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// The kernel's first line, which must not come.
const KERNEL: &str = "Incipit version ";

/// Longer than any command line used to be, shorter than what every loader has room for.
const LONG: usize = 1900;

pub fn trials() -> Vec<Trial> {
    let build = Build::ours();
    let (vmlinux, bzimage) = (build.vmlinux(), build.bzimage());
    let grub = |name: &str, protocol, kernel: &std::path::Path, message: &'static str| {
        let machine = Machine::new(kernel).loader(Loader::Grub(protocol));
        refused_by_grub(name, machine, message)
    };
    let mut trials = vec![
        grub(
            "linux_refuses_the_elf_image",
            Protocol::Linux,
            &vmlinux,
            "error: invalid magic number.",
        ),
        grub(
            "linux16_refuses_the_elf_image",
            Protocol::Linux16,
            &vmlinux,
            "error: invalid magic number.",
        ),
        grub(
            "multiboot2_refuses_the_bzimage",
            Protocol::Multiboot2,
            &bzimage,
            "error: invalid arch-dependent ELF magic.",
        ),
        missing_ram_disk(&bzimage),
        trial("mistakes::a_monitor_whose_memory_the_kernel_does_not_fit_in_is_told", || {
            let Err(error) = monitor().memory("2M").run() else {
                anyhow::bail!("a machine with 2 MiB has booted");
            };
            ensure!(format!("{error:#}").contains("linux-loader does not load"), "{error:#}");
            Ok(())
        }),
        trial("mistakes::six_mebibytes_are_enough", || {
            monitor()
                .memory("6M")
                .run()?
                .require_mention("Kernel panic - not syncing: No working init found.")
        }),
    ];
    let ways = [
        ("a_monitor", monitor()),
        ("qemu_by_pvh", Machine::new(&vmlinux)),
        ("qemu_by_the_bzimage", Machine::new(&bzimage)),
        (
            "grub_by_multiboot2",
            Machine::new(&vmlinux).loader(Loader::Grub(Protocol::Multiboot2)),
        ),
        ("grub_by_linux", Machine::new(&bzimage).loader(Loader::Grub(Protocol::Linux))),
        ("grub_by_linux16", Machine::new(&bzimage).loader(Loader::Grub(Protocol::Linux16))),
        ("uefi", Machine::new(&bzimage).firmware(Firmware::Uefi).chipset("q35")),
    ];
    for (name, machine) in ways {
        let missing = !machine.missing().is_empty();
        let run = trial(format!("mistakes::a_long_command_line_comes_whole_from_{name}"), move || {
            long_line(machine)
        });
        trials.push(run.with_ignored_flag(missing));
    }
    trials
}

fn monitor() -> Machine {
    Machine::new(&Build::ours().bzimage()).firmware(Firmware::None).loader(Loader::Vmm)
}

/// GRUB says `message` and starts nothing.
fn refused_by_grub(name: &str, machine: Machine, message: &'static str) -> Trial {
    let missing = !machine.missing().is_empty();
    let run = trial(format!("mistakes::grub_{name}"), move || refused(&machine, message));
    run.with_ignored_flag(missing)
}

fn missing_ram_disk(bzimage: &std::path::Path) -> Trial {
    let machine = Machine::new(bzimage).loader(Loader::Grub(Protocol::Linux));
    let missing = !machine.missing().is_empty();
    let run = trial("mistakes::grub_says_that_a_ram_disk_is_not_there", move || {
        let folder = Folder::new()?;
        refused(
            &machine.initrd(&folder.path().join("nothing")),
            "error: file `/boot/nothing' not found.",
        )
    });
    run.with_ignored_flag(missing)
}

fn refused(machine: &Machine, message: &str) -> Result<()> {
    let mut guest = machine.start()?;
    guest.wait_for(message)?;
    guest.wait_for("Press any key to continue...")?;
    guest.log().refuse(KERNEL)
}

/// The last word of a long command line counts.
fn long_line(machine: Machine) -> Result<()> {
    let machine = machine.append(&format!("filler={} init=/last", "x".repeat(LONG)));
    machine.run()?.require_mention("Requested init /last failed")
}

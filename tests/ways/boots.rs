//! Each way boots to the same kernel.

use anyhow::{Context, Result, ensure};
use incipit_tests::golden::{INITCALLS, STAGES};
use incipit_tests::guest::Folder;
use incipit_tests::log::Log;
use incipit_tests::machine::{Firmware, Loader};
use incipit_tests::session::{Session, names};
use incipit_tests::trial::trial;
use incipit_tests::ways::{File, WAYS, Way};
use libtest_mimic::Trial;

use crate::bare;

/// What is booted with besides what every machine has.
const WORDS: &str = "kdb initcall_debug ignore_loglevel";

/// The last words of a boot without init.
const END: &str = "Kernel panic - not syncing: No working init found.";

pub fn trials() -> Vec<Trial> {
    let trials = WAYS.iter().map(|way| {
        let missing = way.machine().missing();
        if !missing.is_empty() {
            eprintln!("skipped: {} needs what is in {}", way.name(), missing.join(", "));
        }
        let boots = if way.loader == Loader::Firmware { bare::boots } else { boots };
        trial(way.name(), move || boots(way)).with_ignored_flag(!missing.is_empty())
    });
    trials.collect()
}

/// The content of the RAM disk: more than a page, not a whole number of them, and no two pages alike.
fn ram_disk() -> Vec<u8> {
    (0..3 * 4096 + 5_u32).flat_map(|number| number.to_le_bytes()).collect()
}

fn boots(way: &Way) -> Result<()> {
    let folder = Folder::new()?;
    let initrd = folder.path().join("initrd");
    std::fs::write(&initrd, ram_disk())?;
    let machine = way.machine().append(WORDS).initrd(&initrd);
    let mut session = Session::on(&machine)?;
    let log = session.guest.log();
    let line = format!("boot: started through {} by {}", way.through, way.by);
    log.require_mention(&line)?;
    same_order(&log, &session.obey("stages")?)?;
    nothing_lost(&log, &session.obey("dmesg")?)?;
    // Without firmware there is nobody to write ACPI's tables.
    if way.firmware != Firmware::None {
        log.require_mention("ACPI: RSDP 0x")?;
    }
    let command_line = machine.command_line().to_string_lossy().into_owned();
    handed_over(way, &command_line, &session.obey("boot_params")?)?;
    session.guest.send(b"go\r")?;
    let log = session.guest.wait_for_end()?;
    log.require_mention(END)?;
    log.refuse("WARNING:")
}

/// Fails unless stages and initcalls ran as the golden files have them.
fn same_order(log: &Log, stages: &str) -> Result<()> {
    let (golden, called) = (INITCALLS.names()?, log.calls());
    ensure!(
        called == golden,
        "the initcalls were {called:#?}, the golden file has {golden:#?}; the log ends:\n{}",
        log.tail()
    );
    for name in &golden {
        log.require_mention(&format!("initcall {name}+0x0/"))?;
    }
    let golden = STAGES.names()?;
    ensure!(names(stages) == golden, "the golden file has {golden:?}, the kernel\n{stages}");
    Ok(())
}

/// Fails unless the console has every line that the kernel's log has, in the same order.
fn nothing_lost(console: &Log, kept: &str) -> Result<()> {
    let kept = Log::new(kept.as_bytes());
    // This one comes some time after the boot, which may be behind what the console has by now.
    let comes_later = |line: &str| line.starts_with("tsc: Refined ");
    let lines: Vec<_> = kept.lines().filter(|line| !line.is_empty() && !comes_later(line)).collect();
    ensure!(
        lines.first().is_some_and(|line| line.starts_with("Incipit version ")),
        "the log begins {lines:?}"
    );
    console.require(&lines)
}

/// Fails unless the loader has handed over what it was given, and what it knows.
fn handed_over(way: &Way, command_line: &str, told: &str) -> Result<()> {
    let value = |name: &str| {
        let found = told.lines().find_map(|line| line.strip_prefix(name));
        found.map(str::trim).with_context(|| format!("no {name} in:\n{told}"))
    };
    let line = value("command line")?;
    let line = match way.loader {
        // The name of the file comes first.
        Loader::Grub(_) => line.strip_prefix("BOOT_IMAGE=/boot/bzImage ").unwrap_or(line),
        // As the shell has it, with the file of the RAM disk.
        Loader::Shell => line
            .strip_prefix("bzImage.efi ")
            .and_then(|line| line.strip_suffix(" initrd=\\\\initrd"))
            .unwrap_or(line),
        // OVMF adds it for QEMU.
        Loader::Qemu if way.firmware == Firmware::Uefi => line.strip_suffix(" initrd=initrd").unwrap_or(line),
        Loader::Qemu | Loader::Firmware | Loader::Vmm => line,
    };
    ensure!(line == command_line, "the kernel got `{line}` for `{command_line}`");
    let sum = format!("crc32 {:08x}", crc32fast::hash(&ram_disk()));
    ensure!(value("initrd")?.ends_with(&sum), "the RAM disk should have {sum}:\n{told}");
    let screen = screen(way);
    ensure!(value("screen")?.starts_with(screen), "the screen should be `{screen}…`:\n{told}");
    let entries: usize = value("memory map")?.trim_end_matches(" entries").parse()?;
    ensure!(entries > 0, "{told}");
    ensure!((value("efi systab")? != "0x0") == (way.firmware == Firmware::Uefi), "{told}");
    Ok(())
}

/// What the kernel is told of the screen: PVH and monitors tell nothing, a microvm has none.
fn screen(way: &Way) -> &'static str {
    match (way.firmware, way.loader, way.file) {
        (Firmware::Uefi, ..) => "type 0x70, ",
        (Firmware::None, ..) | (_, Loader::Qemu, File::Vmlinux) => "none",
        (Firmware::Bios, ..) if way.chipset == "microvm" => "none",
        (Firmware::Bios, ..) => "type 0x01, text 80x25",
    }
}

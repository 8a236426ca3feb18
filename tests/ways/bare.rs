//! A kernel that the firmware starts by itself gets no command line, so nothing is on the serial line: its log is read from its memory.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use incipit_linker::seal::image::Image;
use incipit_tests::built::Build;
use incipit_tests::guest::{Folder, Guest, LIMIT};
use incipit_tests::ways::Way;

/// Where the image lies in memory: from its first to its last symbol, less what separates virtual from physical addresses.
const FIRST: &str = "_text";
const LAST: &str = "_end";
const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;

/// The last words of a boot without init. In the image they are pieces that no message has joined yet.
const END: &str = "Kernel panic - not syncing: No working init found.";

/// How often the memory is looked at.
const PAUSE: Duration = Duration::from_millis(200);

pub fn boots(way: &Way) -> Result<()> {
    let mut guest = way.machine().monitored().start()?;
    let log = wait_for_end(&mut guest)?;
    let line = format!("boot: started through {} by {}", way.through, way.by);
    for wanted in [&line, "Console: switching to colour frame buffer device ", "ACPI: RSDP 0x"] {
        ensure!(log.contains(wanted), "`{wanted}` is not in:\n{}", printable(&log));
    }
    ensure!(!log.contains("WARNING: CPU: 0 PID: "), "{}", printable(&log));
    Ok(())
}

/// Looks into the guest's memory until the boot is at its end.
fn wait_for_end(guest: &mut Guest) -> Result<String> {
    let image = Image::read(&Build::ours().vmlinux())?;
    let address = |name: &str| image.address_of(name).with_context(|| format!("no symbol {name}"));
    let (first, last) = (address(FIRST)?, address(LAST)?);
    let folder = Folder::new()?;
    let file = folder.path().join("memory");
    let deadline = Instant::now() + LIMIT;
    loop {
        guest.monitor()?.save_memory(first - KERNEL_MAP, (last - first) as usize, &file)?;
        let memory = String::from_utf8_lossy(&std::fs::read(&file)?).into_owned();
        if memory.contains(END) {
            return Ok(memory);
        }
        ensure!(Instant::now() < deadline, "HARNESS: no end in {} s", LIMIT.as_secs());
        thread::sleep(PAUSE);
    }
}

/// What of a memory is text, for people.
fn printable(memory: &str) -> String {
    let texts = memory.split(|character: char| character.is_control() || character == char::REPLACEMENT_CHARACTER);
    texts.filter(|text| text.len() > 30).collect::<Vec<_>>().join("\n")
}

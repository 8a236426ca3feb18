//! The initial RAM disk: kept where it is, and refused with a reason where it cannot be.

use anyhow::{Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;
use crate::takeover::Takeover;

pub fn trials() -> Vec<Trial> {
    let build = Build::ours();
    let mut trials: Vec<_> = [build.vmlinux(), build.bzimage()]
        .into_iter()
        .map(|image| {
            let name = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
            trial(format!("initrd::a_good_one_is_kept_by_{name}"), move || good(&Machine::new(&image)))
        })
        .collect();
    trials.extend([
        trial("initrd::one_beyond_memory_is_disabled", || {
            let log = boots(0xf000_0000, 0x10_0000)?;
            log.require_mention("initrd extends beyond end of memory (0xf0100000 > ")?;
            log.require_mention(", disabling initrd")
        }),
        trial("initrd::one_that_begins_in_memory_and_ends_beyond_it_is_disabled", || {
            boots(0x700_0000, 0x1000_0000)?.require_mention("initrd extends beyond end of memory (0x17000000 > ")
        }),
        trial("initrd::one_that_reaches_into_a_hole_is_disabled", || {
            boots(0x9_0000, 0x2_0000)?.require(&["initrd [mem 0x00090000-0x000affff] is not all in memory, disabling initrd"])
        }),
        trial("initrd::one_that_wraps_around_is_disabled", || {
            boots(u64::MAX - 0xfff, 0x2000)?.require_mention("wraps around, disabling initrd")
        }),
        trial("initrd::one_without_bytes_is_none", || {
            let log = boots(0x600_0000, 0)?;
            log.refuse("RAMDISK")?;
            log.refuse("initrd")
        }),
        trial("initrd::one_at_address_zero_is_none", || boots(0, 0x1000)?.refuse("RAMDISK")),
        trial("initrd::one_that_only_the_command_line_tells_of_is_kept", || {
            let log = told("initrdmem=96M,0x5000")?;
            log.require(&["RAMDISK: [mem 0x06000000-0x06004fff]"])
        }),
        trial("initrd::a_place_that_is_none_is_refused", || {
            for value in ["", "=", "=96M", "=x,1", "=96M,x", "=96M,1M,", "=99999999999999999999,1"] {
                let log = told(&format!("initrdmem{value}"))?;
                log.require(&["Malformed early option 'initrdmem'"])?;
                log.refuse("RAMDISK")?;
            }
            Ok(())
        }),
        trial("initrd::one_that_the_kernel_lies_on_is_disabled", || {
            let log = boots(0x10_0000, 0x1000)?;
            log.require_mention("initrd overwritten (0x00100000 < 0x")
        }),
    ]);
    trials
}

/// Boots with an initial RAM disk of which boot_params say that it lies there.
fn boots(start: u64, size: u64) -> Result<Log> {
    let mut takeover = Takeover::new(Machine::new(&Build::ours().bzimage()))?;
    takeover.set_ramdisk(start, size)?;
    let log = takeover.go_on()?;
    require_end(&log)?;
    Ok(log)
}

/// Boots without an initial RAM disk, with `words` on the command line.
fn told(words: &str) -> Result<Log> {
    let log = Machine::new(&Build::ours().vmlinux()).append(words).run()?;
    require_end(&log)?;
    Ok(log)
}

fn good(machine: &Machine) -> Result<()> {
    const SIZE: u64 = 3 * 4096 + 5;
    let folder = Folder::new()?;
    let file = folder.path().join("initrd");
    std::fs::write(&file, vec![0x5a; SIZE as usize])?;
    let log = machine.clone().initrd(&file).run()?;
    require_end(&log)?;
    let line = log
        .lines()
        .find_map(|line| line.strip_prefix("RAMDISK: [mem 0x")?.strip_suffix(']')?.split_once("-0x"));
    let (first, last) = line.ok_or_else(|| anyhow::anyhow!("no RAMDISK line; the log ends:\n{}", log.tail()))?;
    let (first, last) = (u64::from_str_radix(first, 16)?, u64::from_str_radix(last, 16)?);
    ensure!(last - first + 1 == SIZE, "{first:#x} to {last:#x} are not {SIZE} bytes");
    log.refuse("disabling initrd")
}

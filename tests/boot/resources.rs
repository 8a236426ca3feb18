//! Who has which addresses: `iomem`, `ioports`, and the memory kept for a crash kernel.

use anyhow::{Context, Result, ensure};
use incipit_linker::seal::image::Image;
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;
use incipit_tests::session::Session;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("resources::iomem_has_the_memory_map", || {
            for (chipset, memory) in [("pc", "64M"), ("q35", "1G"), ("pc", "5G")] {
                iomem_has_the_map(&machine().chipset(chipset).memory(memory))?;
            }
            Ok(())
        }),
        trial("resources::iomem_has_the_image_inside_of_ram", image_in_iomem),
        trial("resources::ioports_has_what_every_pc_has_and_the_serial_lines", || {
            let text = Session::on(&machine())?.obey("ioports")?;
            for line in [
                "0020-0021 : pic1",
                "0040-0043 : timer0",
                "0060-0060 : keyboard",
                "03f8-03ff : serial",
            ] {
                ensure!(text.lines().any(|other| other == line), "no {line} in:\n{text}");
            }
            Ok(())
        }),
        trial("resources::the_gap_for_devices_is_behind_low_memory", || {
            // 3 GiB of a pc's 5 lie below 4 GiB; the firmware has the last 256 KiB below 4 GiB.
            let log = Machine::new(&Build::ours().vmlinux()).memory("5G").run()?;
            log.require_mention("[mem 0xc0000000-0xfffbffff] available for PCI devices")
        }),
        trial("resources::a_crash_kernel_has_memory_of_its_own", a_crash_kernel_is_kept),
    ];
    for (name, memory, words, line) in CRASH_KERNELS {
        trials.push(trial(format!("resources::crashkernel_{name}"), move || {
            let log = Machine::new(&Build::ours().vmlinux()).memory(memory).append(words).run()?;
            require_end(&log)?;
            log.require_mention(line)
        }));
    }
    trials
}

/// What is asked for on which machine, and Linux's answer.
const CRASH_KERNELS: [(&str, &str, &str, &str); 9] = [
    (
        "at_a_place",
        "256M",
        "crashkernel=32M@64M",
        "Reserving 32MB of memory at 64MB for crashkernel",
    ),
    (
        "for_this_much_memory",
        "256M",
        "crashkernel=0-128M:8M,128M-:24M@96M",
        "Reserving 24MB of memory at 96MB for crashkernel",
    ),
    (
        "above_4_gib_leaves_some_below",
        "6G",
        "crashkernel=512M,high crashkernel=64M,low",
        "Reserving 64MB of low memory at ",
    ),
    (
        "where_the_kernel_is",
        "256M",
        "crashkernel=16M@1M",
        "crashkernel reservation failed - memory is in use.",
    ),
    (
        "beyond_memory",
        "256M",
        "crashkernel=32M@1G",
        "crashkernel reservation failed - memory is in use.",
    ),
    (
        "too_large",
        "256M",
        "crashkernel=1G",
        "crashkernel reservation failed - No suitable area found.",
    ),
    (
        "for_other_machines",
        "256M",
        "crashkernel=4G-:64M",
        "crashkernel size resulted in zero bytes",
    ),
    (
        "that_is_no_size",
        "256M",
        "crashkernel=auto",
        "crashkernel=auto: Memory value expected at character 1",
    ),
    (
        "with_something_behind_it",
        "256M",
        "crashkernel=64M@16M@",
        "crashkernel=64M@16M@: unrecognized char at character 8",
    ),
];

/// A machine that ends in the monitor.
fn machine() -> Machine {
    Machine::new(&Build::ours().vmlinux()).append("kdb")
}

/// A line of `/proc/iomem`.
struct Row<'a> {
    depth: usize,
    start: u64,
    end: u64,
    name: &'a str,
}

fn rows(text: &str) -> Result<Vec<Row<'_>>> {
    let lines = text.lines().filter(|line| line.contains(" : "));
    let rows = lines.map(|line| {
        let (addresses, name) = line.trim_start().split_once(" : ").context("no name")?;
        let (start, end) = addresses.split_once('-').context("no range")?;
        Ok(Row {
            depth: line.len() - line.trim_start().len(),
            start: u64::from_str_radix(start, 16)?,
            end: u64::from_str_radix(end, 16)?,
            name,
        })
    });
    rows.collect()
}

fn iomem_has_the_map(machine: &Machine) -> Result<()> {
    let mut session = Session::on(machine)?;
    let text = session.obey("iomem")?;
    let rows = rows(&text)?;
    let map: Vec<_> = session
        .guest
        .log()
        .lines()
        .filter_map(|line| line.split_once("BIOS-e820: [mem 0x").map(|(_, range)| range.to_owned()))
        .collect();
    ensure!(map.len() >= 4, "{map:?}");
    for line in map {
        let (start, rest) = line.split_once("-0x").context("no range")?;
        let (end, kind) = rest.split_once("] ").context("no type")?;
        let (start, end) = (u64::from_str_radix(start, 16)?, u64::from_str_radix(end, 16)?);
        if start < MIB {
            continue;
        }
        let name = if kind == "usable" { "System RAM" } else { "Reserved" };
        let found = rows
            .iter()
            .any(|row| row.depth == 0 && (row.start, row.end, row.name) == (start, end, name));
        ensure!(found, "no {start:x}-{end:x} : {name} in:\n{text}");
    }
    Ok(())
}

fn image_in_iomem() -> Result<()> {
    const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;
    let image = Image::read(&Build::ours().vmlinux())?;
    let address = |name: &str| {
        image
            .address_of(name)
            .with_context(|| name.to_owned())
            .map(|address| address - KERNEL_MAP)
    };
    let text = Session::on(&machine())?.obey("iomem")?;
    let rows = rows(&text)?;
    for (name, first, behind) in [
        ("Kernel code", "_text", "_etext"),
        ("Kernel rodata", "__start_rodata", "__end_rodata"),
        ("Kernel data", "_sdata", "_edata"),
        ("Kernel bss", "__bss_start", "__bss_stop"),
    ] {
        let row = rows.iter().find(|row| row.name == name).with_context(|| text.clone())?;
        ensure!(
            (row.depth, row.start, row.end) == (2, address(first)?, address(behind)? - 1),
            "{name} in:\n{text}"
        );
        let ram = rows
            .iter()
            .any(|ram| ram.name == "System RAM" && ram.start <= row.start && row.end <= ram.end);
        ensure!(ram, "{name} is not in RAM:\n{text}");
    }
    Ok(())
}

fn a_crash_kernel_is_kept() -> Result<()> {
    let mut session = Session::on(&machine().memory("6G").append("crashkernel=512M,high crashkernel=64M,low"))?;
    let text = session.obey("iomem")?;
    let mut kept: Vec<_> = rows(&text)?
        .iter()
        .filter(|row| row.name == "Crash kernel")
        .map(|row| (row.start, row.end + 1 - row.start))
        .collect();
    kept.sort_unstable();
    let [(low, low_size), (high, high_size)] = kept[..] else {
        anyhow::bail!("not two areas in:\n{text}");
    };
    ensure!(
        low_size == 64 * MIB && low + low_size <= 4 * GIB && low % (16 * MIB) == 0,
        "{low:#x}"
    );
    ensure!(high_size == 512 * MIB && high >= 4 * GIB && high % (16 * MIB) == 0, "{high:#x}");
    let reserved = session.obey("mem")?;
    for (start, size) in kept {
        let inside = reserved
            .lines()
            .filter(|line| line.starts_with("reserved"))
            .filter_map(range)
            .any(|(first, last)| first <= start && start + size - 1 <= last);
        ensure!(inside, "{start:#x} is not reserved in:\n{reserved}");
    }
    Ok(())
}

/// The range of a line of `mem`.
fn range(line: &str) -> Option<(u64, u64)> {
    let (_, rest) = line.split_once("[0x")?;
    let (start, rest) = rest.split_once("-0x")?;
    let (end, _) = rest.split_once(']')?;
    Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
}

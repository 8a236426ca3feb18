//! Memory, counted: what the machine was given, what the memory map says, what the zones have and what can be allocated are the same memory.

use anyhow::{Context, Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;
use crate::takeover::{E820_MAX, Range, Takeover};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

const RAM: u32 = 1;
const RESERVED: u32 = 2;

/// What of the memory that QEMU is told to give no memory map calls usable: the adapters' memory below 1 MiB, and the firmware's tables at the end.
const FIRMWARE: u64 = MIB;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for chipset in ["pc", "q35"] {
        for (memory, bytes) in [
            ("16M", 16 * MIB),
            ("100M", 100 * MIB),
            ("1G", GIB),
            ("3G", 3 * GIB),
            ("6G", 6 * GIB),
            ("16G", 16 * GIB),
        ] {
            let machine = ours().chipset(chipset).memory(memory);
            let name = format!("memory::all_{memory}_of_a_{chipset}_are_accounted_for");
            trials.push(trial(name, move || given(&machine.run()?, bytes).map(drop)));
        }
    }
    trials.extend(limits());
    trials.extend(hostile_maps());
    trials.extend(movable());
    trials.extend(too_little());
    trials
}

/// Our image on a machine that shows everything.
pub fn ours() -> Machine {
    Machine::new(&Build::ours().vmlinux()).append("loglevel=8")
}

/// What the log says of memory, in bytes.
pub struct Totals {
    /// What can be allocated.
    pub available: u64,
    /// What is memory.
    pub total: u64,
}

/// Fails unless the boot came to its end without a complaint, and its figures agree with each other.
pub fn adds_up(log: &Log) -> Result<Totals> {
    require_end(log)?;
    for complaint in ["WARNING:", "BUG:", "Bad page"] {
        log.refuse(complaint)?;
    }
    let line = log
        .lines()
        .find_map(|line| line.strip_prefix("Memory: "))
        .context("no line of memory")?;
    let kib = |text: &str| -> Result<u64> { Ok(text.trim().trim_end_matches('K').parse::<u64>()? * KIB) };
    let (available, rest) = line.split_once('/').context("no available memory")?;
    let (total, rest) = rest.split_once(" available").context("no total")?;
    let reserved = rest
        .split(", ")
        .find_map(|part| part.strip_suffix("K reserved"))
        .context("no reserved memory")?;
    let (available, total, reserved) = (kib(available)?, kib(total)?, kib(reserved)?);
    ensure!(available + reserved == total, "`{line}` does not add up");
    let ranges: u64 = node_ranges(log)?.iter().map(|(_, start, end)| end - start).sum();
    ensure!(ranges == total, "the nodes have {ranges:#x}, `{line}`");
    Ok(Totals { available, total })
}

/// Node, first address and end of each run of memory.
pub fn node_ranges(log: &Log) -> Result<Vec<(usize, u64, u64)>> {
    let lines = log.lines().filter_map(|line| line.strip_prefix("  node ")?.split_once(": [mem "));
    lines
        .map(|(nid, range)| {
            let (first, last) = range.trim_end_matches(']').split_once('-').context("no range")?;
            let number = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16);
            Ok((nid.trim().parse()?, number(first)?, number(last)? + 1))
        })
        .collect()
}

/// Fails unless the figures agree with what the machine was given.
pub fn given(log: &Log, bytes: u64) -> Result<Totals> {
    let totals = adds_up(log)?;
    ensure!(
        totals.total <= bytes && bytes - totals.total <= FIRMWARE,
        "of {bytes:#x} bytes there are {:#x}",
        totals.total
    );
    // Pages, tables and the image take less than a tenth, but for the smallest machine.
    ensure!(totals.available > totals.total / 10 * 7, "only {:#x} are left", totals.available);
    Ok(totals)
}

/// What the command line makes of 256 MiB.
fn limits() -> Vec<Trial> {
    [
        ("mem=64M", 64 * MIB),
        ("mem=100000K", 100_000 * KIB),
        ("memmap=16M$32M", 240 * MIB),
        ("memmap=16M#32M", 240 * MIB),
        ("memmap=16M!32M", 240 * MIB),
        ("memmap=1M$33M memmap=1M$35M memmap=1M$37M", 253 * MIB),
        ("memmap=100M", 100 * MIB),
        ("memmap=exactmap memmap=636K@4K memmap=63M@1M", 64 * MIB),
        ("mem=64M memmap=32M@128M", 96 * MIB),
        ("memmap=16M%32M-1", 240 * MIB),
    ]
    .map(|(words, bytes)| {
        let machine = ours().memory("256M").append(words);
        trial(format!("memory::{words}_leaves_what_it_says"), move || {
            given(&machine.run()?, bytes).map(drop)
        })
    })
    .into()
}

/// Part of memory is kept for what can be moved, and counts all the same. What the kernel gets is counted without the hole below 1 MiB, and rounded up to blocks of 4 MiB.
fn movable() -> Vec<Trial> {
    [
        ("kernelcore=512M", "  Node 0: 0x0000000020400000"),
        ("movablecore=256M", "  Node 0: 0x0000000030000000"),
        ("kernelcore=50%", "  Node 0: 0x0000000020400000"),
    ]
    .map(|(words, line)| {
        trial(format!("memory::{words}_keeps_the_rest_movable"), move || {
            let log = ours().memory("1G").append(words).run()?;
            given(&log, GIB)?;
            log.require(&["Movable zone start for each node", line, "Early memory node ranges"])
        })
    })
    .into_iter()
    .chain([trial("memory::a_wrong_kernelcore_is_named", || {
        let log = ours().append("kernelcore=much").run()?;
        given(&log, 128 * MIB)?;
        log.require(&["Malformed early option 'kernelcore'"])
    })])
    .collect()
}

/// Maps that no firmware should give, and how much of them can be used: whole pages, without the first.
fn hostile_maps() -> Vec<Trial> {
    let sane: [Range; 2] = [(0, 0x9fc00, RAM), (MIB, 127 * MIB, RAM)];
    let usable = 0x9e000 + 127 * MIB;
    let with = |further: &[Range]| [&sane[..], further].concat();
    let cases: Vec<(&str, Vec<Range>, u64)> = vec![
        (
            "ranges_that_end_inside_of_pages",
            vec![sane[0], (MIB, 63 * MIB + 5, RAM), (64 * MIB + 0x1fff, 32 * MIB, RAM)],
            0x9e000 + 63 * MIB + 32 * MIB - 0x1000,
        ),
        (
            "a_hundred_holes",
            (0..100)
                .map(|at| (16 * MIB + at * MIB + 0x3000, 0x1000, RESERVED))
                .chain(sane)
                .collect(),
            usable - 100 * 0x1000,
        ),
        (
            "single_pages",
            [sane[0], (MIB, 63 * MIB, RAM)]
                .into_iter()
                .chain((0..90).map(|at| (64 * MIB + at * 0x3000 + 0x1000, 0x1000, RAM)))
                .collect(),
            0x9e000 + 63 * MIB + 90 * 0x1000,
        ),
        (
            "the_same_memory_twice",
            with(&[(32 * MIB, 64 * MIB, RAM), (MIB, 127 * MIB, RAM)]),
            usable,
        ),
        ("memory_that_no_address_reaches", with(&[(1 << 52, GIB, RAM)]), usable),
        (
            "memory_that_ends_where_addresses_do",
            with(&[(u64::MAX - 0xfff, 0xfff, RAM)]),
            usable,
        ),
        ("the_end_before_the_beginning", vec![sane[1], sane[0]], usable),
    ];
    let mut trials: Vec<_> = cases
        .into_iter()
        .map(|(name, ranges, usable)| {
            trial(format!("memory::a_map_of_{name}_is_counted_right"), move || {
                let totals = adds_up(&boots(&ranges)?)?;
                ensure!(totals.total == usable, "{:#x} instead of {usable:#x}", totals.total);
                Ok(())
            })
        })
        .collect();
    trials.push(trial("memory::more_ranges_than_the_image_has_room_for_are_all_used", move || {
        let scattered = (0..300).map(|at| (64 * MIB + at * 0x3000 + 0x1000, 0x1000, RAM));
        let ranges: Vec<_> = [sane[0], (MIB, 63 * MIB, RAM)].into_iter().chain(scattered).collect();
        let mut takeover = Takeover::new(Machine::new(&Build::ours().bzimage()).append("loglevel=8 memblock=debug"))?;
        takeover.set_memory_map(&ranges[..E820_MAX], E820_MAX as u8)?;
        takeover.set_further_ranges(48 * MIB, 0, &ranges[E820_MAX..], None)?;
        let log = takeover.go_on()?;
        log.require_mention("memblock: memory is doubled to 256 at [mem 0x")?;
        log.require_mention("memblock: memory is doubled to 512 at [mem 0x")?;
        log.require_mention(" memory.cnt  = 0x12e")?;
        let total = adds_up(&log)?.total;
        let given = 0x9e000 + 63 * MIB + 300 * 0x1000;
        ensure!(total == given, "{total:#x} instead of {given:#x}");
        Ok(())
    }));
    trials.push(trial("memory::ram_that_the_processor_cannot_address_is_left_out", move || {
        // QEMU's processor has 40 address bits.
        let log = boots(&[sane[0], sane[1], (TIB, 8 * TIB, RAM)])?;
        log.require_mention("only what lies below 0x10000000000 is used: no more can be addressed")?;
        let total = adds_up(&log)?.total;
        ensure!(total == usable, "{total:#x} instead of {usable:#x}");
        Ok(())
    }));
    trials
}

/// Boots with another memory map, to the end.
fn boots(ranges: &[Range]) -> Result<Log> {
    let mut takeover = Takeover::new(Machine::new(&Build::ours().bzimage()).append("loglevel=8"))?;
    takeover.set_memory_map(ranges, ranges.len() as u8)?;
    takeover.go_on()
}

/// Where there is too little memory, a panic says what it was needed for.
fn too_little() -> Vec<Trial> {
    [
        ("1M", "NUMA: no memory for the list of nodes (ENOMEM)"),
        ("64K", "NUMA: no memory for the list of nodes (ENOMEM)"),
    ]
    .map(|(memory, reason)| {
        trial(format!("memory::{memory}_are_too_little_and_the_panic_says_so"), move || {
            let log = ours().append(&format!("earlyprintk=serial mem={memory}")).run()?;
            log.require(&[&format!("Kernel panic - not syncing: {reason}")])
        })
    })
    .into_iter()
    .chain([trial("memory::with_less_and_less_memory_a_boot_ends_or_says_what_it_lacks", || {
        for kib in (2400..4000).step_by(100) {
            let log = ours().append(&format!("earlyprintk=serial mem={kib}K")).run()?;
            let ending = log.lines().find(|line| line.starts_with("Kernel panic - not syncing: "));
            let ending = ending.with_context(|| format!("with {kib} KiB the boot has no end:\n{}", log.tail()))?;
            let said = [
                "No working init found",
                "ENOMEM",
                "no memory",
                "Failed to allocate",
                "memory allocation of",
            ];
            ensure!(said.iter().any(|words| ending.contains(words)), "with {kib} KiB: {ending}");
        }
        Ok(())
    })])
    .collect()
}

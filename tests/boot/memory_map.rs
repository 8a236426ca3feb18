//! Memory maps that no firmware should give: overlaps, none at all, too many, wrap-around.
//!
//! The ranges that must be printed are worked out by hand from Linux's rule: where ranges overlap, the higher type number counts.

use anyhow::{Context, Result};
use incipit_linker::seal::image::Image;
use incipit_tests::built::Build;
use incipit_tests::debugger::Debugger;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;
use crate::takeover::{E820_MAX, Range, Takeover, at_pvh_entry};

/// The start information that PVH hands over: `struct hvm_start_info`.
const START_INFO_SIZE: usize = 56;

/// A boot that ends before the consoles are up is seen through an early one only.
const EARLY: &str = "earlyprintk=serial";

const RAM: u32 = 1;
const RESERVED: u32 = 2;
const ACPI: u32 = 3;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const PAGE: u64 = 4 * KIB;

/// What a machine with 128 MiB has at the least.
const SANE: &[Range] = &[(0, 0x9fc00, RAM), (0xf_0000, 0x1_0000, RESERVED), (MIB, 127 * MIB, RAM)];

pub fn trials() -> Vec<Trial> {
    vec![
        trial("memory_map::overlaps_are_resolved_by_type", overlaps),
        trial("memory_map::the_order_of_the_ranges_makes_no_difference", || {
            let mut backwards = SANE.to_vec();
            backwards.reverse();
            let log = boots(&backwards)?;
            require_map(
                &log,
                "BIOS-e820",
                &[
                    (0, 0x9fbff, "usable"),
                    (0xf_0000, 0xf_ffff, "reserved"),
                    (MIB, 0x7ff_ffff, "usable"),
                ],
            )
        }),
        trial("memory_map::neighbours_of_one_type_are_one_range", || {
            let log = boots(&[(0, 0x9fc00, RAM), (MIB, 64 * MIB, RAM), (65 * MIB, 63 * MIB, RAM)])?;
            require_map(&log, "BIOS-e820", &[(0, 0x9fbff, "usable"), (MIB, 0x7ff_ffff, "usable")])
        }),
        trial("memory_map::a_range_without_a_size_is_dropped", || {
            let log = boots(&[SANE[0], (0x5000_0000, 0, RAM), SANE[1], SANE[2]])?;
            log.refuse("0x0000000050000000")
        }),
        trial("memory_map::a_type_that_nobody_knows_is_kept_by_its_number", || {
            let log = boots(&[SANE[0], SANE[1], SANE[2], (0x1_0000_0000, PAGE, 77)])?;
            require_map(&log, "BIOS-e820", &[(0x1_0000_0000, 0x1_0000_0fff, "type 77")])
        }),
        trial("memory_map::a_range_that_wraps_around_is_ignored_alone", || {
            let log = boots(&[SANE[0], (0xffff_ffff_ffff_f000, 2 * PAGE, RAM), SANE[1], SANE[2]])?;
            log.require_mention("[mem 0xfffffffffffff000-0x0000000000000fff] usable")?;
            log.require_mention("wrap around")?;
            require_map(&log, "BIOS-e820", &[(0, 0x9fbff, "usable"), (MIB, 0x7ff_ffff, "usable")])
        }),
        trial("memory_map::128_ranges_are_all_taken", || {
            let log = boots(&many(E820_MAX))?;
            require_many(&log, "BIOS-e820", E820_MAX)
        }),
        trial("memory_map::a_count_of_200_reads_no_further_than_the_table", || {
            let mut takeover = stopped()?;
            takeover.set_memory_map(&many(E820_MAX), 200)?;
            let log = takeover.go_on()?;
            require_end(&log)?;
            require_many(&log, "BIOS-e820", E820_MAX)
        }),
        trial("memory_map::200_ranges_come_with_setup_data", || {
            let all = many(200);
            let mut takeover = stopped()?;
            takeover.set_memory_map(&all[..E820_MAX], E820_MAX as u8)?;
            takeover.set_further_ranges(80 * MIB, 0, &all[E820_MAX..], None)?;
            let log = takeover.go_on()?;
            require_end(&log)?;
            require_many(&log, "extended", 200)
        }),
        trial("memory_map::pvh_with_200_ranges_keeps_them_all", pvh_with_200_ranges),
        trial("memory_map::pvh_without_a_map_ends_in_a_panic_that_says_so", || {
            let log = changed_start_info(|info| info[0x30..0x34].fill(0))?;
            log.require_mention("PVH: start info has no memory map")?;
            log.require_mention("Kernel panic - not syncing: ")
        }),
        trial("memory_map::pvh_with_a_map_out_of_reach_says_so", || {
            let log = changed_start_info(|info| info[0x28..0x30].copy_from_slice(&u64::MAX.to_le_bytes()))?;
            log.require_mention("PVH: table at 0xffffffffffffffff")?;
            log.require_mention("Kernel panic - not syncing: ")
        }),
        trial(
            "memory_map::pvh_with_a_wrong_magic_number_ends_in_a_panic",
            pvh_with_a_wrong_magic_number,
        ),
        trial("memory_map::without_a_map_the_larger_of_the_old_sizes_counts", || {
            let mut takeover = stopped()?;
            takeover.set_memory_map(&[], 0)?;
            takeover.set_memory_sizes(100 << 10, 50 << 10)?;
            let log = takeover.go_on()?;
            require_end(&log)?;
            require_map(&log, "BIOS-e801", &[(0, 0x9efff, "usable"), (MIB, 0x64f_ffff, "usable")])
        }),
        trial(
            "memory_map::without_a_map_or_any_size_the_boot_ends_in_a_panic_that_says_so",
            || {
                let mut takeover = stopped()?;
                takeover.set_memory_map(&[], 0)?;
                takeover.set_memory_sizes(0, 0)?;
                takeover.go_on()?.require_mention("Kernel panic - not syncing: ")
            },
        ),
        trial("memory_map::a_map_without_ram_ends_in_a_panic_that_says_so", || {
            let mut takeover = stopped()?;
            takeover.set_memory_map(&[(0, MIB, RESERVED), (MIB, 127 * MIB, RESERVED)], 2)?;
            let log = takeover.go_on()?;
            log.require_mention(".text .data .bss are not marked as E820_TYPE_RAM!")?;
            log.require_mention("Kernel panic - not syncing: ")
        }),
        trial("memory_map::a_chain_of_setup_data_that_bites_its_tail_ends", || {
            let mut takeover = stopped()?;
            takeover.set_further_ranges(80 * MIB, 80 * MIB, &[(0x1_0000_0000, PAGE, ACPI)], None)?;
            let log = takeover.go_on()?;
            require_end(&log)?;
            log.require_mention("the rest of the chain is ignored")
        }),
        trial("memory_map::setup_data_out_of_reach_is_named", || {
            let mut takeover = stopped()?;
            takeover.set_setup_data(0xffff_ffff_ffff_f000)?;
            let log = takeover.go_on()?;
            require_end(&log)?;
            log.require_mention("the rest of the chain is ignored")
        }),
        trial("memory_map::setup_data_that_is_longer_than_memory_is_named", || {
            let mut takeover = stopped()?;
            takeover.set_further_ranges(80 * MIB, 0, &[(0x1_0000_0000, PAGE, ACPI)], Some(u32::MAX))?;
            let log = takeover.go_on()?;
            require_end(&log)?;
            log.require_mention("the rest of the chain is ignored")
        }),
        trial("memory_map::mem_cuts_memory_off", || {
            let log = Machine::new(&Build::ours().vmlinux()).append("mem=64M").run()?;
            require_end(&log)?;
            require_map(&log, "user", &[(MIB, 0x3ff_ffff, "usable")])
        }),
        trial("memory_map::a_memmap_that_is_no_range_is_named", || {
            let log = Machine::new(&Build::ours().vmlinux()).append("memmap=nonsense").run()?;
            require_end(&log)?;
            log.require(&["Malformed early option 'memmap'"])
        }),
    ]
}

fn overlaps() -> Result<()> {
    let log = boots(&[
        (MIB, 127 * MIB, RAM),
        (64 * MIB, 16 * MIB, RESERVED),
        (72 * MIB, 24 * MIB, ACPI),
        (0, 0x9fc00, RAM),
        (100 * MIB, 4 * MIB, RAM),
        (64 * MIB, 16 * MIB, RESERVED),
        (0x8_0000, 0x8_0000, RESERVED),
    ])?;
    require_map(
        &log,
        "BIOS-e820",
        &[
            (0, 0x7_ffff, "usable"),
            (0x8_0000, 0xf_ffff, "reserved"),
            (MIB, 64 * MIB - 1, "usable"),
            (64 * MIB, 72 * MIB - 1, "reserved"),
            (72 * MIB, 96 * MIB - 1, "ACPI data"),
            (96 * MIB, 128 * MIB - 1, "usable"),
        ],
    )?;
    let printed = log.lines().filter(|line| line.starts_with("BIOS-e820: ")).count();
    anyhow::ensure!(printed == 6, "{printed} ranges are printed; the log ends:\n{}", log.tail());
    Ok(())
}

/// A map of `count` ranges that cannot be joined: the sane one, and single pages above 4 GiB.
fn many(count: usize) -> Vec<Range> {
    let pages = (0_u64..).map(|index| (0x1_0000_0000 + 2 * index * PAGE, PAGE, RESERVED));
    SANE.iter().copied().chain(pages).take(count).collect()
}

/// Fails unless `who` has printed the ranges of [`many`].
fn require_many(log: &Log, who: &str, count: usize) -> Result<()> {
    let last = many(count)[count - 1].0;
    require_map(
        log,
        who,
        &[
            (0, 0x9fbff, "usable"),
            (MIB, 0x7ff_ffff, "usable"),
            (last, last + PAGE - 1, "reserved"),
        ],
    )
}

/// Fails unless `who` has printed `ranges`, in this order: first and last address, type.
fn require_map(log: &Log, who: &str, ranges: &[(u64, u64, &str)]) -> Result<()> {
    let lines: Vec<_> = ranges
        .iter()
        .map(|(first, last, kind)| format!("{who}: [mem {first:#018x}-{last:#018x}] {kind}"))
        .collect();
    log.require(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn stopped() -> Result<Takeover> {
    Takeover::new(Machine::new(&Build::ours().bzimage()).append(EARLY))
}

/// Boots with another memory map, to the end.
fn boots(ranges: &[Range]) -> Result<Log> {
    let mut takeover = stopped()?;
    takeover.set_memory_map(ranges, ranges.len() as u8)?;
    let log = takeover.go_on()?;
    require_end(&log)?;
    Ok(log)
}

/// Boots by PVH, with start information that `change` has changed.
fn changed_start_info(change: impl FnOnce(&mut [u8])) -> Result<Log> {
    start_info(|debugger, address| {
        let mut info = debugger.read(address, START_INFO_SIZE)?;
        change(&mut info);
        debugger.write(address, &info)
    })
}

/// Boots by PVH to the end, stopped at the entry for `change`.
fn start_info(change: impl FnOnce(&mut Debugger, u64) -> Result<()>) -> Result<Log> {
    let mut guest = at_pvh_entry(Machine::new(&Build::ours().vmlinux()).append(EARLY), change)?;
    guest.debugger()?.detach()?;
    guest.wait_for_end()
}

/// Without its magic number nothing in the start information is believed, so there is no command line and nowhere to say it: the kernel must come to a
/// panic all the same.
fn pvh_with_a_wrong_magic_number() -> Result<()> {
    let mut guest = at_pvh_entry(Machine::new(&Build::ours().vmlinux()), |debugger, address| {
        debugger.write(address, b"no")
    })?;
    let panic = Image::read(&Build::ours().vmlinux())?
        .address_of("incipit::panic::panic")
        .context("no symbol of the panic")?;
    guest.debugger()?.run_to(panic)
}

fn pvh_with_200_ranges() -> Result<()> {
    let log = start_info(|debugger, address| {
        const MAP: u64 = 80 * MIB;
        let entry = |(address, size, kind): Range| [address.to_le_bytes(), size.to_le_bytes(), u64::from(kind).to_le_bytes()].concat();
        let map: Vec<u8> = many(200).into_iter().flat_map(entry).collect();
        debugger.write(MAP, &map)?;
        debugger.write(address + 0x28, &MAP.to_le_bytes())?;
        debugger.write(address + 0x30, &200_u32.to_le_bytes())
    })?;
    require_end(&log)?;
    require_many(&log, "BIOS-e820", E820_MAX)?;
    log.require_mention("setup_data: E820_EXT, 1460 bytes at ")?;
    require_many(&log, "extended", 200)
}

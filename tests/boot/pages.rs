//! The page allocator: its figures against what the machine was given, what it hands out seen from outside, and the checks that the command line switches on.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::elf::Elf;
use incipit_tests::guest::Folder;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

const PAGE: usize = 4096;
const PAGES_PER_MIB: u64 = 256;
/// What the kernel's test writes to each page, above the number of the page frame.
const MARK: u64 = 0x1261_9417;
/// The test that does.
const PATTERN: &str = "kunit.enable=1 kunit.filter_glob=*pattern*";

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (memory, words) in [("16M", ""), ("64M", ""), ("128M", "page_owner=on"), ("3G", ""), ("5G", "")] {
        for chipset in ["pc", "q35"] {
            trials.push(trial(format!("pages::of_{memory}_on_{chipset}_add_up"), move || {
                add_up(&Machine::new(&Build::ours().vmlinux()).chipset(chipset).memory(memory).append(words))
            }));
        }
    }
    trials.extend([
        trial("pages::nothing_that_is_somebodys_is_handed_out", nothing_of_others),
        trial("pages::the_tests_pass_with_every_check", || {
            let words = "page_owner=on page_poison=on debug_pagealloc=on kunit.enable=1 kunit.filter_glob=*page*";
            let log = machine(words).run()?;
            log.require(&["debug_pagealloc: free pages are not mapped", "KTAP version 1"])?;
            log.refuse("pagealloc: memory corruption")?;
            log.refuse("not ok")?;
            log.require_mention("No working init found")
        }),
        trial("pages::a_read_of_a_free_page_faults_with_debug_pagealloc", || {
            let log = machine("debug_pagealloc=on lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type=READ_BUDDY_AFTER_FREE").run()?;
            log.require_mention("BUG: unable to handle page fault for address: ffff8880")?;
            log.require_mention("incipit_lkdtm::pages::read_buddy_after_free+")
        }),
        trial("pages::a_write_to_a_free_page_is_found_with_page_poison", || {
            let words = "page_poison=on page_owner=on lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type=WRITE_BUDDY_AFTER_FREE";
            let log = machine(words).run()?;
            log.require_mention("pagealloc: memory corruption")?;
            log.require_mention(": ef cd ab 89 67 45 23 01 ")?;
            log.require_mention("page dumped because: pagealloc: corrupted page details")?;
            log.require_mention("page last free stack trace:")?;
            log.require_mention("is over, and the boot goes on")
        }),
        trial("pages::have_owners_with_page_owner", || {
            let text = Session::new("page_owner=on")?.obey("page_owner")?;
            ensure!(text.contains("Page allocated via order 0, mask 0x"), "{text}");
            ensure!(text.contains(" type Unmovable Block "), "{text}");
            ensure!(text.contains(" incipit::mm::page_alloc::alloc_pages_node+"), "{text}");
            Ok(())
        }),
        trial("pages::have_no_owners_without", || {
            let text = Session::new("")?.obey("page_owner")?;
            ensure!(text.trim() == "page_owner is disabled", "{text}");
            Ok(())
        }),
        trial("pages::are_cleared_if_that_is_asked_for", || {
            let words = "init_on_alloc=1 init_on_free=on kunit.enable=1 kunit.filter_glob=incipit::mm::slab::*";
            let log = machine(words).run()?;
            log.require(&["mem auto-init: stack:off, heap alloc:on, heap free:on", "KTAP version 1"])?;
            log.refuse("not ok")?;
            log.require_mention("No working init found")?;
            let log = machine("init_on_alloc=1 page_poison=on").run()?;
            log.require(&["mem auto-init: stack:off, heap alloc:off, heap free:off"])
        }),
        trial("pages::a_switch_that_is_none_is_named", || {
            for word in [
                "init_on_alloc=x",
                "init_on_free=",
                "page_poison=maybe",
                "page_owner=2",
                "debug_pagealloc=o",
            ] {
                let name = word.split('=').next().unwrap_or_default();
                machine(word).run()?.require(&[&format!("Malformed early option '{name}'")])?;
            }
            Ok(())
        }),
    ]);
    trials
}

fn machine(words: &str) -> Machine {
    Machine::new(&Build::ours().vmlinux()).append(words)
}

/// The number behind `name` in a text of several lines.
fn number(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
    let digits = line.and_then(|rest| rest.split_whitespace().next());
    digits
        .and_then(|digits| digits.parse().ok())
        .with_context(|| format!("no {name} in:\n{text}"))
}

/// Requires that the figures of the kernel agree with each other, and with what the machine has.
fn add_up(machine: &Machine) -> Result<()> {
    let mut session = Session::on(&machine.clone().append("kdb"))?;
    let memory = number(&session.obey("mem")?, "memory")?;
    let log = session.guest.log();
    let line = line_with(&log, "Memory: ")?;
    let figures: Vec<u64> = line
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    let [.., available, present, _, _, _, _, _, reserved, _cma] = figures[..] else {
        anyhow::bail!("`{line}` has not the figures that it ought to");
    };
    ensure!(present == memory, "{present} KiB of {memory}: {line}");
    ensure!(available + reserved == present, "{line}");
    let zones = session.obey("zoneinfo")?;
    let sum = |name: &str| -> u64 {
        let numbers = zones
            .lines()
            .filter_map(|line| line.trim().strip_prefix(name)?.trim().parse::<u64>().ok());
        numbers.sum()
    };
    ensure!(sum("present ") * 4 == memory, "{zones}");
    let managed = sum("managed ") * 4;
    let meminfo = session.obey("meminfo")?;
    let kib = |name: &str| number(&meminfo, name);
    ensure!(kib("MemTotal:")? == managed, "{zones}");
    ensure!(managed >= available && managed <= present, "{managed} KiB: {line}");
    let free = kib("MemFree:")?;
    ensure!(free <= managed && free * 10 > managed * 8, "{free} KiB free of {managed}");
    let blocks: u64 = session
        .obey("buddyinfo")?
        .lines()
        .filter(|line| line.starts_with("Node"))
        .map(pages_of)
        .sum();
    ensure!(blocks * 4 == free, "{blocks} pages in blocks, {free} KiB free");
    let slab = kib("Slab:")?;
    ensure!(slab == kib("SReclaimable:")? + kib("SUnreclaim:")?, "{meminfo}");
    ensure!(slab == 4 * pages_of_slabs(&session.obey("slabinfo")?)?, "{meminfo}");
    // The first tables are from before there was a page allocator.
    ensure!(
        free + slab + kib("VmallocUsed:")? <= managed && kib("PageTables:")? > 0,
        "{meminfo}"
    );
    // All that there is is mapped, and what is not memory below the highest address as far as a large page covers it.
    let mapped = kib("DirectMap4k:")? + kib("DirectMap2M:")? + kib("DirectMap1G:")?;
    ensure!(mapped >= memory, "{meminfo}");
    ensure!(
        kib("KernelStack:")? > 0 && kib("KernelStack:")? <= kib("VmallocUsed:")?,
        "{meminfo}"
    );
    Ok(())
}

/// How many pages the slabs of all caches have, by the lines of `slabinfo`.
fn pages_of_slabs(slabinfo: &str) -> Result<u64> {
    let caches = slabinfo
        .lines()
        .filter(|line| !line.starts_with('#') && line.contains(" : slabdata "));
    let pages = caches.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let behind = |name: &str| words.iter().position(|word| *word == name).map(|at| at + 1);
        let per_slab = words.get(5).context("no pages per slab")?.parse::<u64>()?;
        let slabs = words.get(behind("slabdata").context("no slabs")? + 1).context("no slabs")?;
        anyhow::Ok(per_slab * slabs.parse::<u64>()?)
    });
    pages.sum()
}

/// How many pages a line of `buddyinfo` is about.
fn pages_of(line: &str) -> u64 {
    let counts = line.split_whitespace().skip(4).filter_map(|count| count.parse::<u64>().ok());
    counts.enumerate().map(|(order, count)| count << order).sum()
}

/// Lets the kernel write to every page that it can get, and looks at all memory from outside: each page that was written to is RAM that nobody has, and what somebody has is as it was.
fn nothing_of_others() -> Result<()> {
    let folder = Folder::new()?;
    let initrd: Vec<u8> = (0..300_001_u32).map(|index| (index * 7 + index / 251) as u8).collect();
    let file = folder.path().join("initrd");
    fs::write(&file, &initrd)?;
    let mut session = Session::on(&machine(&format!("kdb {PATTERN}")).initrd(&file).memory("96M").monitored())?;
    let log = session.guest.log();
    log.require_mention("every_free_page_keeps_what_is_written_to_it")?;
    log.refuse("not ok")?;
    let [start, end] = ranges(&line_with(&log, "RAMDISK: [mem ")?)?[..] else {
        anyhow::bail!("no place of the initrd");
    };
    let listed = session.obey("mem")?;
    let dump = folder.path().join("memory");
    session.guest.monitor()?.save_memory(0, 96 << 20, &dump)?;
    let bytes = fs::read(&dump)?;
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let written: BTreeSet<u64> = (0..bytes.len() / PAGE)
        .map(|pfn| pfn as u64)
        .filter(|pfn| word(*pfn as usize * PAGE + PAGE - 8) == MARK << 32 | pfn)
        .collect();
    ensure!(
        written.len() as u64 > 85 * PAGES_PER_MIB,
        "only {} pages were handed out",
        written.len()
    );
    let refuse = |what: &str, start: u64, end: u64| {
        let hit = written.range(start / PAGE as u64..end.div_ceil(PAGE as u64)).next();
        ensure!(hit.is_none(), "page {hit:x?} of {what} was handed out");
        Ok(())
    };
    refuse("the first MiB", 0, 1 << 20)?;
    refuse("the initrd", start, end + 1)?;
    ensure!(bytes[start as usize..=end as usize] == initrd[..], "the initrd has changed");
    let image = fs::read(Build::ours().vmlinux())?;
    let elf = Elf::with_object(&image)?;
    let addresses = elf.addresses();
    let phys = |name: &str| -> Result<u64> {
        let address = addresses.get(name).with_context(|| format!("no {name}"))?;
        Ok(address - incipit_linker::layout::KERNEL_MAP)
    };
    refuse("code and constants", phys("_text")?, phys("__init_begin")?)?;
    refuse("data", phys("_sdata")?, phys("__brk_base")?)?;
    for line in listed.lines().filter(|line| line.starts_with("reserved")) {
        if let [first, last] = ranges(line)?[..] {
            refuse(line, first, last + 1)?;
        }
    }
    Ok(())
}

/// The first line of the log with a text.
fn line_with(log: &Log, part: &str) -> Result<String> {
    let line = log.lines().find(|line| line.contains(part));
    line.map(str::to_owned)
        .with_context(|| format!("no line has `{part}`:\n{}", log.tail()))
}

/// The two addresses of a range as the log writes it: `[mem 0x…-0x…]`.
fn ranges(line: &str) -> Result<Vec<u64>> {
    line.split("0x")
        .skip(1)
        .map(|rest| {
            let digits = rest
                .split(|character: char| !character.is_ascii_hexdigit())
                .next()
                .unwrap_or_default();
            u64::from_str_radix(digits, 16).with_context(|| line.to_owned())
        })
        .collect()
}

//! The end of init memory: poisoned, unmapped, given back; and read-only data that no address can write to.

use std::fs;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use incipit_linker::layout::KERNEL_MAP;
use incipit_tests::built::Build;
use incipit_tests::elf::Elf;
use incipit_tests::guest::Folder;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use incipit_tests::session::Session;

/// Where Linux's layout puts the direct map.
const PAGE_OFFSET: u64 = 0xffff_8880_0000_0000;
/// Linux's `POISON_FREE_INITMEM`.
const POISON: u8 = 0xcc;

const PASSED: &str = "x86/mm: Checked W+X mappings: passed, no W+X pages found.";

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for chipset in ["pc", "q35", "microvm"] {
        for cpu in ["qemu64", "max"] {
            trials.push(trial(
                format!("init_memory::is_freed_before_read_only_data_is_protected_on_{chipset}_with_{cpu}"),
                move || both_lines(&machine("").chipset(chipset).cpu(cpu).run()?),
            ));
        }
    }
    trials.extend([
        trial("init_memory::the_tests_in_the_kernel_run_before", || {
            let log = machine("kunit.enable=1 kunit.filter_glob=*errno*").run()?;
            let freed = freed_line()?;
            log.require(&["KTAP version 1", &freed])?;
            both_lines(&log)
        }),
        trial("init_memory::is_given_back_to_memblock", given_back),
        trial("init_memory::cannot_be_read_by_its_addresses", unmapped),
        trial("init_memory::holds_nothing_but_poison", poisoned),
        trial("init_memory::rodata_off_leaves_out_the_protection", || {
            let log = machine("rodata=off").run()?;
            log.require(&[&freed_line()?, "Kernel memory protection disabled.", "Run /init as init process"])?;
            log.refuse("Write protecting")?;
            log.refuse(PASSED)
        }),
        trial("init_memory::rodata_on_and_full_are_what_is_done_anyway", || {
            for word in ["rodata=on", "rodata=full", "rodata=off rodata=on"] {
                both_lines(&machine(word).run()?)?;
            }
            Ok(())
        }),
        trial("init_memory::another_word_for_rodata_is_named_and_changes_nothing", || {
            let log = machine("rodata=of").run()?;
            log.require(&["Invalid option string for rodata: 'of' (on, off or full)"])?;
            both_lines(&log)
        }),
    ]);
    trials
}

fn machine(words: &str) -> Machine {
    Machine::new(&Build::ours().vmlinux()).append(words)
}

/// The addresses between two symbols of the image, which two readers of it must agree on.
fn between(start: &str, end: &str) -> Result<Range<u64>> {
    let bytes = fs::read(Build::ours().vmlinux())?;
    let range = |elf: &Elf| {
        let addresses = elf.addresses();
        Some(*addresses.get(start)?..*addresses.get(end)?)
    };
    let read = range(&Elf::with_object(&bytes)?).with_context(|| format!("the image has no {start} or no {end}"))?;
    ensure!(
        Some(&read) == range(&Elf::with_goblin(&bytes)?).as_ref(),
        "the two readers do not agree on {start}"
    );
    Ok(read)
}

fn init() -> Result<Range<u64>> {
    between("__init_begin", "__init_end")
}

fn freed_line() -> Result<String> {
    let range = init()?;
    let size = range.end - range.start;
    ensure!(size > 0 && size.is_multiple_of(4096), "{range:x?}");
    Ok(format!("Freeing unused kernel image (initmem) memory: {}K", size / 1024))
}

/// Requires the two lines, with the sizes that the image has, in their order between the last initcall and init.
fn both_lines(log: &Log) -> Result<()> {
    let range = between("_text", "__end_rodata")?;
    log.require(&[
        &freed_line()?,
        &format!("Write protecting the kernel read-only data: {}k", (range.end - range.start) / 1024),
        PASSED,
        "Run /init as init process",
    ])?;
    log.refuse("WARNING:")
}

/// The physical addresses in the lines of the monitor's `mem` about `kind`.
pub fn listed(text: &str, kind: &str) -> Vec<Range<u64>> {
    let range = |line: &str| {
        let (first, last) = line.split_once("[0x")?.1.split_once(']')?.0.split_once("-0x")?;
        Some(u64::from_str_radix(first, 16).ok()?..u64::from_str_radix(last, 16).ok()? + 1)
    };
    text.lines().filter(|line| line.starts_with(kind)).filter_map(range).collect()
}

fn given_back() -> Result<()> {
    let text = Session::new("")?.obey("mem")?;
    let init = init()?;
    let (start, end) = (init.start - KERNEL_MAP, init.end - KERNEL_MAP);
    let (memory, reserved) = (listed(&text, "memory"), listed(&text, "reserved"));
    ensure!(memory.iter().any(|range| range.start <= start && end <= range.end), "{text}");
    ensure!(reserved.iter().all(|range| range.end <= start || end <= range.start), "{text}");
    ensure!(
        reserved.iter().any(|range| range.end == start) && reserved.iter().any(|range| range.start == end),
        "what lies before and behind is still taken:\n{text}"
    );
    Ok(())
}

fn unmapped() -> Result<()> {
    let mut session = Session::new("")?;
    let init = init()?;
    for address in [init.start, init.start + (init.end - init.start) / 2, init.end - 8] {
        let text = session.obey(&format!("md {address:#x} 1"))?;
        ensure!(
            text.contains(&format!("diag: Invalid address: {address:#x}")),
            "{address:#x}: {text}"
        );
    }
    for address in [init.start - 16, init.end] {
        let text = session.obey(&format!("md {address:#x} 1"))?;
        ensure!(text.starts_with(&format!("{address:#018x} ")), "{address:#x}: {text}");
    }
    let alias = init.start - KERNEL_MAP + PAGE_OFFSET;
    let text = session.obey(&format!("md {alias:#x} 1"))?;
    ensure!(text.contains(" cccccccccccccccc cccccccccccccccc "), "{text}");
    Ok(())
}

fn poisoned() -> Result<()> {
    let init = init()?;
    let size = usize::try_from(init.end - init.start)?;
    let folder = Folder::new()?;
    let file = folder.path().join("init");
    let mut session = Session::on(&machine("kdb").monitored())?;
    session.guest.monitor()?.save_memory(init.start - KERNEL_MAP, size, &file)?;
    let bytes = fs::read(&file)?;
    ensure!(bytes.len() == size, "{} bytes", bytes.len());
    let other = bytes.iter().position(|&byte| byte != POISON);
    ensure!(other.is_none(), "byte {other:x?} is no poison");
    Ok(())
}

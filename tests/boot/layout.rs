//! What the log says of the address space, against the page tables as the processor has them: QEMU's `info tlb`.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use incipit_linker::seal::image::Image;
use incipit_tests::built::Build;
use incipit_tests::elf::Elf;
use incipit_tests::guest::Guest;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;
use crate::memory::ours;

/// Where Linux's layout puts the direct map, and where the mapping of the image begins.
const PAGE_OFFSET: u64 = 0xffff_8880_0000_0000;
const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (cpu, memory) in [("qemu64", "128M"), ("max", "128M"), ("qemu64", "3G"), ("max", "6G")] {
        trials.push(trial(
            format!("layout::{memory}_are_mapped_by_the_pages_that_the_log_says_on_{cpu}"),
            move || direct_map(&ours().cpu(cpu).memory(memory)),
        ));
    }
    trials.extend([
        trial("layout::only_what_has_them_uses_pages_of_1g", || {
            let old = ours().cpu("qemu64").memory("6G").run()?;
            require_end(&old)?;
            old.refuse("Using GB pages for direct mapping")?;
            old.refuse("page 1G")?;
            let new = ours().cpu("max").memory("6G").run()?;
            require_end(&new)?;
            new.require(&[
                "Using GB pages for direct mapping",
                "init_memory_mapping: [mem 0x00000000-0x000fffff]",
            ])?;
            new.require(&[" [mem 0x100000000-0x1bfffffff] page 1G"])
        }),
        trial("layout::everything_that_is_mapped_lies_where_the_log_says", || {
            parts(&ours().monitored().append("kdb"))
        }),
        trial("layout::the_parts_of_the_image_are_the_image_s", image),
    ]);
    trials
}

/// Addresses of the pages that are mapped.
fn mapped(guest: &mut Guest) -> Result<BTreeSet<u64>> {
    let text = guest.monitor()?.human("info tlb")?;
    let pages: BTreeSet<_> = text
        .lines()
        .filter_map(|line| u64::from_str_radix(line.split_once(':')?.0.trim(), 16).ok())
        .collect();
    ensure!(!pages.is_empty(), "QEMU knows of no page:\n{text}");
    Ok(pages)
}

/// The first address and the one behind the last, of two numbers with something between them.
fn range(first: &str, last: &str) -> Result<Range<u64>> {
    let number = |text: &str| u64::from_str_radix(text.trim().trim_start_matches("0x"), 16);
    Ok(number(first)?..number(last)?)
}

/// The parts of the direct map, and the size of their pages.
fn said(log: &Log) -> Result<Vec<(Range<u64>, u64)>> {
    let lines = log.lines().filter_map(|line| line.strip_prefix(" [mem ")?.split_once("] page "));
    lines
        .map(|(part, size)| {
            let (first, last) = part.split_once('-').context("no range")?;
            let part = range(first, last)?;
            let size = match size {
                "4k" => 4 * KIB,
                "2M" => 2 * MIB,
                "1G" => GIB,
                other => anyhow::bail!("pages of {other}"),
            };
            Ok((part.start..part.end + 1, size))
        })
        .collect()
}

/// Stops when the tables are built, before anybody has changed them, and compares each page of the direct map.
fn direct_map(machine: &Machine) -> Result<()> {
    let mut guest = machine.clone().monitored().debugged().start()?;
    let stop = Image::read(&Build::ours().vmlinux())?
        .address_of("incipit::mm::sparse::paging_init")
        .context("no symbol of paging_init")?;
    guest.debugger()?.run_to(stop)?;
    let mut direct: BTreeSet<_> = mapped(&mut guest)?.range(PAGE_OFFSET..PAGE_OFFSET + (64 << 40)).copied().collect();
    guest.debugger()?.detach()?;
    let log = guest.wait_for_end()?;
    require_end(&log)?;
    let elf = Elf::with_object(&std::fs::read(Build::ours().vmlinux())?)?;
    let symbols = elf.addresses();
    // The guard of the boot's stack is not mapped, so that the large page around it is in pieces.
    let direct_address = |symbol| PAGE_OFFSET + (symbols[symbol] - KERNEL_MAP);
    let image = direct_address("_text") / (2 * MIB) * (2 * MIB)..direct_address("_end");
    let mut expected = BTreeSet::new();
    for (part, size) in said(&log)? {
        expected.extend(part.step_by(size as usize).map(|page| PAGE_OFFSET + page));
    }
    direct.retain(|page| !image.contains(page));
    expected.retain(|page| !image.contains(page));
    let wrong: Vec<_> = direct.symmetric_difference(&expected).take(8).collect();
    ensure!(wrong.is_empty(), "{} pages, {} expected; {wrong:x?}", direct.len(), expected.len());
    Ok(())
}

/// The lines of the layout: name and addresses.
fn layout(log: &Log) -> Result<Vec<(String, Range<u64>)>> {
    let lines = log.lines().skip_while(|line| *line != "virtual kernel memory layout:").skip(1);
    lines
        .map_while(|line| line.strip_prefix("    ")?.split_once(": "))
        .map(|(name, rest)| {
            let (addresses, size) = rest.split_once("   (").context("no size")?;
            let (first, end) = addresses.split_once(" - ").context("no range")?;
            let addresses = range(first, end)?;
            let (number, unit) = size.trim_end_matches(')').trim().split_once(' ').context("no unit")?;
            let unit = if unit == "MB" { MIB } else { KIB };
            ensure!(number.parse::<u64>()? == (addresses.end - addresses.start) / unit, "{name}: {rest}");
            Ok((name.trim().to_owned(), addresses))
        })
        .collect()
}

fn parts(machine: &Machine) -> Result<()> {
    let mut session = Session::on(machine)?;
    let layout = layout(&session.guest.log())?;
    let pages = mapped(&mut session.guest)?;
    let names: Vec<_> = layout.iter().map(|(name, _)| name.as_str()).collect();
    let all = ["fixmap", "cpuentry", "vmemmap", "vmalloc", "lowmem", ".init", ".data", ".text"];
    ensure!(names == all, "{names:?}");
    ensure!(
        layout[..5].windows(2).all(|pair| pair[1].1.end <= pair[0].1.start),
        "not in order: {layout:x?}"
    );
    for (name, part) in &layout {
        let is_used = pages.range(part.clone()).next().is_some();
        match name.as_str() {
            // Nobody needs to have mapped anything there.
            "fixmap" => {}
            // It is gone by now.
            ".init" => ensure!(!is_used, "{part:x?}"),
            _ => ensure!(is_used, "{name}: {part:x?}"),
        }
    }
    let image = KERNEL_MAP..layout[0].1.start & !(GIB - 1);
    let lost: Vec<_> = pages
        .iter()
        .filter(|page| !image.contains(page) && !layout.iter().any(|(_, part)| part.contains(page)))
        .collect();
    ensure!(lost.is_empty(), "mapped elsewhere: {lost:x?}");
    Ok(())
}

fn image() -> Result<()> {
    let log = ours().run()?;
    require_end(&log)?;
    let elf = Elf::with_object(&std::fs::read(Build::ours().vmlinux())?)?;
    let symbols = elf.addresses();
    let layout = layout(&log)?;
    for (name, start, end) in [
        (".init", "__init_begin", "__init_end"),
        (".data", "_etext", "_edata"),
        (".text", "_text", "_etext"),
    ] {
        let part = &layout.iter().find(|part| part.0 == name).context(name)?.1;
        ensure!(*part == (symbols[start]..symbols[end]), "{name}: {part:x?}");
    }
    let last = log
        .lines()
        .find_map(|line| line.strip_prefix("last_pfn = 0x")?.split_once(' '))
        .context("no last_pfn")?;
    let lowmem = &layout.iter().find(|part| part.0 == "lowmem").context("lowmem")?.1;
    let end = PAGE_OFFSET + u64::from_str_radix(last.0, 16)? * 4 * KIB;
    ensure!(*lowmem == (PAGE_OFFSET..end), "{lowmem:x?}");
    Ok(())
}

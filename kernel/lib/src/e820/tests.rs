use super::*;
use crate::bootparam::{BootParams, ScreenInfo};
use std::{boxed::Box, string::ToString, vec::Vec};

mod models;
mod user;

const RAM: E820Type = E820Type::RAM;
const RESERVED: E820Type = E820Type::RESERVED;
const ACPI: E820Type = E820Type::ACPI;

fn table(ranges: &[(u64, u64, E820Type)]) -> Box<E820Table> {
    let mut table = Box::new(E820Table::new());
    for (addr, size, kind) in ranges {
        table.add(*addr, *size, *kind).expect("the table has room");
    }
    table
}

fn ranges(table: &E820Table) -> Vec<(u64, u64, E820Type)> {
    table.entries().iter().map(|entry| (entry.addr, entry.size, entry.kind)).collect()
}

fn sanitized(input: &[(u64, u64, E820Type)]) -> Vec<(u64, u64, E820Type)> {
    let mut table = table(input);
    table.sanitize().expect("no range wraps");
    ranges(&table)
}

#[test]
fn the_log_line_is_linux_s() {
    let table = table(&[(0, 0x9fc00, RAM), (0xfffc_0000, 0x4_0000, RESERVED)]);
    let lines: Vec<_> = table.lines("BIOS-e820").map(|line| line.to_string()).collect();
    assert_eq!(
        lines,
        [
            "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable",
            "BIOS-e820: [mem 0x00000000fffc0000-0x00000000ffffffff] reserved",
        ]
    );
}

#[test]
fn every_type_has_linux_s_name() {
    for (kind, name) in [
        (RAM, "usable"),
        (RESERVED, "reserved"),
        (ACPI, "ACPI data"),
        (E820Type::NVS, "ACPI NVS"),
        (E820Type::UNUSABLE, "unusable"),
        (E820Type::PMEM, "persistent (type 7)"),
        (E820Type::PRAM, "persistent (type 12)"),
        (E820Type::RESERVED_KERN, "usable"),
        (E820Type::SOFT_RESERVED, "soft reserved"),
        (E820Type(6), "type 6"),
        (E820Type(0), "type 0"),
    ] {
        assert_eq!(kind.to_string(), name);
    }
}

#[test]
fn sanitising_sorts_and_joins_neighbours_of_one_type() {
    assert_eq!(
        sanitized(&[(0x300, 0x100, RAM), (0x100, 0x100, RAM), (0x200, 0x100, RAM)]),
        [(0x100, 0x300, RAM)]
    );
    assert_eq!(
        sanitized(&[(0x300, 0x100, RAM), (0x100, 0x100, RAM)]),
        [(0x100, 0x100, RAM), (0x300, 0x100, RAM)]
    );
}

#[test]
fn in_an_overlap_the_higher_type_wins() {
    assert_eq!(
        sanitized(&[(0x100, 0x300, RAM), (0x200, 0x100, RESERVED)]),
        [(0x100, 0x100, RAM), (0x200, 0x100, RESERVED), (0x300, 0x100, RAM)]
    );
    assert_eq!(
        sanitized(&[(0x100, 0x200, RESERVED), (0x200, 0x200, RAM)]),
        [(0x100, 0x200, RESERVED), (0x300, 0x100, RAM)]
    );
    assert_eq!(sanitized(&[(0x100, 0x100, RAM), (0x100, 0x100, RAM)]), [(0x100, 0x100, RAM)]);
}

#[test]
fn empty_ranges_and_type_0_are_dropped() {
    assert_eq!(
        sanitized(&[(0x100, 0, RAM), (0x200, 0x100, RAM), (0x300, 0x100, E820Type(0))]),
        [(0x200, 0x100, RAM)]
    );
    assert_eq!(sanitized(&[(0x100, 0, RAM), (0x200, 0, RESERVED)]), []);
}

#[test]
fn persistent_neighbours_stay_apart() {
    let pram = E820Type::PRAM;
    assert_eq!(
        sanitized(&[(0x100, 0x100, pram), (0x200, 0x100, pram)]),
        [(0x100, 0x100, pram), (0x200, 0x100, pram)]
    );
    let pmem = E820Type::PMEM;
    assert_eq!(sanitized(&[(0x100, 0x100, pmem), (0x200, 0x100, pmem)]), [(0x100, 0x200, pmem)]);
}

#[test]
fn a_map_of_one_range_is_left_alone() {
    assert_eq!(sanitized(&[(0x100, 0, RAM)]), [(0x100, 0, RAM)]);
    assert_eq!(sanitized(&[]), []);
}

#[test]
fn a_range_that_wraps_leaves_the_map_untouched() {
    let input = [(0x300, 0x100, RAM), (u64::MAX, 1, RESERVED), (0x100, 0x100, RAM)];
    let mut table = table(&input);
    let wraps = E820Entry {
        addr: u64::MAX,
        size: 1,
        kind: RESERVED,
    };
    assert_eq!(table.sanitize(), Err(E820Error::Wraps(wraps)));
    assert_eq!(ranges(&table), input);
}

#[test]
fn a_result_that_does_not_fit_loses_its_highest_ranges() {
    let mut table = Box::new(E820Table::new());
    table.add(0, 0x10_0000, RAM).expect("room");
    while table.entries().len() < E820Table::CAPACITY {
        let at = table.entries().len() as u64;
        table.add(at * 0x100, 0x10, RESERVED).expect("room");
    }
    table.sanitize().expect("no range wraps");
    assert_eq!(table.entries().len(), E820Table::CAPACITY);
    assert_eq!(ranges(&table)[..2], [(0, 0x100, RAM), (0x100, 0x10, RESERVED)]);
    assert!(table.entries().windows(2).all(|pair| pair[0].end() == Some(pair[1].addr)));
}

#[test]
fn an_update_splits_what_it_changes() {
    let mut table = table(&[(0x1000, 0x3000, RAM), (0x8000, 0x1000, RESERVED)]);
    assert_eq!(table.update(0x2000, 0x1000, RAM, RESERVED), Ok(0x1000));
    table.sanitize().expect("no range wraps");
    assert_eq!(
        ranges(&table),
        [
            (0x1000, 0x1000, RAM),
            (0x2000, 0x1000, RESERVED),
            (0x3000, 0x1000, RAM),
            (0x8000, 0x1000, RESERVED)
        ]
    );
}

#[test]
fn an_update_leaves_other_types_and_places_alone() {
    let input = [(0x1000, 0x1000, RAM), (0x2000, 0x1000, ACPI)];
    let mut table = table(&input);
    assert_eq!(table.update(0, u64::MAX, E820Type::NVS, RESERVED), Ok(0));
    assert_eq!(table.update(0x3000, 0x1000, RAM, RESERVED), Ok(0));
    assert_eq!(table.update(0x1800, 0, RAM, RESERVED), Ok(0));
    assert_eq!(ranges(&table), input);
    assert_eq!(table.update(0x1800, 0x1000, RAM, RESERVED), Ok(0x800));
    assert_eq!(ranges(&table)[2..], [(0x1800, 0x800, RESERVED)]);
}

#[test]
fn a_removal_leaves_what_lies_around_it() {
    let mut table = table(&[(0x1000, 0x3000, RAM), (0x2000, 0x1000, RESERVED)]);
    assert_eq!(table.remove(0x2000, 0x1000, Some(RAM)), Ok(0x1000));
    assert_eq!(
        ranges(&table),
        [(0x1000, 0x1000, RAM), (0x2000, 0x1000, RESERVED), (0x3000, 0x1000, RAM)]
    );
    assert_eq!(table.remove(0x1800, u64::MAX, None), Ok(0x800 + 0x1000 + 0x1000));
    table.sanitize().expect("no range wraps");
    assert_eq!(ranges(&table), [(0x1000, 0x800, RAM)]);
}

#[test]
fn a_full_table_refuses_and_keeps_what_it_has() {
    let mut table = Box::new(E820Table::new());
    for at in 0..E820Table::CAPACITY as u64 {
        assert_eq!(table.add(at << 20, 0x1000, RAM), Ok(()));
    }
    let more = E820Entry {
        addr: 1,
        size: 2,
        kind: ACPI,
    };
    assert_eq!(table.add(1, 2, ACPI), Err(E820Error::Full(more)));
    let middle = E820Entry {
        addr: 0x10_0800,
        size: 0x100,
        kind: RAM,
    };
    assert_eq!(table.update(0x10_0800, 0x100, RAM, RESERVED), Err(E820Error::Full(middle)));
    assert_eq!(
        table.entries()[1],
        E820Entry {
            addr: 0x10_0000,
            size: 0x1000,
            kind: RAM
        }
    );
    assert_eq!(table.update(0x10_0000, 0x1000, RAM, RESERVED), Ok(0x1000));
    assert_eq!(
        E820Error::Full(middle).to_string(),
        "e820: too many entries; ignoring [mem 0x00100800-0x001008ff]"
    );
}

fn params(entries: &[(u64, u64, E820Type)]) -> BootParams {
    let mut params = BootParams::zeroed();
    let entries: Vec<_> = entries
        .iter()
        .map(|(addr, size, kind)| E820Entry {
            addr: *addr,
            size: *size,
            kind: *kind,
        })
        .collect();
    params.set_e820_table(&entries);
    params
}

#[test]
fn the_zero_page_s_map_is_taken_sanitised() {
    let mut table = table(&[(7, 7, RAM)]);
    let setup = table.memory_setup(&params(&[(0x10_0000, 0x1000, RAM), (0, 0x9fc00, RAM)]));
    assert_eq!(
        setup,
        MemorySetup {
            source: MemorySource::E820,
            ignored: 0,
            first_ignored: None
        }
    );
    assert_eq!(setup.source.who(), "BIOS-e820");
    assert_eq!(ranges(&table), [(0, 0x9fc00, RAM), (0x10_0000, 0x1000, RAM)]);
}

#[test]
fn a_wrapping_entry_is_left_out_and_reported() {
    let wild = (u64::MAX - 0xfff, 0x1_0000, RAM);
    let mut table = table(&[]);
    let setup = table.memory_setup(&params(&[(0, 0x9fc00, RAM), wild, (0x10_0000, 0x1000, RAM)]));
    assert_eq!(setup.ignored, 1);
    assert_eq!(setup.first_ignored.map(|entry| entry.addr), Some(wild.0));
    assert_eq!(ranges(&table), [(0, 0x9fc00, RAM), (0x10_0000, 0x1000, RAM)]);
}

#[test]
fn without_a_map_the_larger_of_the_bios_sizes_counts() {
    for entries in [&[][..], &[(0, 0x1000, RAM)], &[(0, 0x1000, RAM), (u64::MAX, 7, RAM)]] {
        let mut params = params(entries);
        params.set_alt_mem_k(0x1_0000);
        let mut table = table(&[]);
        assert_eq!(table.memory_setup(&params).source, MemorySource::E801);
        assert_eq!(ranges(&table), [(0, 0x9f000, RAM), (0x10_0000, 0x400_0000, RAM)]);

        params.set_alt_mem_k(0);
        params.set_screen_info(ScreenInfo {
            ext_mem_k: 0xfc00,
            ..params.screen_info()
        });
        assert_eq!(table.memory_setup(&params).source.who(), "BIOS-88");
        assert_eq!(ranges(&table), [(0, 0x9f000, RAM), (0x10_0000, 0xfc00 << 10, RAM)]);
    }
}

#[test]
fn without_any_information_only_low_memory_is_left() {
    let mut table = table(&[]);
    assert_eq!(table.memory_setup(&BootParams::zeroed()).source.who(), "BIOS-e801");
    assert_eq!(ranges(&table), [(0, 0x9f000, RAM)]);
}

#[test]
fn an_extension_adds_its_sound_entries_and_names_a_bad_one() {
    let mut table = table(&[(0, 0x1000, RAM)]);
    let entry = |addr, size| E820Entry { addr, size, kind: RAM };
    let wild = entry(u64::MAX, 2);
    let result = table.memory_setup_extended([entry(0x2000, 0x1000), wild, entry(0x1000, 0x1000)]);
    assert_eq!(result, Err(E820Error::Wraps(wild)));
    assert_eq!(ranges(&table), [(0, 0x3000, RAM)]);
}

#[test]
fn the_end_of_memory_is_that_of_the_last_whole_page_of_ram() {
    let table = table(&[
        (0, 0x9fc00, RAM),
        (0x10_0000, 0xbff0_0000, RAM),
        (0xfffc_0000, 0x4_0000, RESERVED),
        (0x1_0000_0000, 0x4000_0800, RAM),
        (0x2_0000_0000, 0x1000, ACPI),
    ]);
    assert_eq!(table.end_of_low_ram_pfn(), 0xc0000);
    assert_eq!(table.end_of_ram_pfn(1 << 34), 0x14_0000);
    assert_eq!(table.end_of_ram_pfn(0x12_0000), 0x12_0000);
    assert_eq!(table.end_pfn(u64::MAX, ACPI), 0x20_0001);
    assert_eq!(E820Table::new().end_of_ram_pfn(1 << 34), 0);
}

#[test]
fn a_range_is_mapped_wholly_or_in_part() {
    let table = table(&[(0x1000, 0x1000, RAM), (0x2000, 0x1000, RESERVED), (0x4000, 0x1000, RAM)]);
    assert!(table.mapped_all(0x1000, 0x3000, None));
    assert!(!table.mapped_all(0x1000, 0x3000, Some(RAM)));
    assert!(!table.mapped_all(0x1000, 0x5000, None));
    assert!(!table.mapped_all(0xfff, 0x1800, None));
    assert!(table.mapped_any(0x2fff, 0x4000, None));
    assert!(!table.mapped_any(0x3000, 0x4000, None));
    assert!(!table.mapped_any(0x2000, 0x3000, Some(RAM)));
}

#[test]
fn an_empty_range_maps_nothing() {
    let table = table(&[(0x1800, 0, RAM)]);
    assert!(!table.mapped_any(0x1000, 0x2000, None));
    assert!(!table.mapped_all(0x1000, 0x2000, None));
}

#[test]
fn the_pci_gap_is_the_largest_hole_below_4_gib() {
    let table = table(&[
        (0, 0x9fc00, RAM),
        (0x10_0000, 0x3ff0_0000, RAM),
        (0xfeff_c000, 0x4000, RESERVED),
        (0xfffc_0000, 0x4_0000, RESERVED),
    ]);
    let gap = table.pci_gap(0x40000);
    assert_eq!(
        gap,
        PciGap {
            start: 0x4000_0000,
            size: 0xbeff_c000,
            found: true
        }
    );
}

#[test]
fn without_a_gap_the_guess_lies_past_memory() {
    let table = table(&[(0, 0xffff_0000, RAM), (0x1_0000_0000, 0x1000_0000, RAM)]);
    let gap = table.pci_gap(0x11_0000);
    assert_eq!((gap.start, gap.found), (0x1_1010_0000, false));
    assert_eq!(gap.size, 0x40_0000);
}

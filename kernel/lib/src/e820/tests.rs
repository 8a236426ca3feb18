use super::*;
use crate::bootparam::{BootParams, ScreenInfo};
use crate::param::ParamError;
use proptest::prelude::*;
use std::{boxed::Box, string::ToString, vec, vec::Vec};

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

fn memmap(value: &str) -> Vec<Result<UserRange, ParamError>> {
    UserRange::parse_memmap(value.as_bytes()).collect()
}

#[test]
fn memmap_takes_every_form_and_lists() {
    let add = |start, size, kind| Ok(UserRange::Add { start, size, kind });
    assert_eq!(
        memmap("exactmap,640K@0,0x10M@1M"),
        [Ok(UserRange::Exact), add(0, 640 << 10, RAM), add(1 << 20, 16 << 20, RAM)]
    );
    assert_eq!(
        memmap("64K#0x1000,64K$4096,1G!4G"),
        [
            add(0x1000, 0x1_0000, ACPI),
            add(0x1000, 0x1_0000, RESERVED),
            add(4 << 30, 1 << 30, E820Type::PRAM)
        ]
    );
    assert_eq!(memmap("512M"), [Ok(UserRange::Limit(512 << 20))]);
    let (start, size) = (0x1000, 0x2000);
    assert_eq!(
        memmap("8K%4K-1+0xefffffff"),
        [Ok(UserRange::Update {
            start,
            size,
            old: RAM,
            new: E820Type::SOFT_RESERVED
        })]
    );
    assert_eq!(memmap("8K%4K+2"), [add(start, size, RESERVED)]);
    assert_eq!(
        memmap("8K%4K-2"),
        [Ok(UserRange::Remove {
            start,
            size,
            old: Some(RESERVED)
        })]
    );
    assert_eq!(memmap("8K%4K"), [Ok(UserRange::Remove { start, size, old: None })]);
    assert_eq!(memmap("8K%4K-0+0"), [Ok(UserRange::Remove { start, size, old: None })]);
}

#[test]
fn memmap_stops_at_the_first_error() {
    for value in [
        "",
        "x",
        "@1M",
        "1M@",
        "1M@x",
        "1M@1Mx",
        "1M?1M",
        "1M%",
        "1M%1M*",
        "1M%1M-",
        "1M%1M+",
        "1M%1M-x",
        "1M%1M-1+",
        "1M%1M+1-2",
        "1M%1M++1",
        "1M ",
    ] {
        assert_eq!(memmap(value), [Err(ParamError::Invalid)], "{value:?}");
    }
    assert_eq!(memmap("99999999999999999999@0"), [Err(ParamError::OutOfRange)]);
    assert_eq!(memmap("1M,,2M"), [Ok(UserRange::Limit(1 << 20)), Err(ParamError::Invalid)]);
}

#[test]
fn mem_takes_one_size_that_is_not_0() {
    assert_eq!(UserRange::parse_mem(b"64M"), Ok(UserRange::Limit(64 << 20)));
    for value in ["", "0", "0M", "64Mx", "64M@0", "-1", "nopentium"] {
        let parsed = UserRange::parse_mem(value.as_bytes());
        assert_eq!(parsed, Err(ParamError::Invalid), "{value:?}");
    }
}

#[test]
fn a_limit_removes_ram_only() {
    let mut table = table(&[(0, 0x8000, RAM), (0x8000, 0x1000, ACPI), (0x9000, 0x1000, RAM)]);
    assert_eq!(table.apply(UserRange::Limit(0x4000)), Ok(()));
    table.sanitize().expect("no range wraps");
    assert_eq!(ranges(&table), [(0, 0x4000, RAM), (0x8000, 0x1000, ACPI)]);
}

#[test]
fn exactmap_forgets_the_firmware_s_map() {
    let mut table = table(&[(0, 0x8000, RAM)]);
    for range in UserRange::parse_memmap(b"exactmap,4K@4K") {
        assert_eq!(table.apply(range.expect("sound")), Ok(()));
    }
    assert_eq!(ranges(&table), [(0x1000, 0x1000, RAM)]);
}

const PAGES: u64 = 48;

/// The type of each page: the highest of those that cover it.
fn pages(ranges: &[(u64, u64, E820Type)]) -> Vec<E820Type> {
    let covers = |page: &u64, range: &(u64, u64, E820Type)| range.0 <= *page && *page < range.0.saturating_add(range.1);
    let kind = |page| ranges.iter().filter(|range| covers(&page, range)).map(|range| range.2).max();
    (0..PAGES).map(|page| kind(page).unwrap_or_default()).collect()
}

/// Maps in which one byte stands for a page, so that everything meets.
fn small_map() -> impl Strategy<Value = Vec<(u64, u64, E820Type)>> {
    let kind = prop_oneof![Just(1), Just(2), Just(3), Just(12), Just(0)].prop_map(E820Type);
    proptest::collection::vec((0..32_u64, 0..16_u64, kind), 0..12)
}

proptest! {
    #[test]
    fn sanitising_keeps_the_type_of_every_page(input in small_map()) {
        let output = sanitized(&input);
        prop_assert_eq!(pages(&output), pages(&input));
        if input.len() >= 2 {
            prop_assert!(output.iter().all(|range| range.1 > 0 && range.2 != E820Type(0)));
            prop_assert!(output.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
            let touching = |pair: &[(u64, u64, E820Type)]| {
                pair[0].2 == pair[1].2
                    && pair[0].2 != E820Type::PRAM
                    && pair[0].0 + pair[0].1 == pair[1].0
            };
            prop_assert!(!output.windows(2).any(touching));
            prop_assert_eq!(sanitized(&output), output);
        }
    }

    #[test]
    fn an_update_changes_the_pages_that_it_names(
        input in small_map(),
        start in 0..40_u64,
        size in 0..20_u64,
    ) {
        let mut clean = table(&sanitized(&input));
        let before = pages(&ranges(&clean));
        let changed = clean.update(start, size, RAM, RESERVED).expect("room");
        let expected: Vec<_> = (0..PAGES)
            .zip(&before)
            .map(|(page, kind)| match *kind {
                RAM if start <= page && page < start + size => RESERVED,
                kind => kind,
            })
            .collect();
        if input.len() >= 2 {
            let differ = expected.iter().zip(&before).filter(|(a, b)| a != b).count();
            prop_assert_eq!(changed, differ as u64);
        }
        prop_assert_eq!(pages(&ranges(&clean)), expected);
    }

    #[test]
    fn a_removal_empties_the_pages_that_it_names(
        input in small_map(),
        start in 0..40_u64,
        size in 0..20_u64,
        old in prop_oneof![Just(None), Just(Some(RAM))],
    ) {
        let mut clean = table(&sanitized(&input));
        let expected: Vec<_> = (0..PAGES)
            .zip(pages(&ranges(&clean)))
            .map(|(page, kind)| {
                let named = start <= page && page < start + size;
                if named && old.is_none_or(|old| old == kind) { E820Type(0) } else { kind }
            })
            .collect();
        clean.remove(start, size, old).expect("room");
        prop_assert_eq!(pages(&ranges(&clean)), expected);
    }

    #[test]
    fn any_map_from_firmware_ends_sorted_and_apart(
        input in proptest::collection::vec((any::<u64>(), any::<u64>(), 0_u32..16), 0..140),
        extra in any::<u64>(),
    ) {
        let input: Vec<_> = input
            .iter()
            .map(|(addr, size, kind)| (*addr, size.wrapping_add(extra) >> (addr % 64), E820Type(*kind)))
            .collect();
        let mut table = table(&[]);
        table.memory_setup(&params(&input));
        let output = ranges(&table);
        prop_assert!(output.iter().all(|range| range.0.checked_add(range.1).is_some()));
        prop_assert!(output.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
        let gap = table.pci_gap(table.end_of_ram_pfn(1 << 34));
        prop_assert!(!gap.found || !table.mapped_any(gap.start, gap.start + gap.size, None));
    }

    #[test]
    fn any_memmap_value_parses_or_is_refused(value in "[0-9a-fx@#$!%+,KMG-]{0,24}") {
        let mut table = table(&[(0, 1 << 30, RAM), (1 << 32, 1 << 30, RAM)]);
        let parsed = memmap(&value);
        for range in parsed.iter().flatten() {
            // Overlaps may fill the table, which is no failure here.
            let _ = table.apply(*range);
        }
        let errors = parsed.iter().filter(|range| range.is_err()).count();
        prop_assert!(errors == 0 || (errors == 1 && parsed.last().is_some_and(Result::is_err)));
    }

    #[test]
    fn a_gap_is_found_where_a_scan_finds_it(input in small_map()) {
        prop_assume!(input.len() >= 2);
        let shifted: Vec<_> =
            input.iter().map(|(at, size, kind)| (at << 26, size << 26, *kind)).collect();
        let output = sanitized(&shifted);
        let mut best = (0, 0x40_0000, false);
        let mut edges = vec![0];
        edges.extend(output.iter().map(|range| range.0 + range.1));
        for edge in edges {
            let next = output.iter().map(|range| range.0).find(|start| *start >= edge);
            let size = next.unwrap_or(1 << 32).min(1 << 32).saturating_sub(edge);
            // The space before the first range is never offered.
            if edge != 0 && size >= best.1 && (size > best.1 || !best.2) {
                best = (edge, size, true);
            }
        }
        let gap = table(&output).pci_gap(0);
        prop_assert_eq!(gap.found, best.2);
        if gap.found {
            prop_assert_eq!((gap.start, gap.size), (best.0, best.1));
        }
    }
}

//! Every table: its section, the symbols at its edges, its entries, its memory.

use std::collections::BTreeSet;

use incipit_linker::layout::{PAGE, PERCPU_PIECES};
use incipit_linker::table::{Access, Lifetime};

use crate::image::IMAGE;
use crate::records;

#[test]
fn every_table_has_its_section_with_its_symbols_at_the_edges() {
    for table in IMAGE.tables() {
        let section = IMAGE
            .elf
            .section(table.output_section)
            .unwrap_or_else(|| panic!("no section {}", table.output_section));
        assert_eq!(IMAGE.range(table), section.range(), "{}", table.name);
    }
}

#[test]
fn the_parts_of_a_table_follow_each_other_and_hold_whole_entries() {
    for table in IMAGE.tables() {
        let mut end = IMAGE.symbol(table.start());
        for (index, part) in table.parts.iter().enumerate() {
            let range = IMAGE.part_range(table, index);
            assert!(
                range.start == end && range.end >= range.start,
                "{}: a gap before {}",
                table.name,
                part.start
            );
            assert_eq!((range.end - range.start) % table.entry_size, 0, "{}: half an entry", part.section);
            end = range.end;
        }
    }
}

#[test]
fn every_table_is_aligned_as_described() {
    for table in IMAGE.tables() {
        let section = IMAGE.elf.section(table.output_section).expect("a section");
        assert_eq!(section.address % table.entry_align, 0, "{}", table.name);
        assert!(
            section.align >= table.entry_align,
            "{}: the section is aligned to {}",
            table.name,
            section.align
        );
    }
}

#[test]
fn a_table_may_be_written_only_if_its_description_says_so() {
    for table in IMAGE.tables().filter(|table| !IMAGE.range(table).is_empty()) {
        let range = IMAGE.range(table);
        let mut holders = IMAGE
            .elf
            .segments
            .iter()
            .filter(|segment| segment.is_loaded() && segment.range().contains(&range.start));
        let (segment, second) = (holders.next().expect("a segment"), holders.next());
        assert!(
            second.is_none() && range.end <= segment.range().end,
            "{}: is in one segment",
            table.name
        );
        let flags = if table.access == Access::ReadOnly { 4 } else { 6 };
        assert_eq!(segment.flags, flags, "{}", table.name);
    }
}

#[test]
fn no_two_tables_overlap() {
    let mut ranges: Vec<_> = IMAGE
        .tables()
        .map(|table| (IMAGE.range(table), table.name))
        .filter(|(range, _)| !range.is_empty())
        .collect();
    ranges.sort_by_key(|(range, _)| range.start);
    for pair in ranges.windows(2) {
        assert!(pair[0].0.end <= pair[1].0.start, "{} and {}", pair[0].1, pair[1].1);
    }
}

#[test]
fn every_declared_entry_is_in_its_part() {
    let mut seen = BTreeSet::new();
    for table in IMAGE.tables() {
        for (index, part) in table.parts.iter().enumerate() {
            let slots = IMAGE.slots(table, index);
            for record in records::of_section(part.section) {
                let address = IMAGE.symbol(&record["entry"]);
                assert!(
                    slots.contains(&address),
                    "{} ({}) is not in {}",
                    record["name"],
                    record["entry"],
                    part.section
                );
                assert!(seen.insert(address), "{} shares its place", record["entry"]);
            }
        }
    }
    let exceptions = records::RECORDS.iter().filter(|record| record.contains_key("reason"));
    assert_eq!(
        seen.len() + exceptions.count(),
        records::RECORDS.len(),
        "a record names a section that is no table"
    );
}

#[test]
fn a_table_whose_entries_are_declared_has_no_other_entries() {
    for table in IMAGE.tables().filter(|table| incipit_linker::seal::order::has_records(table)) {
        for (index, part) in table.parts.iter().enumerate() {
            assert_eq!(
                IMAGE.slots(table, index).len(),
                records::of_section(part.section).count(),
                "{}",
                part.section
            );
        }
    }
}

#[test]
fn the_image_has_entries_in_the_tables_that_the_boot_needs() {
    for name in ["stage", "setup", "param", "con_initcall", "ex_table", "ktest"] {
        let table = incipit_linker::tables::named(name).expect(name);
        assert!(!IMAGE.range(table).is_empty(), "{name} is empty");
    }
}

#[test]
fn what_is_freed_after_the_boot_fills_whole_pages_of_its_own() {
    let freed = IMAGE.symbol("__init_begin")..IMAGE.symbol("__init_end");
    assert!(freed.start.is_multiple_of(PAGE) && freed.end.is_multiple_of(PAGE) && !freed.is_empty());
    let loaded = IMAGE.elf.sections.iter().filter(|section| section.is_loaded() && section.size > 0);
    let inside: BTreeSet<_> = loaded
        .filter(|section| {
            let (from, to) = (
                freed.contains(&section.address),
                section.range().end > freed.start && section.range().end <= freed.end,
            );
            assert_eq!(from, to, "{} is half inside", section.name);
            from
        })
        .map(|section| section.name.as_str())
        .collect();
    let tables = IMAGE
        .tables()
        .filter(|table| table.lifetime == Lifetime::Init && !IMAGE.range(table).is_empty());
    let mut expected: BTreeSet<_> = tables.map(|table| table.output_section).collect();
    expected.extend(
        [".init.text", ".init.rodata", ".init.data", ".data..percpu"]
            .into_iter()
            .filter(|name| IMAGE.elf.section(name).is_some_and(|section| section.size > 0)),
    );
    assert_eq!(inside, expected);
    assert!(expected.contains(".init.text") && expected.contains(".data..percpu"));
}

#[test]
fn the_init_text_has_its_symbols_at_the_edges() {
    let section = IMAGE.elf.section(".init.text").expect("a section");
    assert_eq!(IMAGE.symbol("_sinittext")..IMAGE.symbol("_einittext"), section.range());
}

#[test]
fn the_template_of_per_cpu_data_begins_with_its_first_piece() {
    let section = IMAGE.elf.section(".data..percpu").expect("a section");
    let template = IMAGE.symbol("__per_cpu_start")..IMAGE.symbol("__per_cpu_end");
    assert_eq!(template, section.range());
    let strictest = PERCPU_PIECES.iter().map(|(_, _, align)| *align).max().expect("pieces");
    assert!(
        section.align >= strictest && section.address.is_multiple_of(strictest),
        "aligned to {}",
        section.align
    );
}

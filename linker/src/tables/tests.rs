//! Tests of what all descriptions have to agree on.

use super::*;
use std::collections::HashSet;

#[test]
fn names_sections_and_symbols_are_unique() {
    let mut seen = HashSet::new();
    for table in ALL {
        assert!(seen.insert(format!("table {}", table.name)), "{}", table.name);
        assert!(seen.insert(format!("symbol {}", table.end)), "{}", table.end);
        for part in table.parts {
            for key in [
                format!("part {}", part.name),
                format!("section {}", part.section),
                format!("symbol {}", part.start),
            ] {
                assert!(seen.insert(key.clone()), "{key}");
            }
        }
    }
}

#[test]
fn no_symbol_is_called_like_a_section() {
    // LLVM takes such a name for the section in the object that it writes, and so for the entries of that object alone.
    let sections: HashSet<_> = ALL.iter().flat_map(|table| table.parts).map(|part| part.section).collect();
    for table in ALL {
        for symbol in table.parts.iter().map(|part| part.start).chain([table.end]) {
            assert!(!sections.contains(symbol), "{symbol}");
        }
    }
}

#[test]
fn every_companion_is_a_kept_writable_table_sorted_with_it() {
    for companion in ALL.iter().filter_map(|table| table.companion) {
        let table = named(companion.table).expect(companion.table);
        assert_eq!(
            (table.sort, table.access, table.lifetime),
            (Sort::WithCompanion, Access::Writable, Lifetime::Kept)
        );
    }
}

#[test]
fn sizes_are_multiples_of_four_and_alignments_powers_of_two() {
    for table in ALL {
        assert!(
            table.entry_align.is_power_of_two() && table.entry_size % 4 == 0 && table.entry_size > 0,
            "{}",
            table.name
        );
    }
}

#[test]
fn parts_have_the_names_of_their_levels() {
    for (part, level) in [
        ("initcallearly", "early"),
        ("initcall6", "device"),
        ("initcall6s", "device, sync"),
        ("initcallrootfss", "rootfs, sync"),
        ("con_initcall", "console"),
        ("stage", "stage"),
    ] {
        assert_eq!(level_of(part_named(part).expect(part).1), level);
    }
}

#[test]
fn every_initcall_level_has_a_part() {
    for (level, part) in INITCALL_LEVELS {
        assert!(part_named(part).is_some(), "{level}");
        assert!(*level == "early" || part_named(&format!("{part}s")).is_some(), "{level}, sync");
    }
}

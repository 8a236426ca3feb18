//! The order of every sorted table, derived anew from the records, and from what the entries themselves point to.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use incipit_linker::table::{Sort, Table};
use incipit_linker::tables;

use crate::image::IMAGE;
use crate::records::{self, Record};

/// The sections that code may be in.
const CODE: [&str; 3] = [".head.text", ".text", ".init.text"];

/// The records of a part's entries, in the order in which the entries stand.
fn records_in_order(table: &Table, index: usize) -> Vec<&'static Record> {
    let by_address: BTreeMap<u64, &Record> = records::of_section(table.parts[index].section)
        .map(|record| (IMAGE.symbol(&record["entry"]), record))
        .collect();
    assert_eq!(
        by_address.keys().copied().collect::<Vec<_>>(),
        IMAGE.slots(table, index),
        "{}",
        table.parts[index].section
    );
    by_address.into_values().collect()
}

/// How many entries of its own section must run before each, one behind the other.
static RANKS: LazyLock<BTreeMap<String, u64>> = LazyLock::new(|| {
    let mut ranks: BTreeMap<_, _> = records::RECORDS.iter().map(|record| (record["path"].clone(), 0)).collect();
    let sections: BTreeMap<_, _> = records::RECORDS.iter().map(|record| (&record["path"], &record["table"])).collect();
    loop {
        let before = ranks.clone();
        for (path, section) in &sections {
            let rank = predecessors(path)
                .into_iter()
                .filter(|other| sections.iter().any(|(path, theirs)| path.as_str() == *other && theirs == section))
                .map(|other| before[other] + 1)
                .max();
            ranks.insert((*path).clone(), rank.unwrap_or(0));
        }
        if ranks == before {
            return ranks;
        }
    }
});

/// The paths of all that must run before the entry at `path`, by its own record and by the others'.
fn predecessors(path: &str) -> Vec<&'static str> {
    let own = records::RECORDS.iter().filter(|record| record["path"] == path);
    let needed: Vec<_> = own
        .clone()
        .flat_map(|record| list(record, "requires").chain(list(record, "wants")))
        .collect();
    let others = records::RECORDS
        .iter()
        .filter(|record| list(record, "before").any(|item| item == path) || list(record, "provides").any(|item| needed.contains(&item)));
    own.flat_map(|record| list(record, "after"))
        .chain(others.map(|record| record["path"].as_str()))
        .collect()
}

/// The items of a list, which has a comma behind each.
fn list<'r>(record: &'r Record, key: &str) -> impl Iterator<Item = &'r str> {
    record.get(key).map_or("", String::as_str).split_terminator(',')
}

/// A name as look-ups compare it.
fn folded(name: &str) -> String {
    name.replace('-', "_")
}

/// What a record is sorted by.
fn key(sort: Sort, record: &Record) -> (u64, String, String) {
    let path = record["path"].clone();
    match sort {
        Sort::RankName => (
            RANKS[&path] + if record.contains_key("last") { 1 << 32 } else { 0 },
            record["name"].clone(),
            path,
        ),
        Sort::FoldedName => (0, folded(&record["name"]), path),
        // A module's entries stand together, before those of the modules in it.
        Sort::Path => {
            let (module, name) = path.rsplit_once("::").unwrap_or(("", &path));
            (0, module.to_owned(), name.to_owned())
        }
        Sort::None | Sort::ExceptionTable | Sort::RelativeCode | Sort::WithCompanion => panic!("not sorted by its records"),
    }
}

#[test]
fn the_entries_of_every_part_stand_in_the_order_of_their_records() {
    for table in IMAGE
        .tables()
        .filter(|table| matches!(table.sort, Sort::RankName | Sort::FoldedName | Sort::Path))
    {
        for (index, part) in table.parts.iter().enumerate() {
            let keys: Vec<_> = records_in_order(table, index)
                .into_iter()
                .map(|record| key(table.sort, record))
                .collect();
            assert!(keys.is_sorted(), "{}: {keys:#?}", part.section);
        }
    }
}

#[test]
fn every_entry_comes_after_what_it_and_the_others_say() {
    let tables = [&tables::STAGE, &tables::CON_INITCALL, &tables::INITCALL];
    let order = tables
        .iter()
        .flat_map(|table| (0..table.parts.len()).flat_map(|index| records_in_order(table, index)));
    let places: BTreeMap<_, _> = order.zip(0..).map(|(record, place)| (record["path"].as_str(), place)).collect();
    for (path, place) in &places {
        for other in predecessors(path) {
            // A path that is no stage or initcall would not have compiled.
            assert!(places[other] < *place, "{path} runs before {other}");
        }
    }
}

#[test]
fn each_stage_and_initcall_points_to_its_own_slot_of_the_companion_table() {
    for table in IMAGE.tables() {
        let Some(companion) = table.companion else { continue };
        let kept = tables::named(companion.table).expect(companion.table);
        let mut slot = IMAGE.symbol(kept.start());
        for index in 0..table.parts.len() {
            for (entry, record) in IMAGE.slots(table, index).into_iter().zip(records_in_order(table, index)) {
                assert_eq!(IMAGE.u64_at(entry + companion.pointer_offset), slot, "{}", record["path"]);
                // A slot begins with the name and the path, as the kernel shows them.
                assert_eq!(
                    (IMAGE.str_at(slot), IMAGE.str_at(slot + 16)),
                    (record["name"].clone(), record["path"].clone())
                );
                slot += kept.entry_size;
            }
        }
        assert_eq!(slot, IMAGE.symbol(kept.end), "{}: a slot that nothing points to", kept.name);
    }
}

#[test]
fn each_stage_and_initcall_calls_code() {
    for table in [&tables::STAGE, &tables::INITCALL, &tables::CON_INITCALL, &tables::KTEST] {
        for (entry, record) in
            (0..table.parts.len()).flat_map(|index| IMAGE.slots(table, index).into_iter().zip(records_in_order(table, index)))
        {
            assert!(is_code(IMAGE.u64_at(entry)), "{}", record["path"]);
        }
    }
}

#[test]
fn the_names_in_the_parameters_are_those_of_their_records() {
    for (entry, record) in IMAGE.slots(&tables::PARAM, 0).into_iter().zip(records_in_order(&tables::PARAM, 0)) {
        assert_eq!(IMAGE.c_str_at(entry), record["name"]);
    }
}

#[test]
fn the_names_in_the_setup_entries_and_early_consoles_are_those_of_their_records() {
    for table in [&tables::SETUP, &tables::EARLYCON] {
        for (entry, record) in IMAGE.slots(table, 0).into_iter().zip(records_in_order(table, 0)) {
            assert_eq!(IMAGE.str_at(entry), record["name"]);
        }
    }
}

#[test]
fn no_two_parameters_have_one_name() {
    let names: Vec<_> = records_in_order(&tables::PARAM, 0)
        .into_iter()
        .map(|record| folded(&record["name"]))
        .collect();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

/// The three fields of an exception table entry, resolved: the instruction, the fixup, the data word.
fn exception_entry(entry: u64) -> (u64, u64, u32) {
    let relative = |field: u64| field.wrapping_add_signed(IMAGE.i32_at(field).into());
    (relative(entry), relative(entry + 4), IMAGE.i32_at(entry + 8).cast_unsigned())
}

#[test]
fn the_exception_table_rises_strictly_and_its_flag_says_so() {
    let entries: Vec<_> = IMAGE.slots(&tables::EX_TABLE, 0).into_iter().map(exception_entry).collect();
    assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "{entries:x?}");
    // Linux's sorttable clears this word when it has sorted; the kernel sorts at boot if it is set.
    assert_eq!(IMAGE.i32_at(IMAGE.symbol("main_extable_sort_needed")), 0);
    let flag = IMAGE
        .elf
        .symbols
        .iter()
        .find(|symbol| symbol.name == "main_extable_sort_needed")
        .expect("a flag");
    assert_eq!(flag.size, 4);
}

#[test]
fn instructions_and_fixups_of_the_exception_table_are_code() {
    for entry in IMAGE.slots(&tables::EX_TABLE, 0) {
        let (instruction, fixup, data) = exception_entry(entry);
        assert!(is_code(instruction) && is_code(fixup), "{instruction:#x} → {fixup:#x}");
        // Linux's types; a register of the sixteen, and its flags, which none of ours has.
        assert!((1..=19).contains(&(data & 0xff)) && data >> 12 & 0xf == 0, "{data:#x}");
    }
}

fn is_code(address: u64) -> bool {
    CODE.iter()
        .filter_map(|name| IMAGE.elf.section(name))
        .any(|section| section.range().contains(&address))
}

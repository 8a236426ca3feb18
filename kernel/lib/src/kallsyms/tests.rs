extern crate std;

use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::build::{Error, Input, build};
use super::*;

const BASE: u64 = 0xffff_ffff_8010_0000;

fn input(name: &str, offset: u64) -> Input<'_> {
    Input {
        name,
        kind: 't',
        address: BASE + offset,
    }
}

fn sample() -> Vec<u8> {
    build(
        &[
            input("start", 0),
            input("middle", 0x100),
            input("alias", 0x100),
            input("last", 0x180),
        ],
        BASE + 0x200,
    )
    .unwrap()
}

#[test]
fn a_table_tells_its_size_from_its_first_bytes() {
    let bytes = sample();
    assert_eq!(size(bytes.first_chunk().unwrap()), Some(bytes.len()));
    let empty = build(&[], BASE).unwrap();
    assert_eq!(size(empty.first_chunk().unwrap()), Some(empty.len()));
    assert_eq!(size(&[0; PREFIX]), None);
    let mut huge = [0xff; PREFIX];
    huge[..8].copy_from_slice(&MAGIC);
    assert!(size(&huge).is_some_and(|size| size > 1 << 32));
}

#[test]
fn an_address_belongs_to_the_symbol_that_begins_before_it() {
    let bytes = sample();
    let table = Kallsyms::new(&bytes).unwrap();
    for (offset, name, start, size) in [
        (0, "start", 0, 0x100),
        (0xff, "start", 0, 0x100),
        (0x100, "middle", 0x100, 0x80),
        (0x17f, "middle", 0x100, 0x80),
        (0x1ff, "last", 0x180, 0x80),
    ] {
        assert_eq!(
            table.lookup(BASE + offset),
            Some(Symbol {
                name,
                kind: 't',
                address: BASE + start,
                size
            }),
            "{offset:#x}"
        );
    }
}

#[test]
fn an_address_outside_the_table_belongs_to_no_symbol() {
    let bytes = sample();
    let table = Kallsyms::new(&bytes).unwrap();
    for address in [0, BASE - 1, BASE + 0x200, u64::MAX] {
        assert_eq!(table.lookup(address), None, "{address:#x}");
    }
}

#[test]
fn a_name_has_an_address() {
    let bytes = sample();
    let table = Kallsyms::new(&bytes).unwrap();
    for (name, offset) in [("start", 0), ("middle", 0x100), ("alias", 0x100), ("last", 0x180)] {
        assert_eq!(table.address_of(name), Some(BASE + offset), "{name}");
    }
    for name in ["", "a", "starts", "zz"] {
        assert_eq!(table.address_of(name), None, "{name}");
    }
}

#[test]
fn of_several_symbols_with_one_name_the_lowest_is_found() {
    let bytes = build(&[input("f", 0x20), input("f", 0x10)], BASE + 0x30).unwrap();
    assert_eq!(Kallsyms::new(&bytes).unwrap().address_of("f"), Some(BASE + 0x10));
}

#[test]
fn symbols_go_by_address() {
    let bytes = sample();
    let names: Vec<_> = Kallsyms::new(&bytes).unwrap().iter().map(|symbol| symbol.name).collect();
    assert_eq!(names, ["start", "middle", "alias", "last"]);
}

#[test]
fn a_table_without_symbols_is_a_table() {
    let bytes = build(&[], BASE).unwrap();
    let table = Kallsyms::new(&bytes).unwrap();
    assert!(table.is_empty() && table.lookup(BASE).is_none() && table.address_of("x").is_none() && table.iter().next().is_none());
}

#[test]
fn a_table_that_is_cut_off_is_refused() {
    let bytes = sample();
    for length in 0..bytes.len() {
        assert!(Kallsyms::new(&bytes[..length]).is_none(), "{length}");
    }
    assert!(Kallsyms::new(&[0; 16]).is_none(), "the linker's placeholder");
}

#[test]
fn symbols_that_lie_too_far_apart_are_refused() {
    assert_eq!(
        build(
            &[
                input("a", 0),
                Input {
                    address: BASE - (1 << 32),
                    ..input("b", 0)
                }
            ],
            u64::MAX
        ),
        Err(Error::TooFarApart)
    );
}

proptest! {
    #[test]
    fn look_ups_agree_with_a_map(symbols in prop::collection::btree_map(0u64..0x1_0000, "[a-z:<>_]{1,12}", 1..60), probe in 0u64..0x1_1000) {
        let inputs: Vec<_> = symbols.iter().map(|(offset, name)| input(name, *offset)).collect();
        let bytes = build(&inputs, BASE + 0x1_0000).unwrap();
        let table = Kallsyms::new(&bytes).unwrap();
        let model = symbols.range(..=probe).next_back().filter(|_| probe < 0x1_0000);
        prop_assert_eq!(table.lookup(BASE + probe).map(|symbol| (symbol.address - BASE, symbol.name)), model.map(|(offset, name)| (*offset, name.as_str())));
        let mut by_name = BTreeMap::<&String, u64>::new();
        for (offset, name) in symbols.iter().rev() {
            by_name.insert(name, *offset);
        }
        for (name, offset) in by_name {
            prop_assert_eq!(table.address_of(name), Some(BASE + offset));
        }
    }

    #[test]
    fn a_corrupt_table_never_makes_the_reader_fail(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), probe in any::<u16>()) {
        let mut bytes = sample();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(table) = Kallsyms::new(&bytes) {
            let _ = (table.lookup(BASE + u64::from(probe)), table.address_of("middle"), table.iter().take(1000).count());
        }
    }
}

//! MP tables, sound ones and others.

use super::*;
use proptest::prelude::*;
use std::{string::ToString, vec, vec::Vec};

/// A floating pointer whose checksum is right.
fn pointer(table: u32, revision: u8) -> Vec<u8> {
    let mut bytes = b"_MP_".to_vec();
    bytes.extend(table.to_le_bytes());
    bytes.extend([1, revision, 0, 0, 0, 0, 0, 0]);
    bytes[10] = sum(&bytes).wrapping_neg();
    bytes
}

/// A table with these entries whose checksum is right.
fn table(entries: &[u8]) -> Vec<u8> {
    let header = Header {
        signature: Header::SIGNATURE,
        length: (Header::SIZE + entries.len()) as u16,
        revision: 4,
        oem_id: *b"BOCHSCPU",
        product_id: *b"0.1         ",
        local_apic: 0xfee0_0000,
        ..Header::default()
    };
    let mut bytes = vec![0; Header::SIZE];
    header.write(&mut bytes).expect("room for a header");
    bytes.extend(entries);
    correct(&mut bytes);
    bytes
}

/// Makes the checksum right.
fn correct(table: &mut [u8]) {
    table[7] = 0;
    table[7] = sum(table).wrapping_neg();
}

/// Two processors, two buses, an I/O APIC, an interrupt of each kind.
fn machine() -> Vec<u8> {
    let processor = |id: u8, flags: u8| [&[0, id, 0x14, flags][..], &[0; 16]].concat();
    [
        processor(0, 3),
        processor(1, 1),
        b"\x01\0PCI   ".to_vec(),
        b"\x01\x01ISA   ".to_vec(),
        vec![2, 2, 0x11, 1, 0, 0, 0xc0, 0xfe],
        vec![3, 0, 0xf, 0, 1, 9, 2, 9],
        vec![4, 1, 0, 0, 1, 0, 0xff, 1],
    ]
    .concat()
}

fn lines(table: &[u8]) -> Vec<std::string::String> {
    let table = MpTable::check(table).expect("a sound table");
    table
        .entries()
        .map(|entry| entry.map_or_else(|error| error.to_string(), |entry| entry.to_string()))
        .collect()
}

#[test]
fn every_kind_of_entry_has_linux_s_line() {
    let bytes = table(&machine());
    assert_eq!(
        lines(&bytes),
        [
            "Processor #0 (Bootup-CPU)",
            "Processor #1",
            "Bus #0 is PCI   ",
            "Bus #1 is ISA   ",
            "I/O APIC #2 Version 17 at 0xFEC00000.",
            "Int: type 0, pol 3, trig 3, bus 01, IRQ 09, APIC ID 2, APIC INT 09",
            "Lint: type 1, pol 0, trig 0, bus 01, IRQ 00, APIC ID ff, APIC INT 01",
        ]
    );
    let table = MpTable::check(&bytes).expect("a sound table");
    let (oem, product) = table.names();
    assert_eq!((oem.to_string(), product.to_string()), ("BOCHSCPU".into(), "0.1         ".into()));
}

#[test]
fn a_table_that_is_cut_anywhere_is_refused() {
    let whole = table(&machine());
    for end in 0..whole.len() {
        assert_eq!(MpTable::check(&whole[..end]), Err(TableError::CutShort), "{end} bytes");
    }
}

#[test]
fn a_table_that_says_itself_that_it_is_cut_loses_only_what_is_cut() {
    let entries = machine();
    for kept in 0..entries.len() {
        let bytes = table(&entries[..kept]);
        let table = MpTable::check(&bytes).expect("a sound table");
        let found: Vec<_> = table.entries().collect();
        let sound = found.iter().filter(|entry| entry.is_ok()).count();
        let sizes = [20, 20, 8, 8, 8, 8, 8];
        let whole = sizes
            .iter()
            .scan(0, |end, size| {
                Some({
                    *end += size;
                    *end
                })
            })
            .filter(|end| *end <= kept)
            .count();
        assert_eq!(sound, whole, "{kept} bytes of entries");
        assert!(found.len() <= sound + 1);
    }
}

#[test]
fn what_is_wrong_with_a_table_is_told() {
    let change = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = table(&machine());
        change(&mut bytes);
        MpTable::check(&bytes).map(|_| ()).map_err(|error| error.to_string())
    };
    let wrong = |text: &str| Err(text.to_string());
    assert_eq!(change(&|_| ()), Ok(()));
    assert_eq!(change(&|bytes| bytes[0] = b'X'), wrong("bad signature [58 43 4d 50]!"));
    assert_eq!(change(&|bytes| bytes[50] ^= 1), wrong("checksum error!"));
    assert_eq!(change(&|bytes| bytes[4..6].fill(0)), wrong("length of 0 bytes is impossible!"));
    assert_eq!(change(&|bytes| bytes[4..6].fill(0xff)), wrong("out of reach"));
    let revision = |bytes: &mut Vec<u8>| {
        bytes[6] = 2;
        correct(bytes);
    };
    assert_eq!(change(&revision), wrong("bad table version (2)!!"));
    let address = |bytes: &mut Vec<u8>| {
        bytes[36..40].fill(0);
        correct(bytes);
    };
    assert_eq!(change(&address), wrong("null local APIC address!"));
}

#[test]
fn an_unknown_entry_ends_the_table() {
    let mut entries = machine();
    entries[40] = 9;
    let found = lines(&table(&entries));
    assert_eq!(found[2..], ["entry at 0x28 has the unknown type 0x9: the rest is ignored"]);
}

#[test]
fn pointers_are_found_in_steps_of_16_and_checked() {
    let mut area = vec![0; 0x100];
    let mut put = |offset: usize, bytes: &[u8]| area[offset..offset + bytes.len()].copy_from_slice(bytes);
    put(0x18, &pointer(1, 4));
    put(0x40, &pointer(2, 4));
    put(0x50, &pointer(3, 7));
    let mut long = pointer(4, 1);
    long[8] = 0;
    put(0x60, &long);
    put(0xf0, &pointer(5, 1));
    area[0x40 + 12] ^= 1;
    let found: Vec<_> = search(&area)
        .map(|(offset, found)| (offset, found.map(|found| found.table)))
        .collect();
    assert_eq!(
        found,
        [
            (0x40, Err(PointerError::Checksum(1))),
            (0x50, Err(PointerError::Revision(7))),
            (0x60, Err(PointerError::Length(0))),
            (0xf0, Ok(5)),
        ]
    );
}

proptest! {
    #[test]
    fn any_table_ends(entries in proptest::collection::vec(prop_oneof![0_u8..5, any::<u8>()], 0..300)) {
        let bytes = table(&entries);
        prop_assert!(lines(&bytes).len() <= entries.len() / 8 + 1);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = MpTable::check(&bytes);
        prop_assert_eq!(search(&bytes).filter(|(_, found)| found.is_ok()).count(), 0);
    }
}

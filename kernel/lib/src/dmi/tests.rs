//! Entry points and tables, sound and otherwise.

use super::*;
use crate::checksum::sum;
use proptest::prelude::*;
use std::{string::ToString, vec, vec::Vec};

/// An entry point of this form whose checksums are right.
fn entry(kind: EntryKind, table: u32, size: u16, count: u16) -> Vec<u8> {
    let mut legacy = b"_DMI_\0".to_vec();
    legacy.extend(size.to_le_bytes());
    legacy.extend(table.to_le_bytes());
    legacy.extend(count.to_le_bytes());
    legacy.push(0x24);
    legacy[5] = sum(&legacy).wrapping_neg();
    match kind {
        EntryKind::Legacy => legacy,
        EntryKind::Smbios2 => {
            let mut bytes = b"_SM_\0\x1f\x02\x08\0\0\0\0\0\0\0\0".to_vec();
            bytes.extend(legacy);
            bytes[4] = sum(&bytes).wrapping_neg();
            bytes
        }
        EntryKind::Smbios3 => {
            let mut bytes = b"_SM3_\0\x18\x03\x02\x01\x01\0".to_vec();
            bytes.extend(u32::from(size).to_le_bytes());
            bytes.extend(u64::from(table).to_le_bytes());
            bytes[5] = sum(&bytes).wrapping_neg();
            bytes
        }
    }
}

/// A structure with these fields behind its header, and these strings.
fn structure(kind: u8, fields: &[u8], strings: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![kind, (4 + fields.len()) as u8, 7, 0];
    bytes.extend(fields);
    for string in strings {
        bytes.extend(*string);
        bytes.push(0);
    }
    bytes.push(0);
    if strings.is_empty() {
        bytes.push(0);
    }
    bytes
}

/// BIOS, system and board as QEMU has them.
fn qemu() -> Vec<u8> {
    [
        structure(0, &[1, 2, 0, 0xe8, 3], &[b"SeaBIOS", b"1.16.2", b"04/01/2014"]),
        structure(1, &[1, 2, 3, 0], &[b"QEMU", b"Standard PC (i440FX + PIIX, 1996)", b"pc-i440fx-7.2"]),
        structure(127, &[], &[]),
    ]
    .concat()
}

fn ids(table: &[u8]) -> Ids<'_> {
    let mut ids = Ids::new();
    structures(table, 0).flatten().for_each(|structure| ids.take(&structure));
    ids
}

#[test]
fn every_form_of_entry_point_has_linux_s_line() {
    for (kind, line, count) in [
        (EntryKind::Legacy, "Legacy DMI 2.4 present.", 3),
        (EntryKind::Smbios2, "SMBIOS 2.8 present.", 3),
        (EntryKind::Smbios3, "SMBIOS 3.2.1 present.", 0),
    ] {
        let bytes = entry(kind, 0xf_5000, 0x123, 3);
        let found = EntryPoint::parse(&bytes).expect("an anchor").expect("a sound entry point");
        assert_eq!(found.to_string(), line);
        assert_eq!((found.kind, found.table, found.size, found.count), (kind, 0xf_5000, 0x123, count));
        for end in 5..bytes.len() {
            let cut = EntryPoint::parse(&bytes[..end]).expect("an anchor");
            assert!(
                matches!(cut, Err(EntryError::CutShort | EntryError::Checksum(_))),
                "{cut:?} of {end} bytes"
            );
        }
    }
    assert_eq!(EntryPoint::parse(b"_SM "), None);
}

#[test]
fn damaged_entry_points_are_told() {
    let mut bytes = entry(EntryKind::Smbios2, 0, 0, 0);
    bytes[9] ^= 1;
    assert!(matches!(EntryPoint::parse(&bytes), Some(Err(EntryError::Checksum(_)))));
    bytes[5] = 200;
    assert_eq!(EntryPoint::parse(&bytes), Some(Err(EntryError::Length(200))));
    let mut bytes = entry(EntryKind::Smbios3, 0, 0, 0);
    bytes[6] = 0;
    assert_eq!(EntryPoint::parse(&bytes), Some(Err(EntryError::Length(0))));
    // Another byte in the inner anchor, made up for by the outer checksum.
    let mut bytes = entry(EntryKind::Smbios2, 0, 0, 0);
    bytes[17] += 1;
    bytes[4] = bytes[4].wrapping_sub(1);
    assert_eq!(EntryPoint::parse(&bytes), Some(Err(EntryError::Intermediate)));
}

#[test]
fn a_version_that_is_written_wrong_is_known() {
    let mut bytes = entry(EntryKind::Smbios2, 0, 0, 0);
    bytes[7] = 0x33;
    bytes[4] = bytes[4].wrapping_sub(0x33 - 8);
    assert_eq!(
        EntryPoint::parse(&bytes).and_then(Result::ok).map(|entry| entry.version),
        Some([2, 6, 0])
    );
}

#[test]
fn the_newest_form_is_taken_wherever_it_lies() {
    let mut area = vec![0; 0x400];
    let mut put = |offset: usize, bytes: Vec<u8>| area[offset..offset + bytes.len()].copy_from_slice(&bytes);
    put(0x10, entry(EntryKind::Legacy, 1, 1, 1));
    put(0x48, entry(EntryKind::Smbios3, 2, 2, 2));
    put(0x100, entry(EntryKind::Smbios2, 3, 3, 3));
    put(0x200, entry(EntryKind::Smbios3, 4, 4, 4));
    let mut errors = 0;
    let found = search(&area, |_, _| errors += 1);
    assert_eq!(found.map(|(offset, entry)| (offset, entry.table)), Some((0x200, 4)));
    area[0x20b] ^= 1;
    let found = search(&area, |offset, _| errors += offset);
    assert_eq!(
        (found.map(|(offset, entry)| (offset, entry.table)), errors),
        (Some((0x100, 3)), 0x200)
    );
}

#[test]
fn the_names_make_linux_s_line() {
    let mut table = qemu();
    assert_eq!(
        ids(&table).to_string(),
        "QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2 04/01/2014"
    );
    let board = structure(2, &[1, 2], &[b"x", b"ab\x01c  "]);
    table.splice(0..0, board);
    assert_eq!(
        ids(&table).to_string(),
        "QEMU Standard PC (i440FX + PIIX, 1996)/ab\\x01c, BIOS 1.16.2 04/01/2014"
    );
    assert!(ids(&table).contains(Field::ProductName, "i440FX"));
    assert!(!ids(&table).contains(Field::ProductSku, "i440FX"));
    assert_eq!(ids(&[]).to_string(), " , BIOS  ");
}

#[test]
fn strings_that_are_not_there_are_none() {
    let table = structure(1, &[0, 3, 2, 1, 200], &[b"one", b"   "]);
    let found = structures(&table, 0).next().expect("one").expect("sound");
    let strings: Vec<_> = (4..10).map(|offset| found.string(offset)).collect();
    assert_eq!(strings, [None, None, None, Some(&b"one"[..]), None, None]);
    // Without an end of its own, a string is none.
    let cut = [&[1, 5, 0, 0, 1][..], b"endless"].concat();
    assert_eq!(structures(&cut, 0).next().expect("one").expect("sound").string(4), None);
}

#[test]
fn the_walk_ends_at_the_count_the_end_or_what_is_broken() {
    let table = qemu();
    assert_eq!(structures(&table, 0).count(), 3);
    assert_eq!(structures(&table, 2).count(), 2);
    assert_eq!(structures(&table, 500).count(), 3);
    let mut more = table.clone();
    more.extend(structure(4, &[], &[]));
    assert_eq!((structures(&more, 0).count(), structures(&more, 4).count()), (3, 4));
    for length in [0, 3, 255] {
        let mut broken = qemu();
        let second = structure(0, &[1, 2, 0, 0xe8, 3], &[b"SeaBIOS", b"1.16.2", b"04/01/2014"]).len();
        broken[second + 1] = length;
        broken.truncate(second + 100);
        let found: Vec<_> = structures(&broken, 0).collect();
        assert_eq!(
            found[1..],
            [Err(Broken {
                offset: second,
                processed: 1
            })],
            "length {length}"
        );
    }
    assert_eq!(
        Broken { offset: 9, processed: 1 }.to_string(),
        "Corrupted DMI table, offset 9 (only 1 entries processed)"
    );
}

#[test]
fn parts_of_the_machine_are_taken_apart() {
    let mut fields = [0; 30];
    fields[12 - 4] = 0xff;
    fields[13 - 4] = 0x7f;
    fields[16 - 4] = 1;
    fields[21 - 4] = 100;
    fields[28 - 4..32 - 4].copy_from_slice(&0x8000_u32.to_le_bytes());
    let size = |fields: &[u8]| {
        let table = structure(17, fields, &[b"DIMM 0"]);
        let found = structures(&table, 0).next().expect("one").expect("sound");
        MemoryDevice::of(&found).expect("memory").size_kib
    };
    assert_eq!(size(&fields), Some(32 << 20));
    fields[13 - 4] = 0xff;
    assert_eq!(size(&fields), None);
    fields[12 - 4] = 0x40;
    fields[13 - 4] = 0x80;
    assert_eq!(size(&fields), Some(64));
    assert_eq!(size(&[]), Some(0), "an old structure without a size is an empty place");
    let table = structure(3, &[1, 0x83], &[b"maker"]);
    let found = structures(&table, 0).next().expect("one").expect("sound");
    assert_eq!(
        (Chassis::of(&found).map(|chassis| chassis.kind), Processor::of(&found)),
        (Some(3), None)
    );
}

proptest! {
    #[test]
    fn any_table_ends(bytes in proptest::collection::vec(prop_oneof![Just(0), Just(4), any::<u8>()], 0..400), count in 0_u16..20) {
        let mut last = 0;
        for found in structures(&bytes, count) {
            last += 1;
            if let Ok(structure) = found {
                for offset in 0..=structure.length() {
                    let _ = structure.string(offset);
                }
            }
        }
        prop_assert!(last <= bytes.len() / 4 + 1);
        prop_assert!(ids(&bytes).to_string().is_ascii());
    }

    #[test]
    fn any_area_is_searched(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..6) {
        let mut area = vec![0; 64];
        area.extend(bytes);
        let anchor: &[u8] = [&b"_SM3_"[..], b"_SM_", b"_DMI_"][at % 3];
        let offset = at / 2 * 16;
        area[offset..offset + anchor.len()].copy_from_slice(anchor);
        let _ = search(&area, |_, _| ());
    }
}

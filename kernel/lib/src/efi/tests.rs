//! Memory maps good and bad.

use super::*;
use crate::e820::E820Type;
use crate::wire::Wire;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// A map of descriptors that take `size` bytes each: type, address, pages, attributes.
fn map(size: usize, descriptors: &[(u32, u64, u64, u64)]) -> Vec<u8> {
    let mut bytes = vec![0xcc; size * descriptors.len()];
    for (place, &(kind, phys_addr, num_pages, attribute)) in bytes.chunks_exact_mut(size).zip(descriptors) {
        let descriptor = MemoryDescriptor {
            kind: MemoryType(kind),
            phys_addr,
            virt_addr: 0,
            num_pages,
            attribute,
        };
        descriptor.write(place).unwrap();
    }
    bytes
}

fn e820(bytes: &[u8], size: u32) -> Vec<(u64, u64, E820Type)> {
    let map = MemoryMap::new(bytes, size).unwrap();
    map.e820().map(|entry| (entry.addr, entry.size, entry.kind)).collect()
}

#[test]
fn descriptors_may_be_longer_than_version_1_has_them() {
    for size in [40, 48, 64] {
        let bytes = map(size, &[(7, 0, 0xa0, 0xf), (5, 0x10_0000, 1, MemoryDescriptor::RUNTIME)]);
        let map = MemoryMap::new(&bytes, size as u32).unwrap();
        let all: Vec<_> = map.descriptors().collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].kind, all[0].end()), (MemoryType::CONVENTIONAL, Some(0xa_0000)));
        assert!(all[1].is_runtime() && !all[0].is_runtime());
    }
}

#[test]
fn types_are_those_of_linux_once_the_boot_services_have_ended() {
    let kinds = [
        (0, Some(E820Type::RESERVED)),
        (1, Some(E820Type::RAM)),
        (2, Some(E820Type::RAM)),
        (3, Some(E820Type::RAM)),
        (4, Some(E820Type::RAM)),
        (5, Some(E820Type::RESERVED)),
        (6, Some(E820Type::RESERVED)),
        (7, Some(E820Type::RAM)),
        (8, Some(E820Type::UNUSABLE)),
        (9, Some(E820Type::ACPI)),
        (10, Some(E820Type::NVS)),
        (11, Some(E820Type::RESERVED)),
        (12, Some(E820Type::RESERVED)),
        (13, Some(E820Type::RESERVED)),
        (14, Some(E820Type::PMEM)),
        (15, None),
        (16, None),
        (0x8000_0000, None),
    ];
    for (kind, expected) in kinds {
        assert_eq!(MemoryType(kind).e820(false), expected, "{kind}");
        let special = if expected == Some(E820Type::RAM) {
            Some(E820Type::SOFT_RESERVED)
        } else {
            expected
        };
        assert_eq!(MemoryType(kind).e820(true), special, "{kind}");
        assert_eq!(MemoryType(kind).is_free_after_exit(), expected == Some(E820Type::RAM), "{kind}");
    }
}

#[test]
fn neighbours_of_one_type_are_joined() {
    let bytes = map(
        48,
        &[
            (7, 0, 1, 0),
            (4, 0x1000, 2, 0),
            (9, 0x3000, 1, 0),
            (7, 0x5000, 1, 0),
            (2, 0x6000, 1, 0),
        ],
    );
    let expected = [
        (0, 0x3000, E820Type::RAM),
        (0x3000, 0x1000, E820Type::ACPI),
        (0x5000, 0x2000, E820Type::RAM),
    ];
    assert_eq!(e820(&bytes, 48), expected);
}

#[test]
fn empty_and_wrapping_ranges_are_left_out_and_overlapping_ones_are_not() {
    let bytes = map(
        40,
        &[
            (7, 0x1000, 0, 0),
            (7, 0x2000, u64::MAX, 0),
            (7, u64::MAX - 0xfff, 2, 0),
            (7, u64::MAX - 0xfff, 1, 0),
            (7, 0x4000, 4, 0),
            (5, 0x5000, 1, 0),
        ],
    );
    assert_eq!(
        e820(&bytes, 40),
        [(0x4000, 0x4000, E820Type::RAM), (0x5000, 0x1000, E820Type::RESERVED)]
    );
    let map = MemoryMap::new(&bytes, 40).unwrap();
    let sizes: Vec<_> = map.descriptors().map(|descriptor| descriptor.size()).collect();
    assert_eq!(sizes[..3], [None, None, None]);
    assert_eq!(sizes[3], Some(0x1000), "the last page of the address space has a size and no end");
}

#[test]
fn a_map_without_a_whole_descriptor_is_refused() {
    for size in [0, 1, 39] {
        assert_eq!(MemoryMap::new(&[0; 400], size).unwrap_err(), MemoryMapError::ShortDescriptor(size));
    }
    for (length, size) in [(0, 40), (39, 40), (47, 48), (4096, u32::MAX)] {
        assert_eq!(MemoryMap::new(&vec![0; length], size).unwrap_err(), MemoryMapError::Empty);
    }
}

#[test]
fn a_last_descriptor_that_is_cut_short_is_left_out() {
    let bytes = map(48, &[(7, 0, 1, 0), (7, 0x1000, 1, 0)]);
    assert_eq!(MemoryMap::new(&bytes[..95], 48).unwrap().descriptors().len(), 1);
}

#[test]
fn a_range_is_shown_as_linux_shows_it() {
    let bytes = map(40, &[(6, 0x7ed_0000, 0x20, MemoryDescriptor::RUNTIME | 0xf), (99, 0x1000, 1, 0)]);
    let lines: Vec<_> = MemoryMap::new(&bytes, 40)
        .unwrap()
        .descriptors()
        .map(|descriptor| std::format!("{descriptor}"))
        .collect();
    assert_eq!(lines[0], "[Runtime Data |RUN] range=[0x0000000007ed0000-0x0000000007eeffff]");
    assert_eq!(lines[1], "[type=99|   ] range=[0x0000000000001000-0x0000000000001fff]");
}

proptest! {
    #[test]
    fn any_bytes_are_a_map_whose_ranges_do_not_wrap(bytes in proptest::collection::vec(any::<u8>(), 0..600), size in 0_u32..100) {
        if let Ok(map) = MemoryMap::new(&bytes, size) {
            prop_assert_eq!(map.descriptors().len(), bytes.len() / size as usize);
            for entry in map.e820() {
                prop_assert!(entry.size > 0 && entry.end().is_some());
            }
            for descriptor in map.descriptors() {
                let text = std::format!("{descriptor}");
                prop_assert!(text.starts_with("["), "{}", text);
            }
        }
    }

    #[test]
    fn joining_loses_no_page(kinds in proptest::collection::vec((0_u32..17, 1_u64..5, 0_u64..2), 1..40)) {
        let mut next = 0;
        let mut pages = 0;
        let descriptors: Vec<_> = kinds.iter().map(|&(kind, count, gap)| {
            let start = next + gap * 4096;
            next = start + count * 4096;
            if MemoryType(kind).e820(false).is_some() {
                pages += count;
            }
            (kind, start, count, 0)
        }).collect();
        let entries = e820(&map(40, &descriptors), 40);
        prop_assert_eq!(entries.iter().map(|entry| entry.1).sum::<u64>(), pages * 4096);
        for pair in entries.windows(2) {
            prop_assert!(pair[0].0 + pair[0].1 <= pair[1].0);
            prop_assert!(pair[0].2 != pair[1].2 || pair[0].0 + pair[0].1 < pair[1].0, "what could be joined was not");
        }
    }
}

/// Memory with a system table at 0x1000 that lists `tables`, and a vendor's name.
fn system_table(tables: &[ConfigurationTable]) -> Vec<u8> {
    let mut memory = vec![0; 0x4000];
    let table = SystemTable {
        signature: SystemTable::SIGNATURE,
        revision: 2 << 16 | 70,
        header_size: 120,
        crc32: 0,
        firmware_vendor: 0x2000,
        firmware_revision: 0x1_0000,
        runtime_services: 0,
        table_entries: tables.len() as u64,
        tables: 0x3000,
    };
    table.write(&mut memory[0x1000..]).unwrap();
    for (at, unit) in "EDK II".encode_utf16().enumerate() {
        memory[0x2000 + 2 * at..][..2].copy_from_slice(&unit.to_le_bytes());
    }
    for (at, table) in tables.iter().enumerate() {
        table.write(&mut memory[0x3000 + 24 * at..]).unwrap();
    }
    seal(&mut memory);
    memory
}

/// Makes the checksum of the table in `memory` right, bit by bit as the specification describes it.
fn seal(memory: &mut [u8]) {
    memory[0x1010..0x1014].fill(0);
    let size = u32::from_le_bytes(memory[0x100c..0x1010].try_into().unwrap()) as usize;
    let mut crc = u32::MAX;
    for &byte in memory[0x1000..].iter().take(size) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ ((crc & 1) * 0xedb8_8320);
        }
    }
    memory[0x1010..0x1014].copy_from_slice(&(!crc).to_le_bytes());
}

fn at<'m>(memory: &'m [u8]) -> impl FnMut(u64, usize) -> Option<&'m [u8]> {
    |phys, len| {
        let start = usize::try_from(phys).ok()?;
        memory.get(start..start.checked_add(len)?)
    }
}

#[test]
fn the_system_table_names_its_maker_and_its_tables() {
    let tables = [
        ConfigurationTable {
            guid: Guid::ACPI,
            table: 0x7e0_0000,
        },
        ConfigurationTable {
            guid: Guid::SMBIOS3,
            table: 0x7e1_0000,
        },
        ConfigurationTable {
            guid: Guid::ACPI_20,
            table: 0x7e2_0014,
        },
    ];
    let memory = system_table(&tables);
    let table = SystemTable::find(0x1000, at(&memory)).unwrap();
    assert_eq!(std::format!("{}", Revision(table.revision)), "v2.70");
    assert_eq!(std::format!("{}", table.vendor(at(&memory)).unwrap()), "EDK II");
    let listed: Vec<_> = table.configuration(at(&memory)).iter().collect();
    assert_eq!(listed, tables);
    assert_eq!(std::format!("{}", listed[2]), "ACPI 2.0=0x7e20014");
    assert_eq!(table.configuration(at(&memory)).find(Guid::SMBIOS3), Some(0x7e1_0000));
    assert_eq!(table.configuration(at(&memory)).find(Guid::SMBIOS), None);
    assert_eq!(table.configuration(at(&memory)).rsdp(), Some(0x7e2_0014), "the newer one");
    let old = system_table(&tables[..2]);
    assert_eq!(
        SystemTable::find(0x1000, at(&old)).unwrap().configuration(at(&old)).rsdp(),
        Some(0x7e0_0000)
    );
}

#[test]
fn a_guid_is_written_as_everybody_writes_it() {
    assert_eq!(std::format!("{:?}", Guid::ACPI_20), "8868e871-e4f1-11d3-bc22-0080c73c8881");
    assert_eq!(Guid([7; 16]).name(), None);
}

#[test]
fn a_damaged_system_table_is_refused() {
    let good = system_table(&[]);
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut memory = good.clone();
        change(&mut memory);
        SystemTable::find(0x1000, at(&memory)).unwrap_err()
    };
    assert_eq!(refused(&|memory| memory[0x1020] ^= 1), SystemTableError::BadChecksum);
    assert_eq!(
        refused(&|memory| memory[0x1000] = b'X'),
        SystemTableError::BadSignature {
            signature: u64::from_le_bytes(*b"XBI SYST")
        }
    );
    for size in [0_u32, 119, 4097, u32::MAX] {
        let error = refused(&|memory| memory[0x100c..0x1010].copy_from_slice(&size.to_le_bytes()));
        assert_eq!(error, SystemTableError::BadSize { size });
    }
    assert_eq!(
        refused(&|memory| memory.truncate(0x1077)),
        SystemTableError::Unmapped { phys: 0x1000 }
    );
    assert!(SystemTable::find(u64::MAX, at(&good)).is_err());
}

#[test]
fn a_list_or_a_name_out_of_reach_is_none() {
    let mut memory = system_table(&[]);
    memory[0x1018..0x1020].fill(0xff);
    memory[0x1068..0x1078].fill(0xff);
    seal(&mut memory);
    let table = SystemTable::find(0x1000, at(&memory)).unwrap();
    assert!(table.vendor(at(&memory)).is_none());
    assert_eq!(table.configuration(at(&memory)).iter().count(), 0);
}

proptest! {
    #[test]
    fn any_bytes_are_a_system_table_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 120..200), sealed in any::<bool>()) {
        let mut memory = vec![0; 0x1000];
        memory.extend(bytes);
        if sealed {
            memory[0x1000..0x1008].copy_from_slice(b"IBI SYST");
            memory[0x100c..0x1010].copy_from_slice(&120_u32.to_le_bytes());
            seal(&mut memory);
        }
        match SystemTable::find(0x1000, at(&memory)) {
            Ok(table) => {
                prop_assert!(sealed);
                prop_assert!(table.configuration(at(&memory)).iter().count() <= SystemTable::TABLES_MAX);
            }
            Err(error) => {
                prop_assert!(!sealed);
                let text = std::format!("{error}");
                prop_assert!(text.starts_with("efi: "), "{}", text);
            }
        }
    }
}

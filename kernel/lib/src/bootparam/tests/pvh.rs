//! PVH start information.

use super::*;
use crate::bootparam::pvh::{self, Dropped, HvmStartInfo, PvhError};
use proptest::prelude::*;
use std::vec;

/// Where the kernel's extension node is in these tests.
const EXTENSION: u64 = 0x5000;

fn to_boot_params<'a>(
    start_info: u64,
    map: impl FnMut(u64, usize) -> Option<&'a [u8]>,
    into: &mut BootParams,
) -> Result<Dropped, PvhError> {
    pvh::to_boot_params(start_info, map, into, &mut E820Extension::new(), EXTENSION)
}

/// Start information at 0x9000 with `entries` memory ranges and `modules` modules.
fn start_info(entries: u32, modules: u32) -> Memory {
    let mut memory = Memory {
        base: 0x9000,
        bytes: vec![0; 0x4000],
    };
    for (offset, value) in [(0, HvmStartInfo::MAGIC), (4, 1), (12, modules), (48, entries)] as [(u64, u32); 4] {
        memory.put(0x9000 + offset, &value.to_le_bytes());
    }
    for (offset, value) in [(16, 0x9800), (24, 0x1_0000_9900), (32, 0xf_5960), (40, 0xa000)] as [(u64, u64); 4] {
        memory.put(0x9000 + offset, &value.to_le_bytes());
    }
    memory.put(0x9800, &0x700_0000_u64.to_le_bytes());
    memory.put(0x9808, &0x1234_u64.to_le_bytes());
    for n in 0..u64::from(entries).min(330) {
        memory.put(0xa000 + n * 24, &(n << 20).to_le_bytes());
        memory.put(0xa000 + n * 24 + 8, &0x1000_u64.to_le_bytes());
        memory.put(0xa000 + n * 24 + 16, &1_u32.to_le_bytes());
    }
    memory
}

#[test]
fn pvh_start_information_becomes_a_zero_page() {
    let memory = start_info(2, 1);
    let mut params = BootParams::zeroed();
    assert_eq!(to_boot_params(0x9000, memory.map(), &mut params), Ok(Dropped::default()));
    assert!(params.hdr().is_valid());
    assert_eq!(params.hdr().version, 0x020c);
    assert_eq!(params.loader().name(), Some("QEMU"));
    assert_eq!(params.cmd_line_ptr(), 0x1_0000_9900);
    assert_eq!(params.ramdisk(), (0x700_0000, 0x1234));
    assert_eq!(params.acpi_rsdp_addr(), 0xf_5960);
    let ram = |addr| E820Entry {
        addr,
        size: 0x1000,
        kind: E820Type::RAM,
    };
    let hole = E820Entry {
        addr: 0xa_0000,
        size: 0x6_0000,
        kind: E820Type::RESERVED,
    };
    assert!(params.e820_table().eq([ram(0), ram(0x10_0000), hole]));
}

#[test]
fn pvh_without_modules_has_no_initrd() {
    let memory = start_info(1, 0);
    let mut params = BootParams::zeroed();
    assert!(to_boot_params(0x9000, memory.map(), &mut params).is_ok());
    assert_eq!(params.ramdisk(), (0, 0));
}

#[test]
fn pvh_ranges_past_the_page_go_to_a_node_of_the_chain() {
    let memory = start_info(200, 3);
    let mut params = BootParams::zeroed();
    let mut extension = E820Extension::new();
    let dropped = pvh::to_boot_params(0x9000, memory.map(), &mut params, &mut extension, EXTENSION);
    assert_eq!(
        dropped,
        Ok(Dropped {
            memmap_entries: 0,
            modules: 2
        })
    );
    assert_eq!(params.e820_table().last().map(|entry| entry.addr), Some(127 << 20));
    let behind = Memory {
        base: EXTENSION,
        bytes: extension.as_bytes().to_vec(),
    };
    let nodes: Vec<_> = walk_setup_data(params.hdr().setup_data, behind.map())
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(nodes.len(), 1);
    let entries: Vec<_> = nodes[0].e820_entries().collect();
    assert_eq!(entries.len(), 200 - 128 + 1);
    assert_eq!((entries[0].addr, entries[71].addr), (128 << 20, 199 << 20));
    assert_eq!((entries[72].addr, entries[72].kind), (0xa_0000, E820Type::RESERVED));
}

#[test]
fn pvh_ranges_that_fit_nowhere_are_counted() {
    let most = (BootParams::E820_MAX + E820Extension::MAX - 1) as u32;
    for (entries, memmap_entries) in [(128, 0), (most, 0), (most + 3, 3)] {
        let mut params = BootParams::zeroed();
        let dropped = to_boot_params(0x9000, start_info(entries, 0).map(), &mut params);
        assert_eq!(
            dropped,
            Ok(Dropped {
                memmap_entries,
                modules: 0
            })
        );
    }
}

#[test]
fn pvh_information_that_cannot_be_read_is_an_error_and_leaves_an_empty_page() {
    let check = |memory: &Memory, phys, error| {
        let mut params = BootParams::zeroed();
        params.as_bytes_mut().fill(1);
        assert_eq!(to_boot_params(phys, memory.map(), &mut params), Err(error));
        assert!(params == BootParams::zeroed());
    };
    let good = start_info(1, 1);
    check(&good, 0x9008, PvhError::BadMagic { magic: 0 });
    check(&good, 0x100, PvhError::Unmapped { phys: 0x100 });
    check(&good, u64::MAX, PvhError::Unmapped { phys: u64::MAX });
}

#[test]
fn pvh_information_with_a_bad_part_is_an_error_and_keeps_the_command_line() {
    let check = |memory: &Memory, phys, error| {
        let mut good = BootParams::zeroed();
        assert!(to_boot_params(0x9000, start_info(1, 0).map(), &mut good).is_ok());
        let mut params = BootParams::zeroed();
        assert_eq!(to_boot_params(phys, memory.map(), &mut params), Err(error));
        assert_ne!(params.cmd_line_ptr(), 0);
        assert_eq!(params.cmd_line_ptr(), good.cmd_line_ptr());
    };
    check(&start_info(0, 0), 0x9000, PvhError::NoMemoryMap);

    let mut old = start_info(1, 0);
    old.put(0x9004, &0_u32.to_le_bytes());
    check(&old, 0x9000, PvhError::NoMemoryMap);

    let mut far = start_info(7, 0);
    far.put(0x9028, &0x1_0000_0000_u64.to_le_bytes());
    check(
        &far,
        0x9000,
        PvhError::BadTable {
            phys: 0x1_0000_0000,
            entries: 7,
        },
    );

    let mut modules = start_info(1, u32::MAX);
    modules.put(0x9010, &(u64::MAX - 8).to_le_bytes());
    check(
        &modules,
        0x9000,
        PvhError::BadTable {
            phys: u64::MAX - 8,
            entries: u32::MAX,
        },
    );
}

proptest! {
    #[test]
    fn any_start_information_is_converted_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..256),
        entries in 0_u32..12,
        table in 0_u64..256,
    ) {
        let mut memory = Memory { base: 0, bytes };
        if memory.bytes.len() >= 56 {
            memory.put(0, &HvmStartInfo::MAGIC.to_le_bytes());
            memory.put(40, &table.to_le_bytes());
            memory.put(48, &entries.to_le_bytes());
            memory.put(12, &[0; 4]);
        }
        let mut params = BootParams::zeroed();
        let result = to_boot_params(0, memory.map(), &mut params);
        let unread = matches!(result, Err(PvhError::Unmapped { .. } | PvhError::BadMagic { .. }));
        prop_assert_eq!(unread, params == BootParams::zeroed());
        prop_assert!(params.e820_table().len() <= entries as usize + 1);
    }
}

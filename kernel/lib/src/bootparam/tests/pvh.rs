//! PVH start information.

use super::*;
use crate::bootparam::pvh::{Dropped, HvmStartInfo, PvhError, to_boot_params};
use proptest::prelude::*;
use std::vec;

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
    for n in 0..u64::from(entries).min(300) {
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
fn pvh_ranges_and_modules_past_the_page_are_counted() {
    let memory = start_info(200, 3);
    let mut params = BootParams::zeroed();
    let dropped = to_boot_params(0x9000, memory.map(), &mut params);
    assert_eq!(
        dropped,
        Ok(Dropped {
            memmap_entries: 72,
            modules: 2
        })
    );
    assert_eq!(params.e820_table().last().map(|entry| entry.addr), Some(127 << 20));
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

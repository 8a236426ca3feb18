//! Tables as sound firmware has them, and as firmware has them that lies.

use super::build::{self, Firmware};
use super::*;
use proptest::prelude::*;
use std::{string::String, string::ToString, vec, vec::Vec};

mod hostile;
mod typed;

/// What a walk finds: the tables' lines, and the errors.
pub(super) struct Found {
    pub tables: Vec<String>,
    pub errors: Vec<TableError>,
}

pub(super) fn found(firmware: &Firmware, rsdt_only: bool) -> Found {
    let mut result = Found {
        tables: Vec::new(),
        errors: Vec::new(),
    };
    let rsdp = match Rsdp::check(firmware.bytes()) {
        Ok(rsdp) => rsdp,
        Err(error) => panic!("the root pointer is sound, not {error}"),
    };
    let Some(root) = find_root(&rsdp, rsdt_only, firmware.map(), |error| result.errors.push(error)) else {
        return result;
    };
    result.tables.push(root.table.header.signature.to_string());
    walk(&root, firmware.map(), |table| match table {
        Ok(table) => result.tables.push(table.header.signature.to_string()),
        Err(error) => result.errors.push(error),
    });
    result
}

#[test]
fn the_lines_are_linux_s() {
    let rsdp = Rsdp {
        signature: Rsdp::SIGNATURE,
        oem_id: *b"BOCHS ",
        ..Rsdp::default()
    };
    assert_eq!(rsdp.to_string(), "000014 (v00 BOCHS )");
    let header = Header {
        signature: Signature::RSDT,
        length: 0x38,
        revision: 1,
        oem_id: *b"BOCHS ",
        oem_table_id: *b"BXPC\0\0\0\0",
        oem_revision: 1,
        creator_id: *b"BX\x01C",
        creator_revision: 1,
        ..Header::default()
    };
    let table = Table {
        phys: 0x7fe_1d83,
        header,
        sum: 0,
        bytes: (),
    };
    assert_eq!(
        table.to_string(),
        "RSDT 0x0000000007FE1D83 000038 (v01 BOCHS  BXPC     00000001 BX?C 00000001)"
    );
}

#[test]
fn fadt_s_tables_come_behind_it() {
    let mut firmware = Firmware::new(0x1000);
    let dsdt = firmware.table(b"DSDT", &[0; 20]);
    let facs = firmware.push(&[b"FACS".as_slice(), &64_u32.to_le_bytes(), &[0xff; 56]].concat());
    let mut body = [0; 80];
    body[0..4].copy_from_slice(&(facs as u32).to_le_bytes());
    body[4..8].copy_from_slice(&(dsdt as u32).to_le_bytes());
    let fadt = firmware.table(b"FACP", &body);
    let madt = firmware.table(b"APIC", &build::madt(&[]));
    let rsdt = firmware.rsdt(&[fadt, madt]);
    firmware.rsdp(rsdt);
    let found = found(&firmware, false);
    assert_eq!(found.tables, ["RSDT", "FACP", "DSDT", "FACS", "APIC"]);
    assert_eq!(found.errors, []);
}

#[test]
fn the_64_bit_root_table_counts_unless_it_must_not() {
    let mut firmware = Firmware::new(0x1000);
    let table = firmware.table(b"HPET", &[0; 20]);
    let (rsdt, xsdt) = (firmware.rsdt(&[]), firmware.xsdt(&[table]));
    firmware.rsdp_2(rsdt, xsdt);
    assert_eq!(found(&firmware, false).tables, ["XSDT", "HPET"]);
    assert_eq!(found(&firmware, true).tables, ["RSDT"]);
}

proptest! {
    #[test]
    fn any_damage_is_survived(
        damage in proptest::collection::vec((64_u64..700, any::<u8>()), 0..40),
    ) {
        let mut firmware = Firmware::new(0x1000);
        let dsdt = firmware.table(b"DSDT", &[0; 20]);
        let mut body = [0; 208];
        body[4..8].copy_from_slice(&(dsdt as u32).to_le_bytes());
        let fadt = firmware.table(b"FACP", &body);
        let madt = firmware.table(b"APIC", &build::madt(&build::local_apic(0, 0, 1)));
        let rsdt = firmware.rsdt(&[fadt, madt]);
        let xsdt = firmware.xsdt(&[fadt, madt]);
        firmware.rsdp_2(rsdt, xsdt);
        let size = firmware.bytes().len() as u64;
        for (offset, value) in damage {
            firmware.patch(0x1000 + offset % size.max(65), &[value]);
        }
        if let Ok(rsdp) = Rsdp::check(firmware.bytes()) {
            let mut visits = 0;
            if let Some(root) = find_root(&rsdp, false, firmware.map(), |_| ()) {
                walk(&root, firmware.map(), |table| {
                    visits += 1;
                    if let Ok(table) = table {
                        assert_eq!(table.bytes.len(), table.header.length as usize);
                        let _ = Madt::parse(table.bytes).map(|madt| madt.entries().count());
                        let _ = Srat::parse(table.bytes).map(|srat| srat.entries().count());
                        let _ = Slit::parse(table.bytes);
                    }
                });
            }
            prop_assert!(visits <= MAX_TABLES + 4);
        }
    }

    #[test]
    fn records_end_wherever_they_are_cut(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let table = build::table(b"APIC", &build::madt(&bytes));
        let madt = Madt::parse(&table).expect("a header and an address");
        prop_assert!(madt.entries().count() <= bytes.len());
        let lines = madt.entries().map(|entry| entry.map_or_else(|error| error.to_string(), |entry| entry.to_string()));
        prop_assert!(lines.filter(|line| !line.is_empty()).count() <= bytes.len());
    }
}

//! The walk, and what it makes of each lie.

use super::*;

/// Firmware whose root table of ACPI 1.0 names `entries`.
fn with_rsdt(firmware: &mut Firmware, entries: &[u64]) -> u64 {
    let rsdt = firmware.rsdt(entries);
    firmware.rsdp(rsdt);
    rsdt
}

#[test]
fn a_root_pointer_is_checked() {
    let mut firmware = Firmware::new(0);
    firmware.rsdp(0x1000);
    assert_eq!(Rsdp::check(firmware.bytes()).map(|rsdp| rsdp.rsdt), Ok(0x1000));
    assert_eq!(Rsdp::check(&firmware.bytes()[..19]), Err(RsdpError::CutShort));
    firmware.flip(3);
    assert_eq!(Rsdp::check(firmware.bytes()), Err(RsdpError::Signature));
    firmware.rsdp(0x1000);
    firmware.flip(17);
    assert!(matches!(Rsdp::check(firmware.bytes()), Err(RsdpError::Checksum(_))));
    firmware.rsdp_2(0x1000, 0x2000);
    firmware.flip(30);
    assert!(matches!(Rsdp::check(firmware.bytes()), Err(RsdpError::ExtendedChecksum(_))));
    assert_eq!(Rsdp::check(&firmware.bytes()[..20]), Err(RsdpError::CutShort));
}

#[test]
fn of_revision_0_what_lies_behind_the_first_20_bytes_does_not_count() {
    let mut firmware = Firmware::new(0x1000);
    let rsdt = with_rsdt(&mut firmware, &[]);
    firmware.patch(0x1014, &[0xee; 16]);
    let rsdp = Rsdp::check(firmware.bytes()).expect("a root pointer");
    assert_eq!((rsdp.rsdt, rsdp.xsdt, rsdp.length), (rsdt as u32, 0, 0));
    assert_eq!(found(&firmware, false).tables, ["RSDT"]);
}

#[test]
fn a_bad_64_bit_root_table_is_named_and_the_other_one_used() {
    let mut firmware = Firmware::new(0x1000);
    let table = firmware.table(b"HPET", &[0; 20]);
    let rsdt = firmware.rsdt(&[table]);
    firmware.rsdp_2(rsdt, u64::MAX - 8);
    let out_of_reach = found(&firmware, false);
    assert_eq!(out_of_reach.tables, ["RSDT", "HPET"]);
    assert_eq!(
        out_of_reach.errors,
        [TableError::Unmapped {
            phys: u64::MAX - 8,
            length: 36
        }]
    );
    firmware.rsdp_2(rsdt, table);
    let wrong_table = found(&firmware, false);
    assert_eq!(wrong_table.tables, ["RSDT", "HPET"]);
    assert!(matches!(wrong_table.errors[..], [TableError::Unexpected { .. }]));
}

#[test]
fn without_a_root_table_there_are_no_tables() {
    let mut firmware = Firmware::new(0x1000);
    firmware.rsdp(0);
    assert_eq!(found(&firmware, false).errors, [TableError::NoRoot]);
}

#[test]
fn empty_entries_repeated_ones_and_circles_are_passed_over() {
    let mut firmware = Firmware::new(0x1000);
    let table = firmware.table(b"HPET", &[0; 20]);
    let other = firmware.rsdt(&[]);
    let itself = firmware.next();
    with_rsdt(&mut firmware, &[0, table, itself, table, other]);
    let found = found(&firmware, false);
    assert_eq!(found.tables, ["RSDT", "HPET"]);
    assert_eq!(
        found.errors,
        [
            TableError::Null { index: 0 },
            TableError::Repeated { phys: itself },
            TableError::Repeated { phys: table },
            TableError::Nested {
                phys: other,
                signature: Signature::RSDT
            },
        ]
    );
}

#[test]
fn impossible_lengths_are_named() {
    for length in [0_u32, 8, 35, MAX_LENGTH + 1, u32::MAX] {
        let mut firmware = Firmware::new(0x1000);
        let table = firmware.table(b"HPET", &[0; 20]);
        firmware.patch(table + 4, &length.to_le_bytes());
        with_rsdt(&mut firmware, &[table]);
        let signature = Signature(*b"HPET");
        assert_eq!(
            found(&firmware, false).errors,
            [TableError::Length {
                phys: table,
                signature,
                length
            }]
        );
    }
}

#[test]
fn a_table_that_ends_outside_memory_is_named() {
    let mut firmware = Firmware::new(0x1000);
    let table = firmware.table(b"HPET", &[0; 20]);
    firmware.patch(table + 4, &0x10_0000_u32.to_le_bytes());
    with_rsdt(&mut firmware, &[table]);
    assert_eq!(
        found(&firmware, false).errors,
        [TableError::Unmapped {
            phys: table,
            length: 0x10_0000
        }]
    );
}

#[test]
fn what_has_no_name_is_no_table() {
    let mut firmware = Firmware::new(0x1000);
    let table = firmware.table(b"\xff\xff\xff\xff", &[0; 20]);
    with_rsdt(&mut firmware, &[table]);
    let signature = Signature([0xff; 4]);
    assert_eq!(found(&firmware, false).errors, [TableError::Signature { phys: table, signature }]);
}

#[test]
fn a_wrong_checksum_is_kept_beside_the_table() {
    let mut firmware = Firmware::new(0x1000);
    let table = firmware.table(b"HPET", &[0; 20]);
    firmware.patch(table + 40, &[3]);
    with_rsdt(&mut firmware, &[table]);
    let rsdp = Rsdp::check(firmware.bytes()).expect("a root pointer");
    let root = find_root(&rsdp, false, firmware.map(), |error| panic!("{error}")).expect("a root table");
    let mut sums = Vec::new();
    walk(&root, firmware.map(), |table| sums.push(table.map(|table| table.sum)));
    assert_eq!(sums, [Ok(3)]);
}

#[test]
fn a_root_table_has_an_upper_number_of_entries() {
    let mut firmware = Firmware::new(0x1000);
    let tables: Vec<_> = (0..200).map(|_| firmware.table(b"SSDT", &[])).collect();
    with_rsdt(&mut firmware, &tables);
    let found = found(&firmware, false);
    assert_eq!(found.tables.len(), 1 + MAX_TABLES);
    assert_eq!(found.errors, [TableError::TooMany { count: 200 }]);
}

#[test]
fn a_root_table_of_odd_length_has_no_half_entry() {
    let mut firmware = Firmware::new(0x1000);
    let table = firmware.table(b"HPET", &[0; 20]);
    let mut body = table.to_le_bytes().to_vec();
    body.extend([0x77; 7]);
    let xsdt = firmware.table(b"XSDT", &body);
    firmware.rsdp_2(0, xsdt);
    let found = found(&firmware, false);
    assert_eq!((found.tables, found.errors), (vec!["XSDT".into(), "HPET".into()], vec![]));
}

#[test]
fn a_fadt_that_leads_astray_is_named() {
    let mut firmware = Firmware::new(0x1000);
    let other = firmware.table(b"HPET", &[0; 20]);
    let mut body = [0; 208];
    body[0..4].copy_from_slice(&0x10_u32.to_le_bytes());
    body[4..8].copy_from_slice(&0x10_u32.to_le_bytes());
    body[104..112].copy_from_slice(&other.to_le_bytes());
    let fadt = firmware.table(b"FACP", &body);
    with_rsdt(&mut firmware, &[fadt]);
    let found = found(&firmware, false);
    assert_eq!(found.tables, ["RSDT", "FACP"]);
    assert_eq!(
        found.errors,
        [
            TableError::Mismatch {
                name: "DSDT",
                short: 0x10,
                long: other
            },
            TableError::Unexpected {
                phys: other,
                signature: Signature(*b"HPET"),
                expected: Signature::DSDT
            },
            TableError::Unmapped { phys: 0x10, length: 36 },
        ]
    );
}

#[test]
fn a_search_goes_in_steps_of_16_and_names_what_is_damaged() {
    let mut firmware = Firmware::new(0);
    firmware.rsdp(0x1000);
    let rsdp = &firmware.bytes()[..20];
    let mut area = vec![0; 0x200];
    area[0x28..0x3c].copy_from_slice(rsdp);
    area[0x40..0x54].copy_from_slice(rsdp);
    area[0x45 + 8] ^= 1;
    area[0x1e0..0x1f4].copy_from_slice(rsdp);
    area[0x1f8..0x200].copy_from_slice(&rsdp[..8]);
    let found: Vec<_> = search(&area).map(|(offset, rsdp)| (offset, rsdp.is_ok())).collect();
    assert_eq!(found, [(0x40, false), (0x1e0, true)]);
    area.truncate(0x1f0);
    assert_eq!(search(&area).last(), Some((0x1e0, Err(RsdpError::CutShort))));
}

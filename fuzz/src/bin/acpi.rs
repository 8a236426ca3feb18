//! ACPI tables: memory that is anything, with a root pointer that is right so that the walk goes in.

#![no_main]

use incipit_lib::acpi::build::{self, Firmware};
use incipit_lib::acpi::{self, Bgrt, Fadt, Hpet, MAX_TABLES, Madt, Mcfg, Rsdp, Slit, Srat};
use libfuzzer_sys::fuzz_target;

const BASE: u64 = 0x1000;

/// Reads every table that is taken apart as if `table` were one.
fn read(table: &[u8]) {
    let fadt = Fadt::parse(table);
    let _ = (fadt.pm_timer_port(), fadt.dsdt_phys(), fadt.mismatches().count());
    let _ = (Hpet::parse(table), Bgrt::parse(table));
    if let Some(madt) = Madt::parse(table) {
        let lines = madt.entries().map(|entry| entry.map_or_else(|error| error.to_string(), |entry| entry.to_string()));
        assert!(lines.filter(|line| !line.is_empty()).count() <= table.len());
    }
    if let Some(srat) = Srat::parse(table) {
        assert!(srat.entries().count() <= table.len());
        let memory: Vec<_> = srat.memory().collect();
        for one in &memory {
            assert!(!one.contradicts(one));
            assert!(memory.iter().all(|other| one.contradicts(other) == other.contradicts(one)));
        }
    }
    if let Ok(slit) = Slit::parse(table) {
        assert_eq!(slit.distance(0, 0), Some(Slit::LOCAL_DISTANCE));
        assert_eq!(slit.distance(slit.count(), 0), None);
    }
    let _ = Mcfg::parse(table).map(|mcfg| mcfg.entries().count());
}

fuzz_target!(|data: &[u8]| {
    let Some((&[revision, kind, low, high], rest)) = data.split_first_chunk() else {
        return;
    };
    let mut firmware = Firmware::new(BASE);
    let anything = firmware.push(rest);
    let sound = firmware.table(&[b"APIC", b"SRAT", b"SLIT", b"MCFG"][usize::from(kind % 4)], rest);
    let fadt = firmware.table(b"FACP", rest);
    let entries = [sound, fadt, anything + u64::from(low), u64::from(u16::from_le_bytes([low, high]))];
    let (rsdt, xsdt) = (firmware.rsdt(&entries), firmware.xsdt(&entries));
    let root = if kind & 4 != 0 { anything } else { xsdt };
    firmware.root_pointer(if kind & 8 != 0 { anything as u32 } else { rsdt as u32 }, root, revision % 3);

    let (_, rsdp) = acpi::search(firmware.bytes()).next().expect("the root pointer is found");
    let rsdp = rsdp.expect("its checksums are right");
    let mut visited = 0;
    if let Some(root) = acpi::find_root(&rsdp, kind & 16 != 0, firmware.map(), |error| drop(error.to_string())) {
        acpi::walk(&root, firmware.map(), |table| {
            visited += 1;
            match table {
                Ok(table) => {
                    assert_eq!(table.bytes.len(), table.header.length as usize);
                    let _ = table.to_string();
                    read(table.bytes);
                }
                Err(error) => drop(error.to_string()),
            }
        });
    }
    assert!(visited <= MAX_TABLES + 4);
    let _ = Rsdp::check(rest);
    read(rest);
    read(&build::table(b"APIC", &build::madt(rest)));
});

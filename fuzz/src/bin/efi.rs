//! EFI memory maps and system tables, from any bytes.

#![no_main]

use incipit_lib::efi::{MemoryMap, SystemTable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&size, bytes)) = data.split_first() else {
        return;
    };
    match MemoryMap::new(bytes, size.into()) {
        Ok(map) => {
            let mut pages = 0_u128;
            for descriptor in map.descriptors() {
                assert_ne!(descriptor.to_string(), "");
                pages += descriptor.e820().map_or(0, |entry| u128::from(entry.size));
            }
            let joined: u128 = map.e820().map(|entry| u128::from(entry.size)).sum();
            assert_eq!(pages, joined, "joining neighbours loses nothing");
        }
        Err(error) => assert_ne!(error.to_string(), ""),
    }
    let map = |phys, len| {
        let start = usize::try_from(phys).ok()?;
        bytes.get(start..start.checked_add(len)?)
    };
    match SystemTable::find(size.into(), map) {
        Ok(table) => {
            let _ = table.vendor(map).map(|vendor| vendor.to_string());
            assert!(table.configuration(map).iter().all(|table| !table.to_string().is_empty()));
        }
        Err(error) => assert_ne!(error.to_string(), ""),
    }
});

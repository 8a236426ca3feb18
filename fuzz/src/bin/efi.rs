//! EFI memory maps, from any bytes.

#![no_main]

use incipit_lib::efi::MemoryMap;
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
});

//! Symbol tables: any bytes as a table, and any symbols through the builder and back.

#![no_main]

use incipit_lib::kallsyms::Kallsyms;
use incipit_lib::kallsyms::build::{Input, build};
use libfuzzer_sys::fuzz_target;

/// A damaged table may give wrong answers or none; it must not fail.
fn read(bytes: &[u8], address: u64) {
    let Some(table) = Kallsyms::new(bytes) else {
        return;
    };
    assert!(table.iter().count() <= table.len());
    let _ = table.lookup(address);
    for symbol in table.iter().take(16) {
        let _ = table.lookup(symbol.address);
        let _ = table.address_of(symbol.name);
    }
}

fn round_trip(data: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0xffff_ffff_8000_0000;
    let text: Vec<_> = data.chunks(5).map(String::from_utf8_lossy).collect();
    let symbols: Vec<_> = text
        .iter()
        .zip(data.chunks(5))
        .map(|(name, bytes)| Input {
            name,
            kind: 't',
            address: BASE + u64::from(bytes[0]) * 16,
        })
        .collect();
    let end = BASE + 0x2000;
    let Ok(bytes) = build(&symbols, end) else {
        panic!("these symbols fit any table");
    };
    let table = Kallsyms::new(&bytes).expect("a table just built is sound");
    assert_eq!(table.len(), symbols.len());
    for symbol in &symbols {
        let found = table.lookup(symbol.address + 7).expect("the address is inside");
        assert_eq!(found.address, symbol.address);
        let lowest = symbols.iter().filter(|other| other.name == symbol.name).map(|other| other.address);
        assert_eq!(table.address_of(symbol.name), lowest.min());
    }
    bytes
}

fuzz_target!(|data: &[u8]| {
    let Some((address, data)) = data.split_first_chunk::<8>() else {
        return;
    };
    let address = u64::from_le_bytes(*address);
    read(data, address);
    let mut bytes = round_trip(data);
    for (at, byte) in data.iter().enumerate().take(8) {
        let len = bytes.len();
        bytes[(at * 7 + usize::from(*byte)) % len] ^= *byte;
    }
    read(&bytes, address);
});

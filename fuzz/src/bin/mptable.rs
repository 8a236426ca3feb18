//! MP tables: anything, and anything behind a header that is right.

#![no_main]

use incipit_lib::checksum::sum;
use incipit_lib::mptable::{FloatingPointer, Header, MpTable, entries, search};
use incipit_lib::wire::Wire;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = MpTable::check(data).map(|table| table.entries().count());
    assert!(entries(data).count() <= data.len() / 8 + 1);

    let header = Header {
        signature: Header::SIGNATURE,
        length: (Header::SIZE + data.len()) as u16,
        revision: 4,
        local_apic: 1,
        ..Header::default()
    };
    let mut bytes = vec![0; Header::SIZE];
    header.write(&mut bytes).expect("room for a header");
    bytes.extend(data);
    bytes[7] = sum(&bytes).wrapping_neg();
    let table = MpTable::check(&bytes).expect("a sound header");
    let (oem, product) = table.names();
    assert_eq!((oem.to_string().len(), product.to_string().len()), (8, 12));
    let lines = table.entries().map(|entry| entry.map_or_else(|error| error.to_string(), |entry| entry.to_string()));
    assert!(lines.filter(|line| !line.is_empty()).count() <= data.len() / 8 + 1);
    for end in [Header::SIZE - 1, bytes.len() - 1] {
        assert!(MpTable::check(&bytes[..end]).is_err());
    }

    let mut area = FloatingPointer::SIGNATURE.to_vec();
    area.extend(data);
    for (offset, found) in search(&area) {
        assert_eq!(offset % FloatingPointer::LENGTH, 0);
        assert!(found.is_err() || sum(&area[offset..][..FloatingPointer::LENGTH]) == 0);
    }
});

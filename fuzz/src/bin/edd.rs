//! What a BIOS says of its disks, and option ROMs.

#![no_main]

use incipit_lib::bootparam::BootParams;
use incipit_lib::edd::disks;
use incipit_lib::rom::Rom;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut params = Box::new(BootParams::zeroed());
    let bytes = params.as_bytes_mut();
    for (place, byte) in bytes[0x1e9..0x2d0].iter_mut().zip(data) {
        *place = *byte;
    }
    for (place, byte) in params.as_bytes_mut()[0xd00..0xeec].iter_mut().zip(data) {
        *place = *byte;
    }
    let mut count = 0;
    for disk in disks(&params) {
        count += 1;
        let _ = (disk.check(), disk.size());
        match disk.path() {
            Ok(path) => drop(path.map(|path| path.to_string())),
            Err(error) => drop(error.to_string()),
        }
    }
    assert!(count <= BootParams::EDD_MAX);

    let mut memory = vec![0x55, 0xaa];
    memory.extend(data);
    match Rom::at(&memory) {
        Rom::Sound(length) | Rom::Checksum(length) => assert!(length != 0 && length <= memory.len()),
        Rom::Length(length) => assert!(length == 0 || length > memory.len()),
        Rom::Absent => assert!(memory.len() < 3),
    }
});

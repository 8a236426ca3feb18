//! Answers of a BIOS, sound and otherwise.

use super::*;
use std::{boxed::Box, string::ToString, vec::Vec};

/// Offsets in `boot_params`.
const EDDBUF_ENTRIES: usize = 0x1e9;
const SIGNATURES_ENTRIES: usize = 0x1ea;
const SIGNATURES: usize = 0x290;
const EDDBUF: usize = 0xd00;

/// A disk on PCI whose path's checksum is right.
fn info() -> EddInfo {
    let mut params = EddDeviceParams {
        length: WITH_PATH,
        number_of_sectors: 2048,
        bytes_per_sector: 512,
        key: PATH_KEY,
        device_path_info_length: 44,
        host_bus_type: *b"PCI ",
        interface_type: *b"ATA     ",
        interface_path: [0, 1, 1, 0, 0, 0, 0, 0],
        device_path: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ..EddDeviceParams::default()
    };
    let mut bytes = [0; EddDeviceParams::SIZE];
    params.write(&mut bytes).expect("room");
    params.checksum = sum(&bytes[0x1e..]).wrapping_neg();
    EddInfo {
        device: 0x80,
        version: 0x30,
        interface_support: 1,
        params,
        ..EddInfo::default()
    }
}

fn params(infos: &[EddInfo], claimed: u8) -> Box<BootParams> {
    let mut params = Box::new(BootParams::zeroed());
    let bytes = params.as_bytes_mut();
    for (info, place) in infos.iter().zip(bytes[EDDBUF..].chunks_exact_mut(EddInfo::SIZE)) {
        info.write(place).expect("room");
    }
    bytes[EDDBUF_ENTRIES] = claimed;
    bytes[SIGNATURES..SIGNATURES + 4].copy_from_slice(&0x1234_5678_u32.to_le_bytes());
    bytes[SIGNATURES_ENTRIES] = 1;
    params
}

#[test]
fn a_disk_has_size_signature_and_path() {
    let params = params(&[info()], 1);
    let disk = disks(&params).next().expect("a disk");
    assert_eq!(
        (disk.size(), disk.mbr_signature, disk.check()),
        ((2048, 512), Some(0x1234_5678), Ok(()))
    );
    let path = disk.path().expect("sound").expect("there");
    assert_eq!(path.to_string(), "PCI 00:01.1 channel: 0 ATA device: 1");
}

#[test]
fn a_count_beyond_the_table_finds_what_the_table_holds() {
    let params = params(&[info(); 6], 255);
    assert_eq!(disks(&params).count(), BootParams::EDD_MAX);
}

#[test]
fn a_disk_without_a_number_of_its_own_has_no_signature() {
    for device in [0, 0x7f, 0x81, 0xff] {
        let params = params(&[EddInfo { device, ..info() }], 1);
        assert_eq!(disks(&params).next().and_then(|disk| disk.mbr_signature), None, "{device:#x}");
    }
}

#[test]
fn short_answers_and_damaged_paths_are_told() {
    let with = |change: fn(&mut EddDeviceParams)| {
        let mut info = info();
        change(&mut info.params);
        let params = params(&[info], 1);
        let disk = disks(&params).next().expect("a disk");
        (disk.check(), disk.path().map(|path| path.is_some()))
    };
    assert_eq!(with(|params| params.length = 0), (Err(DiskError::Length(0)), Ok(false)));
    assert_eq!(with(|params| params.length = 30), (Ok(()), Ok(false)));
    assert_eq!(with(|params| params.key = 0), (Ok(()), Ok(false)));
    assert_eq!(with(|params| params.device_path[3] = 5), (Ok(()), Err(DiskError::Checksum(5))));
}

#[test]
fn paths_of_any_bus_are_shown() {
    let shown = |bus: &[u8; 4], interface: &[u8; 8]| {
        Path {
            bus: *bus,
            interface: *interface,
            interface_path: [0xf0, 1, 0, 0, 0, 0, 0, 0],
            device_path: [3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        }
        .to_string()
    };
    let lines: Vec<_> = [
        shown(b"ISA ", b"ATAPI   "),
        shown(b"HTPT", b"SCSI    "),
        shown(b"\xff\xff\xff\xff", b"        "),
    ]
    .into();
    assert_eq!(
        lines[..2],
        ["ISA base_address: 1f0 ATAPI device: 3 lun: 0", "HTPT SCSI id: 3 lun: 2"]
    );
    assert!(lines[2].starts_with('\u{fffd}'));
}

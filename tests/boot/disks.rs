//! What the 16-bit set-up code tells of the BIOS's disks: Enhanced Disk Drive services, signatures of master boot records, `edd=`.
//!
//! Offsets of the master boot record and of the structures are those of the BIOS Enhanced Disk Drive Specification 3.0; `edd=` is Linux's.

use std::fs;

use anyhow::{Result, ensure};
use incipit_lib::bootparam::BootParams;
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::takeover::Takeover;

const SECTOR: usize = 512;
const MBR_SIGNATURE: usize = 0x1b8;
const MBR_MAGIC: usize = 0x1fe;

/// Disks: how many sectors, and the signature of those that have a master boot record.
const DISKS: [(usize, Option<u32>); 3] = [(4096, Some(0x1234_abcd)), (6144, None), (8192, Some(0xfeed_f00d))];

pub fn trials() -> Vec<Trial> {
    vec![
        trial("disks::each_disk_of_the_bios_is_described", || {
            let params = boot("")?;
            let disks: Vec<_> = params.eddbuf().collect();
            let found: Vec<_> = disks.iter().map(|disk| (disk.device, disk.params.number_of_sectors)).collect();
            ensure!(found == [(0x80, 4096), (0x81, 6144), (0x82, 8192)], "{found:x?}");
            for disk in disks {
                ensure!(disk.version >= 0x21 && disk.interface_support & 1 != 0, "{disk:x?}");
                ensure!(
                    disk.params.bytes_per_sector == 512 && disk.legacy_sectors_per_track == 63,
                    "{disk:x?}"
                );
                ensure!(
                    &disk.params.host_bus_type == b"PCI " && &disk.params.interface_type == b"ATA     ",
                    "{disk:x?}"
                );
            }
            signatures(&params, &[0x1234_abcd, 0, 0xfeed_f00d])
        }),
        trial("disks::edd_off_asks_nothing", || {
            let params = boot("edd=skipmbr edd=off")?;
            ensure!(params.eddbuf().len() == 0, "{} disks", params.eddbuf().len());
            signatures(&params, &[])
        }),
        trial("disks::edd_skipmbr_reads_no_disk", || {
            let params = boot("xedd=off edd=skipmbr")?;
            ensure!(params.eddbuf().len() == 3, "{} disks", params.eddbuf().len());
            signatures(&params, &[])
        }),
        trial("disks::edd_on_is_as_without", || {
            signatures(&boot("edd=on")?, &[0x1234_abcd, 0, 0xfeed_f00d])
        }),
    ]
}

/// Boots a machine with the three disks to where the kernel is entered.
fn boot(words: &str) -> Result<BootParams> {
    let folder = Folder::new()?;
    let mut machine = Machine::new(&Build::ours().bzimage()).append(words);
    for (index, (sectors, signature)) in DISKS.into_iter().enumerate() {
        let mut disk = vec![0; sectors * SECTOR];
        if let Some(signature) = signature {
            disk[MBR_SIGNATURE..][..4].copy_from_slice(&signature.to_le_bytes());
            disk[MBR_MAGIC..][..2].copy_from_slice(&[0x55, 0xaa]);
        }
        let file = folder.path().join(format!("disk{index}"));
        fs::write(&file, disk)?;
        machine = machine.option("-drive", &format!("file={},format=raw,if=ide", file.display()));
    }
    Takeover::new(machine)?.boot_params()
}

fn signatures(params: &BootParams, expected: &[u32]) -> Result<()> {
    let found: Vec<_> = params.edd_mbr_sig_buffer().collect();
    ensure!(found == expected, "signatures {found:x?} instead of {expected:x?}");
    Ok(())
}

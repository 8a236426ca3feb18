//! What the BIOS said of its disks (Enhanced Disk Drive services, T13 1572D), as the boot loader has it in `boot_params`.
//!
//! The BIOS' answers are as they are: a length that is too short, a path without its checksum, flags that nobody knows. Each is shown with what can be
//! believed of it.

use core::fmt;

use crate::bootparam::{BootParams, EddDeviceParams, EddInfo};
use crate::checksum::sum;
use crate::text::Lossy;
use crate::wire::Wire;

/// One disk of the BIOS, as `/sys/firmware/edd` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What the BIOS said.
    pub info: EddInfo,
    /// The signature in its first sector, if the boot loader has read it.
    pub mbr_signature: Option<u32>,
}

/// The BIOS' number of its first hard disk.
const FIRST_DISK: u8 = 0x80;
/// What `key` must be where there is a path to the device.
const PATH_KEY: u16 = 0xbedd;
/// Bytes of an answer that has no path.
const WITHOUT_PATH: u16 = 26;
/// Bytes of one that has, up to its checksum.
const WITH_PATH: u16 = 74;

/// The disks that the BIOS has told of.
pub fn disks(params: &BootParams) -> impl Iterator<Item = Disk> + '_ {
    params.eddbuf().map(|info| {
        let place = info.device.checked_sub(FIRST_DISK).map(usize::from);
        Disk {
            info,
            mbr_signature: place.and_then(|place| params.edd_mbr_sig_buffer().nth(place)),
        }
    })
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskError {
    /// It is shorter than any answer.
    Length(u16),
    /// Its path does not add up to 0, but to this.
    Checksum(u8),
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "answer of {length} bytes is shorter than {WITHOUT_PATH}"),
            Self::Checksum(sum) => write!(f, "bytes of the device path add up to {sum:#04x} instead of 0"),
        }
    }
}

impl core::error::Error for DiskError {}

/// Where a disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    bus: [u8; 4],
    interface: [u8; 8],
    interface_path: [u8; 8],
    device_path: [u8; 16],
}

impl Disk {
    /// Checks what the BIOS said of the disk's size, on which the sizes below depend.
    ///
    /// # Errors
    ///
    /// If it is cut short.
    pub fn check(&self) -> Result<(), DiskError> {
        let length = self.info.params.length;
        if length < WITHOUT_PATH {
            Err(DiskError::Length(length))
        } else {
            Ok(())
        }
    }

    /// Its sectors, and the bytes of one.
    #[must_use]
    pub fn size(&self) -> (u64, u16) {
        (self.info.params.number_of_sectors, self.info.params.bytes_per_sector)
    }

    /// Where it is; none if the BIOS does not say.
    ///
    /// # Errors
    ///
    /// If what it says is damaged.
    pub fn path(&self) -> Result<Option<Path>, DiskError> {
        let params = self.info.params;
        if params.length < WITH_PATH || params.key != PATH_KEY {
            return Ok(None);
        }
        let mut bytes = [0; EddDeviceParams::SIZE];
        if params.write(&mut bytes).is_none() {
            unreachable!()
        }
        // Fields that nobody uses are no part of `params`: the BIOS must leave them 0.
        match sum(&bytes[0x1e..]) {
            0 => Ok(Some(Path {
                bus: params.host_bus_type,
                interface: params.interface_type,
                interface_path: params.interface_path,
                device_path: params.device_path,
            })),
            wrong => Err(DiskError::Checksum(wrong)),
        }
    }
}

/// As the files of `/sys/firmware/edd` have it: bus and interface, each with its place.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Lossy(self.bus.trim_ascii()))?;
        let [bus, device, function, channel, ..] = self.interface_path;
        match self.bus.trim_ascii() {
            b"PCI" => write!(f, " {bus:02x}:{device:02x}.{function} channel: {channel}")?,
            b"ISA" => write!(f, " base_address: {:x}", u16::from_le_bytes([bus, device]))?,
            _ => {}
        }
        write!(f, " {}", Lossy(self.interface.trim_ascii()))?;
        match self.interface.trim_ascii() {
            b"ATA" => write!(f, " device: {}", self.device_path[0]),
            b"ATAPI" => write!(f, " device: {} lun: {}", self.device_path[0], self.device_path[1]),
            b"SCSI" => {
                let lun = self.device_path[2..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
                let id = u16::from_le_bytes([self.device_path[0], self.device_path[1]]);
                write!(f, " id: {id} lun: {lun}")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;

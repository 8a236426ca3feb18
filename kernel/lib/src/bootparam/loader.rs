//! Who loaded the kernel, from the header's `type_of_loader` and its extension fields.

use super::SetupHeader;
use core::fmt;

/// A boot loader's identity, as `/proc/sys/kernel/bootloader_type` and `bootloader_version` show
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loader {
    /// Assigned number; 0x10 and up are extended numbers.
    pub id: u16,
    /// The version that the loader gives itself.
    pub version: u16,
}

impl Loader {
    /// Decodes the header: number 0xe in `type_of_loader` means that the number is
    /// `ext_loader_type + 0x10`; `ext_loader_ver` extends the version's four bits.
    pub const fn of(hdr: &SetupHeader) -> Self {
        let (base, low_version) = (hdr.type_of_loader >> 4, hdr.type_of_loader & 0xf);
        let id = match base {
            0xe => hdr.ext_loader_type as u16 + 0x10,
            base => base as u16,
        };
        Self {
            id,
            version: (hdr.ext_loader_ver as u16) << 4 | low_version as u16,
        }
    }

    /// `bootloader_type` as Linux prints it: the number, then the version's lowest four bits.
    pub const fn type_code(&self) -> u32 {
        (self.id as u32) << 4 | (self.version & 0xf) as u32
    }

    /// The name behind the number, if it is assigned. Version 1 of number 2, which was a boot sector's, is what Linux's EFI stub calls itself, and so does ours.
    pub const fn name(&self) -> Option<&'static str> {
        Some(match self.id {
            0x00 => "LILO",
            0x01 => "Loadlin",
            0x02 if self.version == 1 => "EFI stub",
            0x02 => "bootsect-loader",
            0x03 => "Syslinux",
            0x04 => "Etherboot/gPXE/iPXE",
            0x05 => "ELILO",
            0x07 => "GRUB",
            0x08 => "U-Boot",
            0x09 => "Xen",
            0x0a => "Gujin",
            0x0b => "QEMU",
            0x0c => "Arcturus Networks uCbootloader",
            0x0d => "kexec-tools",
            0x0f => "unassigned",
            0x11 => "Minimal Linux Bootloader",
            0x12 => "OVMF",
            0x13 => "barebox",
            _ => return None,
        })
    }
}

impl fmt::Display for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({:#x}, version {:#x})", self.id, self.version),
            None => write!(f, "loader {:#x}, version {:#x}", self.id, self.version),
        }
    }
}

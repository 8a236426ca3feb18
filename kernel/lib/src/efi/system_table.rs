//! The system table, and the tables that it lists by their GUIDs.

use super::load_options::characters;
use crate::wire::{Wire, wire};
use core::fmt;
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

wire! {
    /// `EFI_SYSTEM_TABLE` of 64-bit firmware.
    pub struct SystemTable[120] {
        /// [`SystemTable::SIGNATURE`].
        signature: u64 => 0x00,
        /// Version of the specification: major in the upper half, ten times the minor and the patch in the lower.
        revision: u32 => 0x08,
        /// Size of the table.
        header_size: u32 => 0x0c,
        /// Makes the table's checksum right.
        crc32: u32 => 0x10,
        /// Address of the vendor's name in UTF-16.
        firmware_vendor: u64 => 0x18,
        /// The vendor's number for this firmware.
        firmware_revision: u32 => 0x20,
        /// Address of the table of the services that stay.
        runtime_services: u64 => 0x58,
        /// How many tables are listed.
        table_entries: u64 => 0x68,
        /// Address of the list.
        tables: u64 => 0x70,
    }
}

/// Why a system table cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemTableError {
    /// It is not in memory that can be read.
    Unmapped {
        /// Where it should be.
        phys: u64,
    },
    /// It begins with something else than [`SystemTable::SIGNATURE`].
    BadSignature {
        /// With what.
        signature: u64,
    },
    /// It claims to be shorter than it must be, or longer than it can be.
    BadSize {
        /// Its size, as claimed.
        size: u32,
    },
    /// Its checksum is not that of its content.
    BadChecksum,
}

impl fmt::Display for SystemTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmapped { phys } => write!(f, "efi: the system table at {phys:#x} is out of reach"),
            Self::BadSignature { signature } => write!(f, "efi: System table signature incorrect! ({signature:#018x})"),
            Self::BadSize { size } => write!(f, "efi: a system table of {size} bytes cannot be"),
            Self::BadChecksum => f.write_str("efi: the system table's checksum is wrong"),
        }
    }
}

impl core::error::Error for SystemTableError {}

impl SystemTable {
    /// `IBI SYST`.
    pub const SIGNATURE: u64 = u64::from_le_bytes(*b"IBI SYST");

    /// The largest size that is believed.
    const SIZE_MAX: u32 = 4096;

    /// Most listed tables that are looked at: real firmware has about a dozen.
    pub const TABLES_MAX: usize = 256;

    /// Reads the table at physical address `phys`. `map(phys, len)` gives access to memory, or `None` where there is none that may be read.
    ///
    /// # Errors
    ///
    /// If there is none, or it is damaged.
    pub fn find<'a>(phys: u64, mut map: impl FnMut(u64, usize) -> Option<&'a [u8]>) -> Result<Self, SystemTableError> {
        let unmapped = SystemTableError::Unmapped { phys };
        let table = map(phys, Self::SIZE).and_then(Self::read).ok_or(unmapped)?;
        if table.signature != Self::SIGNATURE {
            return Err(SystemTableError::BadSignature {
                signature: table.signature,
            });
        }
        let size = table.header_size;
        if (size as usize) < Self::SIZE || size > Self::SIZE_MAX {
            return Err(SystemTableError::BadSize { size });
        }
        let whole = map(phys, size as usize)
            .filter(|bytes| bytes.len() == size as usize)
            .ok_or(unmapped)?;
        let crc = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);
        let mut digest = crc.digest();
        digest.update(&whole[..0x10]);
        digest.update(&[0; 4]);
        digest.update(&whole[0x14..]);
        if digest.finalize() != table.crc32 {
            return Err(SystemTableError::BadChecksum);
        }
        Ok(table)
    }

    /// The vendor's name, of which at most 100 characters count; `None` if it cannot be read.
    pub fn vendor<'a>(&self, mut map: impl FnMut(u64, usize) -> Option<&'a [u8]>) -> Option<Vendor<'a>> {
        const LENGTH_MAX: usize = 100;
        map(self.firmware_vendor, 2 * LENGTH_MAX).map(Vendor)
    }

    /// The tables that it lists. A list that is out of reach is an empty one.
    pub fn configuration<'a>(&self, mut map: impl FnMut(u64, usize) -> Option<&'a [u8]>) -> Configuration<'a> {
        let count = usize::try_from(self.table_entries).unwrap_or(usize::MAX).min(Self::TABLES_MAX);
        Configuration(map(self.tables, count * ConfigurationTable::SIZE).unwrap_or(&[]))
    }
}

/// The tables that a system table lists.
#[derive(Clone, Copy, Debug, Default)]
pub struct Configuration<'a>(&'a [u8]);

impl<'a> Configuration<'a> {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = ConfigurationTable> + use<'a> {
        self.0.chunks_exact(ConfigurationTable::SIZE).filter_map(ConfigurationTable::read)
    }

    /// Address of the first table of this kind.
    pub fn find(&self, guid: Guid) -> Option<u64> {
        self.iter().find(|table| table.guid == guid).map(|table| table.table)
    }

    /// Address of ACPI's root pointer, the newer one if there are two.
    pub fn rsdp(&self) -> Option<u64> {
        self.find(Guid::ACPI_20).or_else(|| self.find(Guid::ACPI))
    }
}

/// The version as Linux 6.1 shows it: `v2.70`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision(pub u32);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{:02}", self.0 >> 16, self.0 & 0xffff)
    }
}

/// A vendor's name.
#[derive(Clone, Copy, Debug)]
pub struct Vendor<'a>(&'a [u8]);

impl fmt::Display for Vendor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.0.chunks_exact(2).filter_map(u16::read);
        characters(units).try_for_each(|character| write!(f, "{character}"))
    }
}

/// A GUID as it lies in memory.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// From the parts of its usual notation.
    const fn new(first: u32, second: u16, third: u16, rest: [u8; 8]) -> Self {
        let mut bytes = [0; 16];
        bytes.split_at_mut(4).0.copy_from_slice(&first.to_le_bytes());
        bytes.split_at_mut(4).1.split_at_mut(2).0.copy_from_slice(&second.to_le_bytes());
        bytes.split_at_mut(6).1.split_at_mut(2).0.copy_from_slice(&third.to_le_bytes());
        bytes.split_at_mut(8).1.copy_from_slice(&rest);
        Self(bytes)
    }

    /// ACPI's root pointer from ACPI 2.0 on.
    pub const ACPI_20: Self = Self::new(0x8868_e871, 0xe4f1, 0x11d3, [0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81]);

    /// ACPI's root pointer before.
    pub const ACPI: Self = Self::new(0xeb9d_2d30, 0x2d88, 0x11d3, [0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d]);

    /// SMBIOS's entry point.
    pub const SMBIOS: Self = Self::new(0xeb9d_2d31, 0x2d88, 0x11d3, [0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d]);

    /// SMBIOS's entry point from SMBIOS 3.0 on.
    pub const SMBIOS3: Self = Self::new(0xf2fd_1544, 0x9794, 0x4a2c, [0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94]);

    /// The attributes of the memory that the run-time services use.
    pub const MEMORY_ATTRIBUTES: Self = Self::new(0xdcfa_911d, 0x26eb, 0x469f, [0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20]);

    /// What Linux calls the table in the log; `None` for those that it does not name.
    pub const fn name(self) -> Option<&'static str> {
        const NAMES: [(Guid, &str); 5] = [
            (Guid::ACPI_20, "ACPI 2.0"),
            (Guid::ACPI, "ACPI"),
            (Guid::SMBIOS, "SMBIOS"),
            (Guid::SMBIOS3, "SMBIOS 3.0"),
            (Guid::MEMORY_ATTRIBUTES, "MEMATTR"),
        ];
        let mut at = 0;
        while at < NAMES.len() {
            if u128::from_le_bytes(NAMES[at].0.0) == u128::from_le_bytes(self.0) {
                return Some(NAMES[at].1);
            }
            at += 1;
        }
        None
    }
}

impl Wire for Guid {
    const SIZE: usize = 16;

    fn read(bytes: &[u8]) -> Option<Self> {
        Wire::read(bytes).map(Self)
    }

    fn write(&self, bytes: &mut [u8]) -> Option<()> {
        self.0.write(bytes)
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f0, g, h, rest @ ..] = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:02x}{:02x}-",
            u32::from_le_bytes([a, b, c, d]),
            u16::from_le_bytes([e, f0]),
            u16::from_le_bytes([g, h]),
            rest[0],
            rest[1]
        )?;
        rest[2..].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

wire! {
    /// A table that the system table lists.
    pub struct ConfigurationTable[24] {
        /// What it is.
        guid: Guid => 0x00,
        /// Its address.
        table: u64 => 0x10,
    }
}

/// The table as the log shows it: `ACPI 2.0=0x1f77d014`.
impl fmt::Display for ConfigurationTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.guid.name() {
            Some(name) => write!(f, "{name}={:#x}", self.table),
            None => write!(f, "{:?}={:#x}", self.guid, self.table),
        }
    }
}

//! The memory map: descriptors of a size that the firmware chooses, so that later versions can be longer.

use crate::e820::{E820Entry, E820Type};
use crate::wire::{Wire, wire};
use core::fmt;

/// What a range is for (`EFI_MEMORY_TYPE`). Any number may come from firmware.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemoryType(pub u32);

/// The types that have names: number, constant, and the name in the log, which is Linux's.
macro_rules! types {
    ($($(#[$meta:meta])* $name:ident = $number:literal $text:literal,)*) => {
        impl MemoryType {
            $($(#[$meta])* pub const $name: Self = Self($number);)*

            /// The name in the log, where the type has one.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

types! {
    /// Not to be used.
    RESERVED = 0 "Reserved",
    /// The code of a running boot loader; free when it is done.
    LOADER_CODE = 1 "Loader Code",
    /// Its data.
    LOADER_DATA = 2 "Loader Data",
    /// Code of the services that end with `ExitBootServices`.
    BOOT_SERVICES_CODE = 3 "Boot Code",
    /// Their data.
    BOOT_SERVICES_DATA = 4 "Boot Data",
    /// Code of the services that stay.
    RUNTIME_SERVICES_CODE = 5 "Runtime Code",
    /// Their data.
    RUNTIME_SERVICES_DATA = 6 "Runtime Data",
    /// Free memory.
    CONVENTIONAL = 7 "Conventional",
    /// Memory found faulty.
    UNUSABLE = 8 "Unusable",
    /// ACPI tables; free once they have been read.
    ACPI_RECLAIM = 9 "ACPI Reclaim",
    /// ACPI memory to be kept across sleep.
    ACPI_NVS = 10 "ACPI Mem NVS",
    /// Registers that the run-time services want mapped.
    MMIO = 11 "MMIO",
    /// Ports that are memory.
    MMIO_PORT = 12 "MMIO Port",
    /// Code of the processor's own firmware.
    PAL_CODE = 13 "PAL Code",
    /// Persistent memory.
    PERSISTENT = 14 "Persistent",
    /// Memory that must be accepted before its use, in a confidential guest.
    UNACCEPTED = 15 "Unaccepted",
}

impl MemoryType {
    /// What the range is in the kernel's memory map once the boot services have ended; `None` for what is no memory at all. `special` is the attribute
    /// [`MemoryDescriptor::SP`].
    ///
    /// This is Linux's mapping (`setup_e820` of its EFI stub).
    pub const fn e820(self, special: bool) -> Option<E820Type> {
        Some(match self {
            Self::RESERVED | Self::RUNTIME_SERVICES_CODE | Self::RUNTIME_SERVICES_DATA | Self::MMIO | Self::MMIO_PORT | Self::PAL_CODE => {
                E820Type::RESERVED
            }
            Self::LOADER_CODE | Self::LOADER_DATA | Self::BOOT_SERVICES_CODE | Self::BOOT_SERVICES_DATA | Self::CONVENTIONAL => {
                if special {
                    E820Type::SOFT_RESERVED
                } else {
                    E820Type::RAM
                }
            }
            Self::UNUSABLE => E820Type::UNUSABLE,
            Self::ACPI_RECLAIM => E820Type::ACPI,
            Self::ACPI_NVS => E820Type::NVS,
            Self::PERSISTENT => E820Type::PMEM,
            _ => return None,
        })
    }

    /// Whether the range is the kernel's to use once the boot services have ended.
    pub const fn is_free_after_exit(self) -> bool {
        matches!(self.e820(false), Some(E820Type::RAM))
    }
}

impl Wire for MemoryType {
    const SIZE: usize = 4;

    fn read(bytes: &[u8]) -> Option<Self> {
        u32::read(bytes).map(Self)
    }

    fn write(&self, bytes: &mut [u8]) -> Option<()> {
        self.0.write(bytes)
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "type={}", self.0),
        }
    }
}

impl fmt::Debug for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

wire! {
    /// One range (`EFI_MEMORY_DESCRIPTOR`, version 1).
    pub struct MemoryDescriptor[40] {
        /// What it is for.
        kind: MemoryType => 0,
        /// Physical address of its first byte, a multiple of 4 KiB.
        phys_addr: u64 => 8,
        /// Where the run-time services expect it; 0 until somebody tells them.
        virt_addr: u64 => 16,
        /// Its size in pages of 4 KiB.
        num_pages: u64 => 24,
        /// What it can do and must have: [`RUNTIME`](Self::RUNTIME), [`SP`](Self::SP), caching.
        attribute: u64 => 32,
    }
}

impl MemoryDescriptor {
    /// `EFI_MEMORY_RUNTIME`: the run-time services need it mapped.
    pub const RUNTIME: u64 = 1 << 63;

    /// `EFI_MEMORY_SP`: set aside for a specific purpose.
    pub const SP: u64 = 1 << 18;

    /// Bytes in a page of the map, whatever pages the processor uses.
    pub const PAGE: u64 = 4096;

    /// Its size in bytes; `None` if it is empty or reaches beyond the address space.
    pub const fn size(&self) -> Option<u64> {
        match self.num_pages.checked_mul(Self::PAGE) {
            Some(size @ 1..) if self.phys_addr.checked_add(size - 1).is_some() => Some(size),
            _ => None,
        }
    }

    /// The byte behind the last; `None` if there is none.
    pub const fn end(&self) -> Option<u64> {
        match self.size() {
            Some(size) => self.phys_addr.checked_add(size),
            None => None,
        }
    }

    /// Whether the run-time services need it mapped.
    pub const fn is_runtime(&self) -> bool {
        self.attribute & Self::RUNTIME != 0
    }

    /// As an entry of the kernel's memory map; `None` if it is no memory, is empty, or reaches to the end of the address space.
    pub const fn e820(&self) -> Option<E820Entry> {
        match (self.kind.e820(self.attribute & Self::SP != 0), self.end()) {
            (Some(kind), Some(end)) => Some(E820Entry {
                addr: self.phys_addr,
                size: end - self.phys_addr,
                kind,
            }),
            _ => None,
        }
    }
}

/// The range as Linux shows it with `efi=debug`, without the attributes.
impl fmt::Display for MemoryDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.phys_addr.wrapping_add(self.num_pages.wrapping_mul(Self::PAGE)).wrapping_sub(1);
        write!(
            f,
            "[{:<13}|{}] range=[{:#018x}-{last:#018x}]",
            self.kind,
            if self.is_runtime() { "RUN" } else { "   " },
            self.phys_addr
        )
    }
}

/// Why a memory map cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryMapError {
    /// A descriptor of this many bytes is shorter than version 1's 40.
    ShortDescriptor(u32),
    /// Less than one descriptor.
    Empty,
}

impl fmt::Display for MemoryMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortDescriptor(size) => write!(f, "efi: memory map with descriptors of {size} bytes, shorter than 40"),
            Self::Empty => f.write_str("efi: memory map without a descriptor"),
        }
    }
}

impl core::error::Error for MemoryMapError {}

/// A memory map as the firmware wrote it.
#[derive(Clone, Copy, Debug)]
pub struct MemoryMap<'a> {
    bytes: &'a [u8],
    descriptor_size: usize,
}

impl<'a> MemoryMap<'a> {
    /// The map in `bytes`, each descriptor of which takes `descriptor_size` bytes. A last one that is cut short is left out.
    ///
    /// # Errors
    ///
    /// If there is no whole descriptor in it.
    pub fn new(bytes: &'a [u8], descriptor_size: u32) -> Result<Self, MemoryMapError> {
        let size = descriptor_size as usize;
        if size < MemoryDescriptor::SIZE {
            return Err(MemoryMapError::ShortDescriptor(descriptor_size));
        }
        if bytes.len() < size {
            return Err(MemoryMapError::Empty);
        }
        Ok(Self {
            bytes,
            descriptor_size: size,
        })
    }

    /// The descriptors in the firmware's order, which need not be that of addresses; some may overlap.
    pub fn descriptors(&self) -> impl ExactSizeIterator<Item = MemoryDescriptor> + Clone + use<'a> {
        let read = |bytes: &[u8]| MemoryDescriptor::read(bytes).unwrap_or_default();
        self.bytes.chunks_exact(self.descriptor_size).map(read)
    }

    /// The map as entries of the kernel's own, neighbours of one type joined: firmware tells many kinds of memory apart that are all one to the kernel.
    pub fn e820(&self) -> impl Iterator<Item = E820Entry> + use<'a> {
        let mut entries = self.descriptors().filter_map(|descriptor| descriptor.e820()).peekable();
        core::iter::from_fn(move || {
            let mut entry = entries.next()?;
            while let Some(next) = entries.next_if(|next| next.kind == entry.kind && entry.end() == Some(next.addr)) {
                entry.size += next.size;
            }
            Some(entry)
        })
    }
}

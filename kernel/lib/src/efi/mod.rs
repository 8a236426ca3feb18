//! What EFI firmware leaves in memory for a kernel: its memory map, and its table of tables.
//!
//! Layout from the UEFI specification 2.10, chapters 4 and 7. Everything here is read through the caller's mapping and believed in nothing: a descriptor may be
//! of any size, a range may wrap around, a table may claim any length.

mod graphics;
pub mod load_options;
mod memory_map;
mod system_table;

pub use graphics::{GraphicsMode, PixelFormat};
pub use memory_map::{MemoryDescriptor, MemoryMap, MemoryMapError, MemoryType};

pub use system_table::{Configuration, ConfigurationTable, Guid, Revision, SystemTable, SystemTableError, Vendor};

/// What the EFI stub of a bzImage leaves in rbp when it enters the kernel by the 64-bit way in, where the boot protocol asks for nothing: "EFI stub".
pub const STUB_MARK: u64 = u64::from_le_bytes(*b"EFI stub");

#[cfg(test)]
mod tests;

//! What EFI firmware leaves in memory for a kernel: its memory map, and its table of tables.
//!
//! Layout from the UEFI specification 2.10, chapters 4 and 7. Everything here is read through the caller's mapping and believed in nothing: a descriptor may be
//! of any size, a range may wrap around, a table may claim any length.

mod memory_map;

pub use memory_map::{MemoryDescriptor, MemoryMap, MemoryMapError, MemoryType};

#[cfg(test)]
mod tests;

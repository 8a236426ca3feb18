//! The allocator of early boot: which memory there is, and which of it is taken.
//!
//! Two sorted lists of ranges, `memory` and `reserved`; what is in the first and not in the second
//! is free (Linux's `mm/memblock.c`). Addresses are plain numbers: nothing here touches memory.
//! An operation that finds no slot left in a list changes nothing and says so; then the list can be
//! [doubled](Memblock::double), in memory that memblock itself gives, and the operation repeated.

mod alloc;
mod double;
mod dump;
mod regions;

pub use alloc::FreeRanges;
pub use double::Doubled;
pub use dump::DumpLine;
pub use regions::{Region, RegionFlags, Regions};

use crate::errno::Errno;
use core::fmt;

/// One of the two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// What is memory.
    Memory,
    /// What is taken.
    Reserved,
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Reserved => "reserved",
        })
    }
}

/// Why an operation was refused; nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemblockError {
    /// The list named has no slot left for another region.
    Full(List),
    /// No free range holds the size with the alignment within the limits.
    NoMemory {
        /// The size asked for.
        size: u64,
        /// Its alignment.
        align: u64,
    },
    /// A size of 0, or an alignment that is no power of two.
    BadRequest {
        /// The size asked for.
        size: u64,
        /// Its alignment.
        align: u64,
    },
}

impl fmt::Display for MemblockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(list) => write!(f, "memblock: no slot left in the list of {list}"),
            Self::NoMemory { size, align } => {
                write!(f, "memblock: no free range of {size:#x} bytes, aligned to {align:#x}")
            }
            Self::BadRequest { size, align } => {
                write!(f, "memblock: cannot allocate {size:#x} bytes, aligned to {align:#x}")
            }
        }
    }
}

impl core::error::Error for MemblockError {}

impl From<MemblockError> for Errno {
    fn from(error: MemblockError) -> Errno {
        match error {
            MemblockError::Full(_) | MemblockError::NoMemory { .. } => Errno::ENOMEM,
            MemblockError::BadRequest { .. } => Errno::EINVAL,
        }
    }
}

/// Memory and reservations, at first no more than `N` regions of each. Every address is physical, every size in
/// bytes; a range that would pass 2^64 − 1 ends there (`memblock_cap_size`), and one of size 0 is
/// nothing.
#[derive(Debug)]
pub struct Memblock<const N: usize> {
    memory: Regions<N>,
    reserved: Regions<N>,
    bottom_up: Option<u64>,
    spare_hotplug: bool,
    current_limit: u64,
}

impl<const N: usize> Memblock<N> {
    /// No memory yet; allocation goes top-down and has no limit.
    pub const fn new() -> Self {
        Self {
            memory: Regions::new(List::Memory),
            reserved: Regions::new(List::Reserved),
            bottom_up: None,
            spare_hotplug: false,
            current_limit: u64::MAX,
        }
    }

    /// The memory there is.
    pub fn memory(&self) -> &Regions<N> {
        &self.memory
    }

    /// What is taken, be there memory or not.
    pub fn reserved(&self) -> &Regions<N> {
        &self.reserved
    }

    /// Adds memory (`memblock_add`). What is there already stays as it is.
    ///
    /// # Errors
    ///
    /// [`MemblockError::Full`].
    pub fn add(&mut self, base: u64, size: u64) -> Result<(), MemblockError> {
        self.memory.add(base, size, RegionFlags::NONE)
    }

    /// Takes memory away (`memblock_remove`).
    ///
    /// # Errors
    ///
    /// [`MemblockError::Full`], as a hole needs a slot.
    pub fn remove(&mut self, base: u64, size: u64) -> Result<(), MemblockError> {
        self.memory.remove(base, size)
    }

    /// Reserves a range, free or not, memory or not (`memblock_reserve`).
    ///
    /// # Errors
    ///
    /// [`MemblockError::Full`].
    pub fn reserve(&mut self, base: u64, size: u64) -> Result<(), MemblockError> {
        self.reserved.add(base, size, RegionFlags::NONE)
    }

    /// Gives a range back, reserved or not (`memblock_phys_free`).
    ///
    /// # Errors
    ///
    /// [`MemblockError::Full`], as a hole needs a slot.
    pub fn free(&mut self, base: u64, size: u64) -> Result<(), MemblockError> {
        self.reserved.remove(base, size)
    }

    /// Sets or clears flags of the memory in a range (`memblock_mark_nomap` and its kin).
    ///
    /// # Errors
    ///
    /// [`MemblockError::Full`], as splitting a region needs a slot.
    pub fn mark(&mut self, base: u64, size: u64, flags: RegionFlags, set: bool) -> Result<(), MemblockError> {
        self.memory.mark(base, size, flags, set)
    }

    /// Says that the memory in a range belongs to node `nid` (`memblock_set_node`).
    ///
    /// # Errors
    ///
    /// [`MemblockError::Full`], as splitting a region needs a slot.
    pub fn set_node(&mut self, base: u64, size: u64, nid: usize) -> Result<(), MemblockError> {
        self.memory.set_node(base, size, nid)
    }

    /// Takes away all memory from the address on at which `limit` bytes have been counted
    /// (`memblock_enforce_memory_limit`).
    pub fn enforce_memory_limit(&mut self, limit: u64) {
        let mut left = limit;
        let end = self.memory.iter().find_map(|region| {
            let end = (left <= region.size).then_some(region.base + left);
            left = left.saturating_sub(region.size);
            end
        });
        if let Some(end) = end {
            self.memory.truncate(end);
            self.reserved.truncate(end);
        }
    }

    /// Whether the address is memory.
    pub fn is_memory(&self, addr: u64) -> bool {
        self.memory.find(addr).is_some()
    }

    /// Whether the address is reserved.
    pub fn is_reserved(&self, addr: u64) -> bool {
        self.reserved.find(addr).is_some()
    }

    /// Whether all of the range is memory (`memblock_is_region_memory`).
    pub fn is_region_memory(&self, base: u64, size: u64) -> bool {
        self.memory.covers(base, size)
    }

    /// Whether any of the range is reserved (`memblock_is_region_reserved`).
    pub fn is_region_reserved(&self, base: u64, size: u64) -> bool {
        self.reserved.overlaps(base, size)
    }

    /// The lowest address of memory, 0 without any.
    pub fn start_of_dram(&self) -> u64 {
        self.memory.iter().next().map_or(0, |region| region.base)
    }

    /// The first address past all memory, 0 without any.
    pub fn end_of_dram(&self) -> u64 {
        self.memory.iter().last().map_or(0, |region| region.end())
    }

    /// Allocates upwards from now on, as near above this address as there is room and below it only if there is none above; or downwards from the
    /// highest address, as at first (`memblock_set_bottom_up`).
    pub fn set_bottom_up(&mut self, from: Option<u64>) {
        self.bottom_up = from;
    }

    /// From where on allocation goes upwards, if it does.
    pub fn bottom_up(&self) -> Option<u64> {
        self.bottom_up
    }

    /// Allocates nothing of what can be unplugged ([`RegionFlags::HOTPLUG`]) from now on: what the kernel allocates stays where it is.
    pub fn spare_hotplug(&mut self) {
        self.spare_hotplug = true;
    }

    /// Allocates only below `limit` from now on: what is mapped (`memblock_set_current_limit`).
    pub fn set_current_limit(&mut self, limit: u64) {
        self.current_limit = limit;
    }

    /// The limit below which memory is allocated.
    pub fn current_limit(&self) -> u64 {
        self.current_limit
    }
}

impl<const N: usize> Default for Memblock<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;

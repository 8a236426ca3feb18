//! Addresses for what is no RAM of the kernel's: the areas of `ioremap`.

use core::ptr::NonNull;

use super::areas::{self, Area, VmFlags};
use super::memory::{abandon, remove};
use super::reserve;
use crate::arch::x86::mm::kernel_map;
use crate::arch::x86::mm::pgtable::{Flags, Level};
use crate::mm::PAGE_SIZE;
use crate::prelude::*;

/// Gives the `size` bytes at physical address `phys`, both multiples of a page, addresses: for `ioremap`.
///
/// # Errors
///
/// `ENOMEM`.
///
/// # Safety
///
/// The caller must be allowed to have the memory used in the way of `flags`.
pub(crate) unsafe fn map_phys(phys: u64, size: usize, flags: Flags, caller: usize) -> Result<NonNull<u8>, Errno> {
    let huge = size >= Level::Pmd.size();
    let align = if huge { Level::Pmd.size() } else { PAGE_SIZE };
    let area = Area::new(VmFlags::IOREMAP, caller).at(phys);
    // As far into a large page as the memory is, so that large pages fit.
    let skipped = phys as usize & (align - 1);
    let range = reserve(skipped + size, align, area)?;
    let first = range.start + skipped;
    // SAFETY: the addresses were just taken; the caller vouches for the memory.
    if let Err(error) = unsafe { kernel_map::map_range(first, phys, size, flags, huge) } {
        // SAFETY: nobody was told of the addresses.
        unsafe { abandon(range.start, false) };
        return Err(error);
    }
    NonNull::new(core::ptr::with_exposed_provenance_mut(first)).ok_or(Errno::ENOMEM)
}

/// Takes the addresses back that [`map_phys`] gave.
///
/// # Safety
///
/// Nobody may use the addresses any more.
pub(crate) unsafe fn unmap_phys(address: usize) {
    let start = areas::start_of(address).unwrap_or(address);
    // SAFETY: passed on.
    let removed = unsafe { remove(start, VmFlags::IOREMAP) };
    warn_on!(removed.is_err(), "Trying to iounmap() nonexistent vm area ({address:016x})");
}

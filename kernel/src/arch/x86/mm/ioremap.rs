//! Reaching physical memory that is not RAM of ours: firmware's tables, ROMs, device registers, framebuffers.
//!
//! [`memremap`] is for what lies still and is only read; [`ioremap`] for what answers. Both work from the first early parameter on, in a window of the image's
//! ([`fixmap`]), later in the space of [`vmalloc`], and what they give stays valid when the page tables change. No driver builds page tables or reads through the direct map what is not RAM.

use core::ops::{Deref, Range};
use core::slice;

use super::fixmap;
use super::init::init_pgd;
use super::leaves::leaves;
use super::pat;
use super::pgtable::Flags;
use crate::arch::x86::cpu::boot_cpu;
use crate::arch::x86::dumpstack;
use crate::mm::{PAGE_SIZE, memblock, phys_to_virt, vmalloc};
use crate::prelude::*;

/// How the processor may hold back and put together what is written to, and read ahead from, a device (SDM 3, 12.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheMode {
    /// Every access reaches the device, in order: registers. Linux's `ioremap`.
    Uncached,
    /// Writes are put together and may be late: framebuffers. Linux's `ioremap_wc`.
    WriteCombining,
    /// Like RAM. Linux's `ioremap_cache`.
    WriteBack,
}

impl CacheMode {
    /// The flags by which an entry of a page table says so, with the types that [`super::pat`] gives their numbers; with those of a processor's start,
    /// write combining is write through, and uncached if it is to stay so.
    fn flags(self) -> Flags {
        match self {
            CacheMode::Uncached => Flags::PWT.union(Flags::PCD),
            CacheMode::WriteCombining if pat::is_disabled() => Flags::PCD,
            CacheMode::WriteCombining => Flags::PWT,
            CacheMode::WriteBack => Flags::empty(),
        }
    }
}

/// Addresses that lead somewhere for as long as this lives.
enum Area {
    /// Of the window.
    Early(Range<usize>),
    /// Of the space for areas.
    Vmalloc(usize),
}

impl Area {
    /// Maps the whole pages that the `len` bytes at `phys` touch, and gives the address of the first byte, too.
    fn map(phys: u64, len: usize, flags: Flags, caller: usize) -> Result<(Area, *mut u8), Errno> {
        let page = PAGE_SIZE as u64;
        let start = phys / page * page;
        let end = phys.checked_add(len as u64).and_then(|end| end.checked_next_multiple_of(page));
        let end = end
            .filter(|&end| len != 0 && end <= 1 << boot_cpu().phys_bits)
            .ok_or(Errno::EINVAL)?;
        let (size, inside) = ((end - start) as usize, (phys - start) as usize);
        if vmalloc::is_available() {
            // SAFETY: who may use memory, and how, has been looked into by the callers of this.
            let memory = unsafe { vmalloc::map_phys(start, size, flags, caller)? };
            return Ok((Area::Vmalloc(memory.addr().get()), memory.as_ptr().wrapping_add(inside)));
        }
        let area = fixmap::map(start, size, flags)?;
        let first = core::ptr::with_exposed_provenance_mut(area.start + inside);
        Ok((Area::Early(area), first))
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        // SAFETY: who drops this has given up the references that were made with it: they borrow from its owner.
        unsafe {
            match self {
                Area::Early(range) => fixmap::unmap(range),
                Area::Vmalloc(address) => vmalloc::unmap_phys(*address),
            }
        }
    }
}

/// Memory that somebody else filled and nobody changes: [`memremap`].
pub struct Memory {
    bytes: &'static [u8],
    /// What keeps the bytes mapped, unless the direct map does.
    area: Option<Area>,
}

impl Memory {
    /// The bytes, mapped for good.
    #[must_use]
    pub fn leak(self) -> &'static [u8] {
        core::mem::forget(self.area);
        self.bytes
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

/// Maps the `len` bytes at physical address `phys`, to be read: a table of the firmware, a ROM, or RAM. What is RAM is not mapped a second time.
///
/// Where there is nothing the bytes are all ones, or zeros. They must not be a device's registers, which may mind being read.
///
/// # Errors
///
/// `EINVAL` for no bytes, and for some that no physical address can reach; `ENOMEM` if there is no room ([`fixmap`]), or no memory.
#[inline(never)]
pub fn memremap(phys: u64, len: usize) -> Result<Memory, Errno> {
    if is_direct_mapped(phys, len) {
        // SAFETY: mapped by the final direct map, which takes nothing back from what lies outside of the image. Whoever reserved the range for firmware or a
        // loader keeps it from being written.
        let bytes = unsafe { slice::from_raw_parts(phys_to_virt(phys), len) };
        return Ok(Memory { bytes, area: None });
    }
    let (area, first) = Area::map(phys, len, Flags::READ_ONLY, dumpstack::return_address())?;
    // SAFETY: mapped, for as long as the area lives; `Memory` lends the bytes only while it does, or for ever when the area is never dropped. Nobody
    // writes to what firmware left.
    let bytes = unsafe { slice::from_raw_parts(first, len) };
    Ok(Memory { bytes, area: Some(area) })
}

/// Whether the final direct map has all of the bytes.
fn is_direct_mapped(phys: u64, len: usize) -> bool {
    let in_reach = len != 0
        && phys
            .checked_add(len as u64)
            .is_some_and(|end| end <= crate::mm::address::DIRECT_MAP_SIZE);
    let start = phys_to_virt(phys).addr();
    init_pgd() != 0 && in_reach && leaves(start..start + len).all(|leaf| leaf.entry().is_present())
}

/// Registers or memory of a device: [`ioremap`].
pub struct IoMemory {
    first: *mut u8,
    len: usize,
    /// What keeps the bytes mapped.
    _area: Area,
}

// SAFETY: the addresses are the same on every CPU; accesses are volatile, and what a device makes of several at once is its driver's business.
unsafe impl Send for IoMemory {}
// SAFETY: as above.
unsafe impl Sync for IoMemory {}

impl IoMemory {
    /// The first byte's address, for who writes many bytes at once.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        self.first
    }

    /// Reads the register at `offset`, with one access of its size.
    ///
    /// # Panics
    ///
    /// If it is not aligned, or not all inside: which registers a device has is known when a driver is written.
    #[must_use]
    pub fn read<T: Register>(&self, offset: usize) -> T {
        // SAFETY: `register` gives a mapped, aligned address; any value is valid.
        unsafe { self.register::<T>(offset).read_volatile() }
    }

    /// Writes the register at `offset`, with one access of its size.
    ///
    /// # Panics
    ///
    /// As for [`read`](Self::read).
    pub fn write<T: Register>(&self, offset: usize, value: T) {
        // SAFETY: as for `read`; the memory is a device's, not Rust's.
        unsafe { self.register::<T>(offset).write_volatile(value) };
    }

    fn register<T: Register>(&self, offset: usize) -> *mut T {
        let register = self.first.wrapping_add(offset).cast::<T>();
        let inside = offset.checked_add(size_of::<T>()).is_some_and(|end| end <= self.len);
        assert!(
            inside && register.is_aligned(),
            "no register of {} bytes at {offset:#x}",
            size_of::<T>()
        );
        register
    }
}

/// What can be a register: a number that the processor reads and writes with one access.
pub trait Register: Copy + sealed::Number {}

impl<T: Copy + sealed::Number> Register for T {}

mod sealed {
    /// Numbers of which any bytes are a value.
    pub trait Number {}

    impl Number for u8 {}
    impl Number for u16 {}
    impl Number for u32 {}
    impl Number for u64 {}
}

/// Maps the `len` bytes at physical address `phys`, registers or memory of a device.
///
/// The mapping goes when the value is dropped; a driver keeps it for as long as it uses the device.
///
/// # Errors
///
/// `EINVAL` for no bytes, for some that no physical address can reach, and for RAM, which the kernel uses with another caching; `ENOMEM` as for [`memremap`].
#[inline(never)]
pub fn ioremap(phys: u64, len: usize, mode: CacheMode) -> Result<IoMemory, Errno> {
    let end = phys.checked_add(len as u64).ok_or(Errno::EINVAL)?;
    if memblock::memory().any(|ram| ram.base < end && phys < ram.end()) {
        pr_warn!("ioremap on RAM at {phys:#x} - {:#x}", end.saturating_sub(1));
        return Err(Errno::EINVAL);
    }
    let (area, first) = Area::map(phys, len, Flags::READ_WRITE | mode.flags(), dumpstack::return_address())?;
    Ok(IoMemory { first, len, _area: area })
}

mod tests;

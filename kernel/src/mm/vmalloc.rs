//! Memory that is contiguous at its addresses and need not be so physically, and addresses for memory that is there already: Linux's `vmalloc` and `vmap`.
//!
//! Each area has a page behind it that nothing is mapped at, so that who runs over its end faults. Areas are given back in two steps: what they lead to is
//! unmapped at once, and the addresses are used again only after the processor has been told to forget them, many areas at a time (`areas`).

mod areas;
mod info;
mod memory;
mod percpu;
mod phys;

use core::ptr::NonNull;

use incipit_lib::vmap::Request;

use super::page::{Page, page_to_phys, pfn_to_page};
use super::page_alloc::{self, PageAllocator};
use super::show_mem::warn_alloc;
use super::{Gfp, PAGE_SHIFT, PAGE_SIZE};
use crate::arch::x86::dumpstack;
use crate::arch::x86::mm::kernel_map;
use crate::arch::x86::mm::pgtable::{Flags, Level, lookup};
use crate::prelude::*;

use areas::{Area, Wrong};
pub use areas::{VmFlags, nr_pages, vm_unmap_aliases};
pub use info::vmallocinfo;
use memory::{abandon, populate, release, remove};
pub(crate) use percpu::{free_vm_areas, get_vm_areas, register_early};
pub(crate) use phys::{map_phys, unmap_phys};

/// Where the areas start: Linux's address for four-level page tables.
pub const VMALLOC_START: usize = 0xffff_c900_0000_0000;
/// Where they end: 32 TiB further on.
pub const VMALLOC_END: usize = VMALLOC_START + (32 << 40);

/// Addresses can be given to memory.
#[capability]
pub struct Vmalloc;

/// From here on page tables come from the page allocator. Linux's stage of the same name makes a cache for those that are smaller than a page, which this
/// processor has none of; here the space for areas gets its first tables, so that what starts from a copy of the top one has them, too.
///
/// # Panics
///
/// Without memory for a few tables the boot cannot go on.
#[stage(after(crate::percpu::percpu_init_late), requires(PageAllocator))]
#[init]
pub fn pgtable_cache_init() {
    if let Err(error) = kernel_map::prepare(VMALLOC_START) {
        panic!("pgtable_cache_init: no memory for page tables ({error})");
    }
}

/// Opens the space for areas: Linux's stage of the same name.
///
/// # Panics
///
/// Without memory for a few areas the boot cannot go on.
#[stage(after(pgtable_cache_init), before(crate::time::time_init), provides(Vmalloc))]
#[init]
pub fn vmalloc_init() {
    if let Err(error) = areas::open(VMALLOC_START..VMALLOC_END) {
        panic!("vmalloc_init: no memory for areas ({error})");
    }
}

/// Allocates `size` bytes, contiguous at their addresses, aligned to a page, that hold whatever they held. Nothing for a size of 0, and if there is no memory; the
/// log says why. Linux's function of the same name.
#[inline(never)]
#[must_use]
pub fn vmalloc(size: usize) -> Option<NonNull<u8>> {
    allocate(size, PAGE_SIZE, Gfp::KERNEL, VmFlags::ALLOC, dumpstack::return_address())
}

/// The same with other flags.
#[inline(never)]
#[must_use]
pub fn vmalloc_gfp(size: usize, gfp: Gfp) -> Option<NonNull<u8>> {
    allocate(size, PAGE_SIZE, gfp, VmFlags::ALLOC, dumpstack::return_address())
}

/// The same, filled with zeros.
#[inline(never)]
#[must_use]
pub fn vzalloc(size: usize) -> Option<NonNull<u8>> {
    allocate(
        size,
        PAGE_SIZE,
        Gfp::KERNEL | Gfp::ZERO,
        VmFlags::ALLOC,
        dumpstack::return_address(),
    )
}

/// The same in pages of 2 MiB as far as there are some, which the processor translates faster; `nohugevmalloc` on the command line forbids it.
#[inline(never)]
#[must_use]
pub fn vmalloc_huge(size: usize, gfp: Gfp) -> Option<NonNull<u8>> {
    let caller = dumpstack::return_address();
    if size < Level::Pmd.size() || info::huge_pages_are_forbidden() {
        return allocate(size, PAGE_SIZE, gfp, VmFlags::ALLOC, caller);
    }
    allocate(size, Level::Pmd.size(), gfp, VmFlags::ALLOC | VmFlags::ALLOW_HUGE, caller)
}

/// As [`vmalloc_gfp`], aligned to `align` bytes, a power of two.
#[inline(never)]
#[must_use]
pub(super) fn vmalloc_aligned(size: usize, align: usize, gfp: Gfp) -> Option<NonNull<u8>> {
    allocate(size, align.max(PAGE_SIZE), gfp, VmFlags::ALLOC, dumpstack::return_address())
}

/// Gives back what one of the allocating functions here gave. What they did not give is reported, and stays as it is.
///
/// # Safety
///
/// Nobody may use the memory any more.
pub unsafe fn vfree(memory: NonNull<u8>) {
    let start = memory.addr().get();
    #[cfg(CONFIG_DEBUG_KMEMLEAK)]
    crate::kmemleak::free(memory.as_ptr());
    match areas::begin_removal(start, VmFlags::ALLOC) {
        // SAFETY: the area is the caller's, who gives it up.
        Ok((range, _)) => unsafe { release(range, true) },
        Err(Wrong::Inside) => warn!("Trying to vfree() bad address ({start:016x})"),
        Err(Wrong::Nonexistent) => warn!("Trying to vfree() nonexistent vm area ({start:016x})"),
    }
}

/// Gives `pages` contiguous addresses, through which they may be used as `flags` say. Nothing for no pages, and without memory.
#[inline(never)]
#[must_use]
pub fn vmap(pages: &[&'static Page], flags: Flags) -> Option<NonNull<u8>> {
    let area = Area::new(VmFlags::MAP, dumpstack::return_address());
    let range = reserve(pages.len().checked_mul(PAGE_SIZE)?, PAGE_SIZE, area).ok()?;
    // SAFETY: the addresses were just taken, and the pages are the caller's to map.
    let mapped = unsafe { kernel_map::map_pages(range.start, pages.iter().map(|page| page_to_phys(page)), flags) };
    if mapped < pages.len() {
        // SAFETY: nobody was told of the addresses.
        unsafe { abandon(range.start, false) };
        return None;
    }
    NonNull::new(core::ptr::with_exposed_provenance_mut(range.start))
}

/// Takes the addresses back that [`vmap`] gave. The pages stay.
///
/// # Safety
///
/// Nobody may use the addresses any more.
pub unsafe fn vunmap(memory: NonNull<u8>) {
    let start = memory.addr().get();
    // SAFETY: passed on.
    if unsafe { remove(start, VmFlags::MAP) }.is_err() {
        warn!("Trying to vunmap() nonexistent vm area ({start:016x})");
    }
}

/// Whether [`vmalloc`] and its like can be called.
#[inline]
#[must_use]
pub fn is_available() -> bool {
    areas::is_open()
}

/// Whether an address is one of the space for areas, in use or not.
#[inline]
#[must_use]
pub const fn is_vmalloc_addr(address: usize) -> bool {
    VMALLOC_START <= address && address < VMALLOC_END
}

/// The page that an address of an area leads to, if it leads to RAM: Linux's function of the same name.
#[must_use]
pub fn vmalloc_to_page(address: usize) -> Option<&'static Page> {
    let (entry, level) = lookup(address).filter(|(entry, _)| is_vmalloc_addr(address) && entry.is_present())?;
    let pfn = (entry.phys() & !(level.size() as u64 - 1) | (address & (level.size() - 1)) as u64) >> PAGE_SHIFT;
    super::sparse::pfn_valid(pfn).then(|| pfn_to_page(pfn))
}

/// Takes addresses for `size` bytes and a guard page.
fn reserve(size: usize, align: usize, area: Area) -> Result<core::ops::Range<usize>, Errno> {
    if size == 0 {
        return Err(Errno::EINVAL);
    }
    let rounded = size
        .checked_next_multiple_of(PAGE_SIZE)
        .and_then(|size| size.checked_add(PAGE_SIZE));
    let request = Request {
        size: rounded.ok_or(Errno::ENOMEM)?,
        align,
        within: VMALLOC_START..VMALLOC_END,
    };
    areas::take(&request, area)
}

/// Takes addresses and memory for them.
fn allocate(size: usize, align: usize, gfp: Gfp, flags: VmFlags, caller: usize) -> Option<NonNull<u8>> {
    if warn_on_once!(size == 0, "vmalloc of no bytes") {
        return None;
    }
    let pages = size.div_ceil(PAGE_SIZE);
    if pages as u64 > areas::known_ram_pages() && pages as u64 > page_alloc::total_ram_pages() {
        return fail(size, gfp, "exceeds total pages");
    }
    let area = Area::new(flags, caller).with_pages(pages as u32);
    let Ok(range) = reserve(size, align, area) else {
        return fail(size, gfp, "vm_struct allocation failed");
    };
    if let Err(why) = populate(range.start, pages, gfp, None, flags.contains(VmFlags::ALLOW_HUGE)) {
        // SAFETY: nobody was told of the addresses, and what is mapped there was allocated for them.
        unsafe { abandon(range.start, true) };
        return fail(size, gfp, why);
    }
    areas::count_pages(pages as isize);
    let block = NonNull::new(core::ptr::with_exposed_provenance_mut(range.start))?;
    #[cfg(CONFIG_DEBUG_KMEMLEAK)]
    crate::kmemleak::vmalloc(block.as_ptr(), size, gfp);
    Some(block)
}

/// Reports an allocation that failed, in Linux's words.
#[cold]
fn fail(size: usize, gfp: Gfp, why: &str) -> Option<NonNull<u8>> {
    warn_alloc(gfp, format_args!("vmalloc error: size {size}, {why}"));
    None
}

mod tests;

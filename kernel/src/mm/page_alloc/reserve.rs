//! Memory that was kept and is not needed any more.

use super::bad_page::bad_page;
use super::exact::alloc_aligned;
use super::{Gfp, MAX_ORDER, free_pages};
use crate::mm::page::{Page, PageFlags, pfn_to_page};
use crate::mm::sparse::pfn_valid;
use crate::mm::zone::page_zone;
use crate::mm::{PAGE_SHIFT, PAGE_SIZE, memblock, page_debug, phys_to_virt, virt_to_phys};
use crate::prelude::*;
use incipit_lib::buddy::Place;

/// Gives the pages that lie whole in a range of physical addresses to the page allocator, filled with `poison` if that is said, and returns how many they were: Linux's function of the
/// same name. With a name, a line says so.
///
/// # Safety
///
/// The memory must be RAM that was reserved until now, and nobody's.
pub unsafe fn free_reserved_area(start: u64, end: u64, poison: Option<u8>, name: Option<&str>) -> u64 {
    let mut pages = 0;
    for pfn in start.div_ceil(PAGE_SIZE as u64)..end >> PAGE_SHIFT {
        if !pfn_valid(pfn) {
            continue;
        }
        let page = pfn_to_page(pfn);
        if !page.has(PageFlags::RESERVED) {
            bad_page(page, "given back, and was not reserved");
            continue;
        }
        if let Some(byte) = poison {
            // SAFETY: the caller says that the page is RAM, which the direct map has, and nobody's.
            unsafe { phys_to_virt(pfn << PAGE_SHIFT).write_bytes(byte, PAGE_SIZE) };
        }
        free_reserved_page(pfn, page);
        pages += 1;
    }
    memblock::forget_reserved(start, end - start);
    if let Some(name) = name.filter(|_| pages != 0) {
        pr_info!("Freeing {name} memory: {}K", pages * (PAGE_SIZE as u64 / 1024));
    }
    pages
}

fn free_reserved_page(pfn: u64, page: &'static Page) {
    page.clear(PageFlags::RESERVED);
    page.set_refcount(0);
    if page_debug::is_active() {
        page_debug::on_free(page, 0);
    }
    let zone = page_zone(page);
    zone.add_managed(1);
    zone.with_buddy(|buddy| buddy.free(pfn, 0, Place::Head));
}

/// What [`memblock::alloc`] does when memory is the page allocator's.
pub(in crate::mm) fn alloc_memblock(size: u64, align: u64) -> Result<u64, Errno> {
    if size == 0 || !align.is_power_of_two() {
        return Err(Errno::EINVAL);
    }
    let largest = (PAGE_SIZE as u64) << MAX_ORDER;
    if size > largest || align > largest {
        return Err(Errno::ENOMEM);
    }
    let block = alloc_aligned(size as usize, align as usize, Gfp::NOWAIT).ok_or(Errno::ENOMEM)?;
    Ok(virt_to_phys(block.as_ptr()))
}

/// What [`memblock::free`] does then: the memory may be reserved since the boot, or from [`alloc_memblock`].
pub(in crate::mm) fn free_memblock(base: u64, size: u64) {
    for pfn in base.div_ceil(PAGE_SIZE as u64)..(base + size) >> PAGE_SHIFT {
        let page = pfn_to_page(pfn);
        if page.has(PageFlags::RESERVED) {
            free_reserved_page(pfn, page);
        } else {
            // SAFETY: it was allocated page by page, and is given up by whoever has it.
            unsafe { free_pages(page, 0) };
        }
    }
}

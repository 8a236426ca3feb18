//! What areas lead to: pages for those that own some, and how areas are given back.

use core::ops::Range;

use arrayvec::ArrayVec;

use super::areas::{self, VmFlags, Wrong};
use crate::arch::x86::mm::kernel_map;
use crate::arch::x86::mm::pgtable::{Flags, Level};
use crate::mm::page::{Page, page_to_phys, pfn_to_page};
use crate::mm::page_alloc::{alloc_pages, alloc_pages_bulk, free_pages, free_pages_bulk};
use crate::mm::{Gfp, PAGE_SHIFT, PAGE_SIZE};

/// Pages that are allocated at a time.
const BATCH: usize = 32;
/// The order of a block that a page of 2 MiB maps.
pub(super) const HUGE_ORDER: u32 = Level::Pmd.shift() - PAGE_SHIFT;

/// Maps `count` new pages, of node `nid` if one is named, from `start` on. What is mapped when it fails is the caller's to unmap.
pub(super) fn populate(start: usize, count: usize, gfp: Gfp, nid: Option<usize>, huge: bool) -> Result<(), &'static str> {
    const NO_PAGES: &str = "page order 0, failed to allocate pages";
    const NO_TABLES: &str = "failed to map pages";
    let mut done = 0;
    while huge && count - done >= 1 << HUGE_ORDER {
        let address = start + done * PAGE_SIZE;
        let Some(page) = alloc_pages(gfp | Gfp::NOWARN, HUGE_ORDER) else {
            break;
        };
        // SAFETY: the addresses are those of an area that is being made, and the pages were just allocated for it.
        let mapped = unsafe { kernel_map::map_huge(address, page_to_phys(page), Flags::READ_WRITE) };
        if mapped.is_err() {
            // SAFETY: nobody knows of the block.
            unsafe { free_pages(page, HUGE_ORDER) };
            break;
        }
        done += 1 << HUGE_ORDER;
    }
    while done < count {
        let mut batch = [None; BATCH];
        let wanted = BATCH.min(count - done);
        let got = alloc_pages_bulk(gfp | Gfp::NOWARN, nid, &mut batch[..wanted]);
        let address = start + done * PAGE_SIZE;
        let pages = &batch[..got];
        // SAFETY: as above.
        let mapped = unsafe { kernel_map::map_pages(address, pages.iter().map(|page| page.map_or(0, page_to_phys)), Flags::READ_WRITE) };
        for page in pages[mapped..].iter().flatten() {
            // SAFETY: just allocated, and mapped nowhere.
            unsafe { free_pages(page, 0) };
        }
        if mapped < got {
            return Err(NO_TABLES);
        }
        if got < wanted {
            return Err(NO_PAGES);
        }
        done += got;
    }
    Ok(())
}

/// Takes an area of one of `kinds` back, whose memory stays.
///
/// # Safety
///
/// Nobody may use the addresses any more.
pub(super) unsafe fn remove(start: usize, kinds: VmFlags) -> Result<(), Wrong> {
    let (range, _) = areas::begin_removal(start, kinds)?;
    // SAFETY: passed on.
    unsafe { release(range, false) };
    Ok(())
}

/// Takes an area back that was never finished.
///
/// # Safety
///
/// As for [`release`].
pub(super) unsafe fn abandon(start: usize, owns_pages: bool) {
    if let Ok((range, _)) = areas::begin_removal(start, VmFlags::all()) {
        // SAFETY: passed on.
        unsafe { unmap(range.clone(), owns_pages) };
        areas::finish_removal(range);
    }
}

/// Unmaps an area that is being removed, and gives its pages back if they are its own.
///
/// # Safety
///
/// Nobody may use the addresses, nor the pages if the area owns them.
pub(super) unsafe fn release(range: Range<usize>, owns_pages: bool) {
    // SAFETY: passed on.
    let freed = unsafe { unmap(range.clone(), owns_pages) };
    if owns_pages {
        areas::count_pages(-(freed as isize));
    }
    areas::finish_removal(range);
}

/// # Safety
///
/// As for [`release`].
unsafe fn unmap(range: Range<usize>, owns_pages: bool) -> usize {
    let mut freed = 0;
    let mut batch: ArrayVec<&'static Page, BATCH> = ArrayVec::new();
    // SAFETY: the addresses are nobody's any more, and an area's large pages lie inside of it.
    unsafe {
        kernel_map::unmap_range(range, |phys, level| {
            if !owns_pages {
                return;
            }
            let (page, order) = (pfn_to_page(phys >> PAGE_SHIFT), level.shift() - PAGE_SHIFT);
            freed += 1 << order;
            if order != 0 {
                free_pages(page, order);
                return;
            }
            if batch.is_full() {
                free_pages_bulk(&batch);
                batch.clear();
            }
            batch.push(page);
        });
        free_pages_bulk(&batch);
    }
    freed
}

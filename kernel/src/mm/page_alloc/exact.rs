//! Allocations that are no power of two.

use core::ptr::NonNull;

use super::{Gfp, alloc_pages, free_pages};
use crate::mm::PAGE_SIZE;
use crate::mm::page::{Page, page_address, page_to_pfn, pfn_to_page, virt_to_page};
use crate::prelude::*;

/// The order of the smallest block that holds `size` bytes: Linux's `get_order`. 0 for nothing.
#[inline]
#[must_use]
pub const fn get_order(size: usize) -> u32 {
    size.div_ceil(PAGE_SIZE).next_power_of_two().ilog2()
}

/// Makes each page of a block one of its own, with a reference of its own: Linux's function of the same name. The block must not be a compound page.
pub fn split_page(page: &'static Page, order: u32) {
    debug_assert!(page.compound_order() == 0);
    let first = page_to_pfn(page);
    for pfn in first + 1..first + (1 << order) {
        pfn_to_page(pfn).set_refcount(1);
    }
}

/// At least `size` bytes, in as many pages as that takes and no more, side by side: Linux's function of the same name.
#[must_use]
pub fn alloc_pages_exact(size: usize, gfp: Gfp) -> Option<NonNull<u8>> {
    alloc_aligned(size, PAGE_SIZE, gfp)
}

/// The same, aligned to `align`, a power of two.
#[must_use]
pub fn alloc_aligned(size: usize, align: usize, gfp: Gfp) -> Option<NonNull<u8>> {
    let order = get_order(size.max(align));
    let page = alloc_pages(gfp & !Gfp::COMP, order)?;
    split_page(page, order);
    let first = page_to_pfn(page);
    for pfn in first + (size.div_ceil(PAGE_SIZE) as u64).max(1)..first + (1 << order) {
        // SAFETY: the page is one of its own now, and nobody was told of it.
        unsafe { free_pages(pfn_to_page(pfn), 0) };
    }
    NonNull::new(page_address(page))
}

/// Gives back what [`alloc_pages_exact`] gave for this size.
///
/// # Safety
///
/// The pages must be from there, and nobody's any more.
pub unsafe fn free_pages_exact(start: NonNull<u8>, size: usize) {
    let first = page_to_pfn(virt_to_page(start.as_ptr()));
    for pfn in first..first + (size.div_ceil(PAGE_SIZE) as u64).max(1) {
        // SAFETY: each page is one of its own; the caller gives them up.
        unsafe { free_pages(pfn_to_page(pfn), 0) };
    }
}

#[ktest]
fn the_order_is_that_of_the_smallest_block_that_holds_the_bytes() {
    for (size, order) in [
        (0, 0),
        (1, 0),
        (PAGE_SIZE, 0),
        (PAGE_SIZE + 1, 1),
        (3 * PAGE_SIZE, 2),
        (1 << 22, 10),
    ] {
        assert_eq!(get_order(size), order, "{size}");
    }
}

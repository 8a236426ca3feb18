//! All memory that there is, allocated and written to: what somebody else uses as well comes out wrong. The boot tests look from outside at what was written, too.

use core::sync::atomic::Ordering::Relaxed;

use super::super::*;
use super::nothing_is_lost;
use crate::mm::phys_to_virt;

/// A word of a page that was allocated: this, and the number of the page frame in its lower half.
const MARK: u64 = 0x1261_9417_0000_0000;
/// No block.
const NONE: u64 = u64::MAX;

/// The words of a page that is ours.
fn words(pfn: u64) -> *mut [u64] {
    let start = phys_to_virt(pfn << crate::mm::PAGE_SHIFT).cast::<u64>();
    core::ptr::slice_from_raw_parts_mut(start, PAGE_SIZE / 8)
}

/// Takes every free page, as large blocks as there are, in a list through the blocks themselves: that needs no memory, of which there is none.
fn take_all() -> (u64, u64) {
    let (mut last, mut pages) = (NONE, 0);
    for order in (0..=MAX_ORDER).rev() {
        while let Some(page) = alloc_pages(Gfp::NOWAIT | Gfp::MEMALLOC | Gfp::NOWARN, order) {
            page.private.store(last, Relaxed);
            page.index.store(order.into(), Relaxed);
            last = page_to_pfn(page);
            pages += 1 << order;
        }
    }
    (last, pages)
}

/// Visits the blocks of such a list.
fn for_each_block(mut block: u64, mut visit: impl FnMut(u64, u32)) {
    while block != NONE {
        let page = pfn_to_page(block);
        let (next, order) = (page.private.load(Relaxed), page.index.load(Relaxed) as u32);
        visit(block, order);
        block = next;
    }
}

#[ktest]
fn every_free_page_keeps_what_is_written_to_it() {
    let mut wrong = 0;
    nothing_is_lost(|| {
        drain_all_pages();
        let free = total_free_pages();
        let (blocks, pages) = take_all();
        for_each_block(blocks, |block, order| {
            for pfn in block..block + (1 << order) {
                // SAFETY: the page was just allocated, is in the direct map, and holds so many words.
                unsafe { &mut *words(pfn) }.fill(MARK | pfn);
            }
        });
        for_each_block(blocks, |block, order| {
            for pfn in block..block + (1 << order) {
                // SAFETY: as above.
                wrong += usize::from(!unsafe { &*words(pfn) }.iter().all(|word| *word == MARK | pfn));
            }
        });
        for_each_block(blocks, |block, order| {
            // SAFETY: it was allocated with this order, and nobody knows of it. The list is read before the block is freed.
            unsafe { free_pages(pfn_to_page(block), order) };
        });
        // Nobody is told before there is memory again.
        assert_eq!((wrong, pages), (0, free));
    });
}

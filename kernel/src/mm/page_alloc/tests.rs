//! Tests of the page allocator in the machine that it runs on.

mod pattern;

use super::*;
use crate::mm::page::page_to_phys;
use crate::mm::slab::{KVec, shrink_all};

/// Runs `f` and checks that as many pages are free afterwards as before.
fn nothing_is_lost(f: impl FnOnce()) {
    shrink_all();
    let before = total_free_pages();
    f();
    shrink_all();
    assert_eq!(total_free_pages(), before);
}

/// Runs `f` while there is no page to be had.
pub fn without_free_pages<R>(f: impl FnOnce() -> R) -> R {
    let mut held = KVec::with_capacity(4096).expect("memory");
    for order in (0..=MAX_ORDER).rev() {
        while held.len() < held.capacity()
            && let Ok(pages) = Pages::new(Gfp::NOWAIT | Gfp::MEMALLOC | Gfp::NOWARN, order)
        {
            held.push(pages).expect("there is room");
        }
    }
    assert!(held.len() < held.capacity(), "memory is in too many pieces");
    f()
}

#[ktest]
fn blocks_of_every_order_are_aligned_and_come_back() {
    nothing_is_lost(|| {
        for order in 0..=8 {
            let pages = Pages::new(Gfp::KERNEL, order).expect("a block");
            assert_eq!(page_to_phys(pages.page()) % pages.len() as u64, 0, "order {order}");
            assert_eq!(pages.page().refcount(), 1);
        }
    });
}

#[ktest]
fn a_page_below_16_mib_is_one() {
    nothing_is_lost(|| {
        let pages = Pages::new(Gfp::KERNEL | Gfp::DMA, 0).expect("a page");
        assert!(page_to_phys(pages.page()) < 16 << 20);
        assert_eq!(pages.page().zone(), ZoneType::Dma);
    });
}

#[ktest]
fn a_zeroed_block_is_zeroed() {
    nothing_is_lost(|| {
        let content = |pages: &Pages| {
            // SAFETY: the pages are ours and in the direct map.
            unsafe { core::slice::from_raw_parts_mut(pages.as_ptr(), pages.len()) }
        };
        let dirty = Pages::new(Gfp::KERNEL, 2).expect("a block");
        content(&dirty).fill(0xa5);
        drop(dirty);
        let clean = Pages::new(Gfp::KERNEL | Gfp::ZERO, 2).expect("a block");
        assert!(content(&clean).iter().all(|&byte| byte == 0));
    });
}

#[ktest]
fn a_compound_page_is_known_by_each_of_its_pages() {
    nothing_is_lost(|| {
        let pages = Pages::new(Gfp::KERNEL | Gfp::COMP, 3).expect("a block");
        let head = page_to_pfn(pages.page());
        assert_eq!(pages.page().compound_order(), 3);
        for pfn in head + 1..head + 8 {
            assert_eq!(pfn_to_page(pfn).tail_of(), Some(head));
        }
        let tail = pfn_to_page(head + 5);
        let _ = pages.leak();
        // SAFETY: the only reference is given back.
        unsafe { put_page(tail) };
        assert_eq!((tail.tail_of(), pfn_to_page(head).compound_order()), (None, 0));
    });
}

#[ktest]
fn exact_allocations_keep_only_what_they_need() {
    nothing_is_lost(|| {
        let before = total_free_pages();
        let block = alloc_pages_exact(5 * PAGE_SIZE - 1, Gfp::KERNEL).expect("five pages");
        assert_eq!(before - total_free_pages(), 5);
        // SAFETY: it is given back with the size that it was allocated with.
        unsafe { free_pages_exact(block, 5 * PAGE_SIZE - 1) };
    });
}

#[ktest]
fn many_pages_are_had_at_once() {
    nothing_is_lost(|| {
        let mut pages = [None; 100];
        assert_eq!(alloc_pages_bulk(Gfp::KERNEL, None, &mut pages), 100);
        let pages = pages.map(|page| page.expect("as many as it says"));
        let mut frames = pages.map(page_to_pfn);
        frames.sort_unstable();
        assert!(frames.windows(2).all(|pair| pair[0] != pair[1]) && pages.iter().all(|page| page.refcount() == 1));
        pages[70].get();
        // SAFETY: each was just allocated, for nobody else; of one there is another reference, which is given back last.
        unsafe {
            free_pages_bulk(&pages);
            assert_eq!(pages[70].refcount(), 1);
            free_pages_bulk(&pages[70..71]);
        }
    });
}

#[ktest]
fn a_second_reference_keeps_the_first_page_and_no_other() {
    nothing_is_lost(|| {
        let page = alloc_pages(Gfp::KERNEL, 2).expect("a block");
        page.get();
        // SAFETY: of two references to the block's first page one is given back, then the other; none is used.
        unsafe {
            free_pages(page, 2);
            assert_eq!(page.refcount(), 1);
            free_pages(page, 0);
        }
    });
}

#[ktest]
fn impossible_requests_are_refused() {
    assert!(alloc_pages(Gfp::KERNEL | Gfp::NOWARN, MAX_ORDER + 1).is_none());
    assert!(alloc_pages_node(usize::MAX, Gfp::KERNEL, 0).is_none());
}

#[ktest]
fn without_a_free_page_there_is_an_error_and_all_comes_back() {
    drain_all_pages();
    nothing_is_lost(|| {
        without_free_pages(|| {
            assert_eq!(total_free_pages(), 0);
            assert!(Pages::new(Gfp::KERNEL | Gfp::NOWARN, 0).is_err());
            assert!(Pages::new(Gfp::ATOMIC | Gfp::NOWARN, 0).is_err());
            assert_eq!(alloc_pages_bulk(Gfp::KERNEL, None, &mut [None; 3]), 0);
        });
    });
}

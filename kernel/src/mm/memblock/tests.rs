//! Tests of the early allocator when its time is over.

use super::*;

#[ktest]
fn regions_of_memory_are_whole_pages_in_order() {
    let mut last = 0;
    for region in memory() {
        assert!(region.base >= last && region.size > 0);
        assert_eq!((region.base % PAGE_SIZE as u64, region.size % PAGE_SIZE as u64), (0, 0));
        last = region.end();
    }
}

#[ktest]
fn what_is_had_late_comes_from_the_page_allocator_and_goes_back() {
    let page = PAGE_SIZE as u64;
    let mut free_pages = [0; 3];
    // Checkers that remember who has allocated take pages themselves for a place that they have not seen before.
    for _ in 0..core::hint::black_box(2) {
        free_pages[0] = page_alloc::total_free_pages();
        let block = page_alloc::alloc_memblock(3 * page, 4 * page).expect("three pages");
        free_pages[1] = page_alloc::total_free_pages();
        assert_eq!(block % (4 * page), 0);
        assert!(MEMBLOCK.lock().is_region_memory(block, 3 * page));
        assert_eq!(free(block, 3 * page), Ok(()));
        free_pages[2] = page_alloc::total_free_pages();
    }
    let before = free_pages[0];
    assert_eq!(free_pages, [before, before - 3, before]);
}

#[ktest]
fn impossible_requests_are_refused() {
    assert_eq!(page_alloc::alloc_memblock(0, 1), Err(Errno::EINVAL));
    assert_eq!(page_alloc::alloc_memblock(1, 3), Err(Errno::EINVAL));
    assert_eq!(page_alloc::alloc_memblock(1 << 60, 1), Err(Errno::ENOMEM));
}

#[ktest]
fn lists_still_grow_when_there_is_slab() {
    let page = PAGE_SIZE as u64;
    let before = (reserved().count(), totals());
    let (_, end) = bounds();
    let far = |at: usize| end + (1 << 30) + 2 * at as u64 * page;
    // More than there is room for: a list is at most twice as long as it is full.
    let count = 2 * MEMBLOCK.lock().reserved().capacity();
    for at in 0..count {
        assert_eq!(reserve(far(at), page), Ok(()));
    }
    assert_eq!(reserved().count(), before.0 + count);
    for at in 0..count {
        assert!(MEMBLOCK.lock().is_region_reserved(far(at), page));
        forget_reserved(far(at), page);
    }
    assert_eq!((reserved().count(), totals()), before);
}

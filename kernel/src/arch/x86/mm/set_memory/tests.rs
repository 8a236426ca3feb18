//! Tests of changes of protection, on a page of the image and on a large page of the direct map.

use core::cell::UnsafeCell;

use super::super::leaves::Leaf;
use super::super::pgtable::Level;
use super::*;
use crate::arch::x86::maccess::{copy_to_kernel_nofault, get_kernel_nofault};
use crate::mm::Gfp;
use crate::mm::page_alloc::{Pages, get_order, total_ram_pages, without_free_pages};
use crate::mm::slab::KVec;

#[repr(C, align(4096))]
struct Page(UnsafeCell<[u8; PAGE_SIZE]>);

// SAFETY: only tests use it, one after the other, through the fault-tolerant accessors.
unsafe impl Sync for Page {}

static PAGE: Page = Page(UnsafeCell::new([7; PAGE_SIZE]));

fn page() -> *mut u8 {
    PAGE.0.get().cast()
}

/// Writes a byte where nobody relies on what is there: on the page above, or in memory that a test has allocated.
fn write(address: *mut u8, value: u8) -> bool {
    // SAFETY: as said.
    unsafe { copy_to_kernel_nofault(address, &[value]) }.is_ok()
}

#[ktest]
fn a_page_can_be_made_read_only_and_writable_again() {
    assert!(write(page(), 1));
    assert_eq!(set_memory_ro(page().addr(), 1), Ok(()));
    assert!(!write(page(), 2));
    assert_eq!(get_kernel_nofault(page().cast_const()), Ok(1));
    assert_eq!(set_memory_rw(page().addr(), 1), Ok(()));
    assert!(write(page(), 3));
}

#[ktest]
fn a_page_can_be_taken_away_and_brought_back_with_its_content() {
    assert!(write(page(), 9));
    assert_eq!(set_memory_np(page().addr(), 1), Ok(()));
    assert_eq!(get_kernel_nofault(page().cast_const()), Err(Errno::EFAULT));
    assert_eq!(set_memory_p(page().addr(), 1), Ok(()));
    assert_eq!(get_kernel_nofault(page().cast_const()), Ok(9));
}

#[ktest]
fn what_is_no_page_of_either_mapping_cannot_be_changed() {
    for (address, pages) in [
        (page().addr() + 1, 1),
        (PAGE_OFFSET - PAGE_SIZE, 1),
        (PAGE_OFFSET + DIRECT_MAP_SIZE as usize - PAGE_SIZE, 1),
        (PAGE_OFFSET, (DIRECT_MAP_SIZE as usize >> 12) + 1),
        (0, 1),
        (page().addr(), usize::MAX),
        (page().addr(), 1 << 52),
        (usize::MAX - 0xfff, 1),
    ] {
        assert_eq!(set_memory_ro(address, pages), Err(Errno::EINVAL), "{address:#x}, {pages} pages");
    }
}

#[ktest]
fn no_pages_are_changed_without_an_error() {
    assert_eq!(set_memory_np(page().addr(), 0), Ok(()));
    assert!(write(page(), 5));
}

const LARGE: usize = 2 << 20;
/// Pages of RAM with which there is a large one that nobody uses: 16 MiB. A guest with less may have none.
const MUCH: u64 = (16 << 20) / PAGE_SIZE as u64;

/// Calls `test` with the address in the direct map of memory that is a large page, or a part of one, as yet.
fn with_a_large_page(test: impl FnOnce(*mut u8)) {
    #[cfg(CONFIG_DEBUG_PAGEALLOC)]
    if crate::mm::debug_pagealloc::debug_pagealloc_requested() {
        // All pages of the direct map are small.
        return;
    }
    let mut blocks = KVec::new();
    let start = loop {
        let Ok(block) = Pages::new(Gfp::KERNEL | Gfp::NOWARN, get_order(LARGE)) else {
            assert!(total_ram_pages() < MUCH, "no 2 MiB that no test has split");
            return;
        };
        let start = block.as_ptr();
        blocks.push(block).expect("memory");
        if Leaf::of(start.addr()).level > Level::Pte {
            break start;
        }
    };
    test(start);
}

#[ktest]
fn pages_inside_a_large_one_get_a_protection_of_their_own() {
    with_a_large_page(|start| {
        let at = |page: usize| start.wrapping_add(page * PAGE_SIZE);
        assert_eq!(set_memory_ro(at(100).addr(), 3), Ok(()));
        for page in 0..LARGE / PAGE_SIZE {
            assert_eq!(write(at(page), page as u8), !(100..103).contains(&page), "page {page}");
        }
        assert_eq!(set_memory_rw(at(0).addr(), LARGE / PAGE_SIZE), Ok(()));
        for page in 0..LARGE / PAGE_SIZE {
            assert!(write(at(page), page as u8), "page {page}");
            assert_eq!(get_kernel_nofault(at(page).cast_const()), Ok(page as u8));
        }
    });
}

#[ktest]
fn a_large_page_that_is_changed_whole_stays_large() {
    with_a_large_page(|start| {
        let whole = |change: fn(usize, usize) -> Result<(), Errno>| change(start.addr(), LARGE / PAGE_SIZE);
        let may_be_written = || write(start, 1) && write(start.wrapping_add(LARGE - 1), 1);
        assert_eq!(whole(set_memory_ro), Ok(()));
        // Of a page of 1 GiB it was a part.
        assert_eq!(Leaf::of(start.addr()).level, Level::Pmd);
        assert!(!may_be_written());
        assert_eq!(whole(set_memory_np), Ok(()));
        assert_eq!(get_kernel_nofault(start.cast_const()), Err(Errno::EFAULT));
        assert_eq!(whole(set_memory_p), Ok(()));
        assert_eq!(whole(set_memory_rw), Ok(()));
        assert_eq!(Leaf::of(start.addr()).level, Level::Pmd);
        assert!(may_be_written());
    });
}

#[ktest]
fn without_memory_for_a_table_nothing_changes() {
    with_a_large_page(|start| {
        let second = start.wrapping_add(PAGE_SIZE);
        let changed = without_free_pages(|| set_memory_ro(second.addr(), 1));
        assert_eq!(changed, Err(Errno::ENOMEM));
        assert!(write(second, 1));
        assert!(Leaf::of(start.addr()).level > Level::Pte);
    });
}

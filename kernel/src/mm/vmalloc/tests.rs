//! Tests of areas, their memory, and what becomes of wrong addresses.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "without memory for its text a test has failed"
)]

use alloc::string::String;
use core::slice;

use super::memory::HUGE_ORDER;
use super::*;
use crate::mm::page::page_address;
use crate::mm::page_alloc::free_pages_and_kept;

fn is_mapped(address: usize) -> bool {
    lookup(address).is_some_and(|(entry, _)| entry.is_present())
}

/// The bytes of an allocation.
///
/// # Safety
///
/// There must be as many, and nobody else may use them.
unsafe fn bytes<'a>(memory: NonNull<u8>, len: usize) -> &'a mut [u8] {
    // SAFETY: passed on.
    unsafe { slice::from_raw_parts_mut(memory.as_ptr(), len) }
}

#[ktest]
fn memory_is_contiguous_zeroed_and_guarded() {
    const SIZE: usize = 5 * PAGE_SIZE + 1;
    let memory = vzalloc(SIZE).expect("memory");
    let start = memory.addr().get();
    assert!(is_vmalloc_addr(start) && start.is_multiple_of(PAGE_SIZE));
    // SAFETY: just allocated.
    let all = unsafe { bytes(memory, SIZE) };
    assert!(all.iter().all(|&byte| byte == 0));
    all.fill(0x5a);
    assert!((0..6).all(|page| is_mapped(start + page * PAGE_SIZE)) && !is_mapped(start + 6 * PAGE_SIZE) && !is_mapped(start - 1));
    let pages: [_; 6] = core::array::from_fn(|page| vmalloc_to_page(start + page * PAGE_SIZE).expect("a page"));
    // SAFETY: the pages are this area's.
    assert!(pages.iter().all(|page| unsafe { *page_address(page) } == 0x5a));
    // SAFETY: nobody uses it any more.
    unsafe { vfree(memory) };
    assert!(!is_mapped(start) && vmalloc_to_page(start).is_none());
}

#[ktest]
fn what_is_freed_comes_back_whole() {
    let round = || {
        let areas = [1, 2, 33, 64, 600].map(|pages| vmalloc(pages * PAGE_SIZE).expect("memory"));
        assert!(nr_pages() >= 700);
        for area in areas {
            // SAFETY: just allocated, and nobody uses it.
            unsafe { vfree(area) };
        }
        // The addresses are free again, and what described the areas.
        vm_unmap_aliases();
        crate::mm::slab::shrink_all();
        page_alloc::drain_all_pages();
        free_pages_and_kept()
    };
    vm_unmap_aliases();
    // Tables stay where they were made, so the second round, which gets the same addresses, needs none.
    assert_eq!(round(), round());
}

#[ktest]
fn addresses_are_used_again_only_after_a_purge() {
    let first = vmalloc(PAGE_SIZE).expect("memory");
    // SAFETY: nobody uses it.
    unsafe { vfree(first) };
    let second = vmalloc(PAGE_SIZE).expect("memory");
    assert_ne!(first, second);
    // SAFETY: nobody uses it.
    unsafe { vfree(second) };
    vm_unmap_aliases();
    let third = vmalloc(PAGE_SIZE).expect("memory");
    assert!(third <= second);
    // SAFETY: nobody uses it.
    unsafe { vfree(third) };
}

#[ktest]
fn large_areas_are_mapped_by_large_pages() {
    const SIZE: usize = (2 << 20) + PAGE_SIZE;
    page_alloc::drain_all_pages();
    let there_is_a_block = page_alloc::Pages::new(Gfp::KERNEL | Gfp::NOWARN, HUGE_ORDER).is_ok();
    let memory = vmalloc_huge(SIZE, Gfp::KERNEL).expect("memory");
    let start = memory.addr().get();
    let levels = [start, start + (2 << 20)].map(|address| lookup(address).expect("canonical").1);
    let expected = there_is_a_block && !info::huge_pages_are_forbidden();
    assert!(levels[1] == Level::Pte && (levels[0] == Level::Pmd) == expected);
    let inside = vmalloc_to_page(start + 5 * PAGE_SIZE).expect("a page");
    // SAFETY: just allocated; the page is a part of it.
    unsafe {
        memory.add(5 * PAGE_SIZE).write(0xa5);
        assert_eq!(*page_address(inside), 0xa5);
        vfree(memory);
    }
}

#[ktest]
fn pages_can_be_given_addresses_in_any_order() {
    let pages = [
        page_alloc::Pages::new(Gfp::KERNEL | Gfp::ZERO, 0),
        page_alloc::Pages::new(Gfp::KERNEL, 0),
    ]
    .map(|page| page.expect("memory"));
    let memory = vmap(&[pages[0].page(), pages[1].page(), pages[0].page()], Flags::READ_WRITE).expect("addresses");
    // SAFETY: the pages are this test's.
    unsafe {
        memory.write(7);
        assert_eq!((memory.add(2 * PAGE_SIZE).read(), *page_address(pages[0].page())), (7, 7));
        vunmap(memory);
    }
    assert!(!is_mapped(memory.addr().get()));
    assert!(vmap(&[], Flags::READ_WRITE).is_none());
}

#[ktest]
fn wrong_addresses_are_named_and_nothing_changes() {
    let memory = vmalloc(2 * PAGE_SIZE).expect("memory");
    let page = page_alloc::Pages::new(Gfp::KERNEL, 0).expect("memory");
    let before = nr_pages();
    // SAFETY: none of these is given back, which is what the test is about.
    unsafe {
        vfree(memory.add(PAGE_SIZE));
        vfree(memory.add(1));
        vunmap(memory);
        vfree(NonNull::new(page.as_ptr()).expect("memory"));
        vfree(NonNull::new_unchecked(core::ptr::without_provenance_mut(VMALLOC_END - PAGE_SIZE)));
    }
    assert_eq!(nr_pages(), before);
    // SAFETY: nobody uses it; the second time it is nobody's.
    unsafe {
        vfree(memory);
        vfree(memory);
    }
    assert_eq!(nr_pages(), before - 2);
}

#[ktest]
fn impossible_sizes_are_refused() {
    let total = page_alloc::total_ram_pages() as usize;
    for size in [(total + 1) * PAGE_SIZE, usize::MAX, usize::MAX - PAGE_SIZE] {
        assert_eq!(vmalloc(size), None);
    }
    let before = free_pages_and_kept();
    // More than there is free, though not more than there is.
    assert_eq!(vmalloc_gfp(total * PAGE_SIZE, Gfp::KERNEL | Gfp::NORETRY), None);
    page_alloc::drain_all_pages();
    assert!(free_pages_and_kept().abs_diff(before) < 1024);
}

#[ktest]
fn the_list_shows_what_an_area_is_for() {
    let memory = vmalloc(3 * PAGE_SIZE).expect("memory");
    let mut text = String::new();
    vmallocinfo(&mut text).expect("room for the text");
    let start = memory.addr().get();
    let expected = alloc::format!("0x{start:016x}-0x{:016x} {:>7} ", start + 4 * PAGE_SIZE, 4 * PAGE_SIZE);
    let line = text.lines().find(|line| line.starts_with(&expected)).expect("a line of the area");
    assert!(line.ends_with(" pages=3 vmalloc"));
    // SAFETY: nobody uses it.
    unsafe { vfree(memory) };
    text.clear();
    vmallocinfo(&mut text).expect("room for the text");
    assert!(!text.lines().any(|line| line.starts_with(&expected) && line.ends_with("vmalloc")));
    assert!(text.lines().any(|line| line.ends_with(" unpurged vm_area")));
}

#[cfg(CONFIG_FAULT_INJECTION)]
#[ktest]
fn whichever_allocation_fails_it_is_an_error_and_nothing_is_lost() {
    use crate::mm::fault_inject;
    use crate::mm::kstack::KernelStack;

    let before = nr_pages();
    let sites = fault_inject::every_site(
        || vmalloc_gfp(70 * PAGE_SIZE, Gfp::KERNEL | Gfp::NOWARN),
        |site, result| {
            assert!(result.is_some() || site.is_some());
            if let Some(memory) = result {
                // SAFETY: just allocated, and nobody uses it.
                unsafe { vfree(memory) };
            }
            assert_eq!(nr_pages(), before);
        },
    );
    assert!(sites >= 1);
    fault_inject::every_site(KernelStack::new, |site, result| {
        assert!(result.is_ok() || site.is_some());
        drop(result);
        assert_eq!(nr_pages(), before);
    });
    let page = page_alloc::Pages::new(Gfp::KERNEL, 0).expect("memory");
    let pages = crate::mm::slab::KVec::collect((0..600).map(|_| page.page())).expect("memory");
    fault_inject::every_site(
        || vmap(&pages, Flags::READ_WRITE),
        |site, result| {
            assert!(result.is_some() || site.is_some());
            if let Some(memory) = result {
                // SAFETY: nobody uses the addresses.
                unsafe { vunmap(memory) };
            }
        },
    );
}

//! Tests of the check: it sees every page, and finds what a test has made wrong.

use core::cell::UnsafeCell;

use super::super::builder::Mapping;
use super::super::pgtable::lookup;
use super::super::set_memory;
use super::super::test_window::{WINDOW, with_mapping};
use super::*;
use crate::mm::{PAGE_SIZE, phys_to_virt, sections};

#[repr(C, align(4096))]
struct TestPage(UnsafeCell<[u8; PAGE_SIZE]>);

// SAFETY: nobody uses its bytes.
unsafe impl Sync for TestPage {}

static PAGE: TestPage = TestPage(UnsafeCell::new([0; PAGE_SIZE]));

/// How many pages break each rule.
fn insecure(read_only: &[Section]) -> [usize; 2] {
    let mut counts = [0; 2];
    for_each_insecure_page(read_only, |_, insecure| counts[insecure as usize] += 1);
    counts
}

#[ktest]
fn the_walk_over_all_pages_finds_what_the_look_up_finds() {
    let (mut pages, mut reached) = (0, 0);
    for_each_page(&mut |page| {
        assert!(pages == 0 || page.address >= reached, "{page:x?}");
        let (entry, level) = lookup(page.address).expect("a canonical address");
        assert!(entry.is_present());
        assert_eq!((page.phys, page.size), (entry.phys(), level.size()), "{page:x?}");
        assert_eq!(
            (page.writable, page.executable),
            (entry.flags().contains(Flags::RW), entry.is_executable())
        );
        reached = page.address + page.size;
        pages += 1;
    });
    let image = sections::image().len() / PAGE_SIZE;
    assert!(pages > image, "{pages} pages");
}

#[ktest]
fn a_page_that_is_writable_and_executable_is_found() {
    let page = PAGE.0.get().addr();
    assert_eq!(insecure(&[]), [0, 0]);
    assert_eq!(set_memory::set_memory_x(page, 1), Ok(()));
    assert_eq!(insecure(&[]), [1, 0]);
    assert_eq!(set_memory::set_memory_nx(page, 1), Ok(()));
    assert_eq!(insecure(&[]), [0, 0]);
}

#[ktest]
fn a_page_that_another_address_can_write_to_is_found() {
    let start = sections::rodata().start_address();
    let page = Section::between(start, start + PAGE_SIZE);
    let alias = phys_to_virt(page.phys()).addr();
    assert_eq!(insecure(&[page]), [0, 1]);
    assert_eq!(set_memory::set_memory_ro(alias, 1), Ok(()));
    assert_eq!(insecure(&[page]), [0, 0]);
    assert_eq!(set_memory::set_memory_rw(alias, 1), Ok(()));
    assert_eq!(insecure(&[page]), [0, 1]);
}

#[ktest]
fn an_entry_on_the_way_forbids_what_the_page_allows() {
    let mapping = Mapping {
        virt: WINDOW,
        phys: 0,
        size: PAGE_SIZE,
        flags: Flags::READ_EXECUTE | Flags::RW,
        largest: Level::Pte,
    };
    for (top, expected) in [
        (Flags::TABLE, (true, true)),
        (Flags::TABLE | Flags::NX, (true, false)),
        (Flags::TABLE & !Flags::RW, (false, true)),
    ] {
        let mut found = None;
        with_mapping(mapping, top, || {
            for_each_page(&mut |page| {
                if page.address == WINDOW {
                    found = Some((page.writable, page.executable));
                }
            });
        });
        assert_eq!(found, Some(expected), "{top:?}");
    }
}

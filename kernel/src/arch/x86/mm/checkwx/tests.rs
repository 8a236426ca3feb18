//! Tests of the check: it finds what a test has made wrong, and nothing else.

use core::cell::UnsafeCell;

use super::super::builder::Mapping;
use super::super::set_memory;
use super::super::test_window::{WINDOW, with_mapping};
use super::*;
use crate::mm::{PAGE_SIZE, sections};

#[repr(C, align(4096))]
struct TestPage(UnsafeCell<[u8; PAGE_SIZE]>);

// SAFETY: nobody uses its bytes.
unsafe impl Sync for TestPage {}

static PAGE: TestPage = TestPage(UnsafeCell::new([0; PAGE_SIZE]));

/// The first page that may be written and executed, and how many there are.
fn insecure() -> (Option<usize>, usize) {
    let (mut first, mut count) = (None, 0);
    for_each_wx_page(|address| {
        first.get_or_insert(address);
        count += 1;
    });
    (first, count)
}

#[ktest]
fn a_page_that_is_writable_and_executable_is_found() {
    let page = PAGE.0.get().addr();
    assert_eq!(insecure(), (None, 0));
    assert_eq!(set_memory::set_memory_x(page, 1), Ok(()));
    assert_eq!(insecure(), (Some(page), 1));
    assert_eq!(set_memory::set_memory_nx(page, 1), Ok(()));
    assert_eq!(insecure(), (None, 0));
}

#[ktest]
fn an_entry_on_the_way_forbids_what_the_page_allows() {
    let mapping = Mapping {
        virt: WINDOW,
        phys: 0,
        size: 2 * PAGE_SIZE,
        flags: Flags::READ_EXECUTE | Flags::RW,
        largest: Level::Pte,
    };
    for (top, expected) in [
        (Flags::TABLE, (Some(WINDOW), 2)),
        (Flags::TABLE | Flags::NX, (None, 0)),
        (Flags::TABLE & !Flags::RW, (None, 0)),
    ] {
        with_mapping(mapping, top, || assert_eq!(insecure(), expected, "{top:?}"));
    }
}

#[ktest]
fn a_large_page_is_found_once() {
    let mapping = Mapping {
        virt: WINDOW,
        phys: 1 << 30,
        size: 1 << 30,
        flags: Flags::READ_EXECUTE | Flags::RW,
        largest: Level::Pud,
    };
    with_mapping(mapping, Flags::TABLE, || assert_eq!(insecure(), (Some(WINDOW), 1)));
}

#[ktest]
fn read_only_data_that_the_direct_map_can_write_to_is_found() {
    let start = sections::rodata().start_address() + PAGE_SIZE;
    let section = Section::between(start, start + 2 * PAGE_SIZE);
    let alias = phys_to_virt(section.phys()).addr();
    assert_eq!(set_memory::set_memory_ro(alias, 2), Ok(()));
    assert_eq!(first_writable(section), None);
    assert_eq!(set_memory::set_memory_rw(alias + PAGE_SIZE, 1), Ok(()));
    assert_eq!(first_writable(section), Some(alias + PAGE_SIZE));
    assert_eq!(set_memory::set_memory_rw(alias, 1), Ok(()));
}

#[ktest]
fn read_only_data_that_the_image_can_write_to_is_found() {
    let start = sections::rodata().start_address();
    let section = Section::between(start, start + PAGE_SIZE);
    let alias = phys_to_virt(section.phys()).addr();
    assert_eq!(set_memory::set_memory_ro(alias, 1), Ok(()));
    assert_eq!(set_memory::set_memory_rw(start, 1), Ok(()));
    assert_eq!(first_writable(section), Some(start));
    assert_eq!(set_memory::set_memory_ro(start, 1), Ok(()));
    assert_eq!(first_writable(section), None);
    assert_eq!(set_memory::set_memory_rw(alias, 1), Ok(()));
}

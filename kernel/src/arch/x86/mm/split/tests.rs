//! Tests of splitting: what a page of 1 GiB maps is held against what its parts map, in tables of the tests' own.

use super::super::builder::Mapping;
use super::super::leaves::leaves;
use super::super::test_window::{WINDOW, with_mapping};
use super::*;
use crate::mm::PAGE_SIZE;

const GIB: usize = 1 << 30;

fn with_a_page_of_1_gib(test: impl FnOnce()) {
    let mapping = Mapping {
        virt: WINDOW,
        phys: GIB as u64,
        size: GIB,
        flags: Flags::READ_ONLY,
        largest: Level::Pud,
    };
    with_mapping(mapping, Flags::TABLE, test);
}

/// How many leaves of each level map the window, after each was found to lead where the page of 1 GiB led.
fn parts() -> [usize; 3] {
    let mut parts = [0; 3];
    let mut reached = WINDOW;
    for leaf in leaves(WINDOW..WINDOW + GIB) {
        assert_eq!(leaf.address, reached);
        let large = if leaf.level == Level::Pte { Flags::empty() } else { Flags::LARGE };
        let expected = Entry::new((leaf.address - WINDOW + GIB) as u64, Flags::READ_ONLY | large);
        assert_eq!(leaf.entry(), expected, "{:#x}", leaf.address);
        parts[leaf.level as usize] += 1;
        reached = leaf.end();
    }
    assert_eq!(reached, WINDOW + GIB);
    parts
}

#[ktest]
fn the_parts_of_a_page_of_1_gib_lead_where_it_led() {
    with_a_page_of_1_gib(|| {
        assert_eq!(parts(), [0, 0, 1]);
        assert_eq!(at(WINDOW), Ok(false));
        assert_eq!(at(WINDOW + GIB), Ok(false));
        assert_eq!(parts(), [0, 0, 1]);

        assert_eq!(at(WINDOW + (6 << 20)), Ok(true));
        assert_eq!(parts(), [0, 512, 0]);

        assert_eq!(at(WINDOW + (6 << 20) + PAGE_SIZE), Ok(true));
        assert_eq!(parts(), [512, 511, 0]);
        assert_eq!(at(WINDOW + (8 << 20) - PAGE_SIZE), Ok(false));

        assert_eq!(at(WINDOW + GIB - PAGE_SIZE), Ok(true));
        assert_eq!(parts(), [1024, 510, 0]);
    });
}

#[ktest]
fn a_border_inside_a_page_of_1_gib_takes_both_splits_at_once() {
    with_a_page_of_1_gib(|| {
        assert_eq!(at(WINDOW + GIB / 2 + PAGE_SIZE), Ok(true));
        assert_eq!(parts(), [512, 511, 0]);
    });
}

#[ktest]
fn a_large_page_that_is_not_present_has_parts_that_are_not_present() {
    with_a_page_of_1_gib(|| {
        let leaf = Leaf::of(WINDOW);
        let hidden = Entry(leaf.entry().0 & !Flags::PRESENT.bits());
        // SAFETY: nobody accesses the window.
        unsafe { leaf.set(hidden) };
        assert_eq!(at(WINDOW + PAGE_SIZE), Ok(true));
        assert!(leaves(WINDOW..WINDOW + GIB).all(|leaf| !leaf.entry().is_present() && leaf.entry() != Entry::NONE));
        assert_eq!(Leaf::of(WINDOW + PAGE_SIZE).entry().phys(), (GIB + PAGE_SIZE) as u64);
    });
}

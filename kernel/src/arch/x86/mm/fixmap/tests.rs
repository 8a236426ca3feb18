//! Tests of the window's bookkeeping, on one of the tests' own, and of its tables.

use super::*;

const LARGE: usize = Level::Pmd.size();

#[ktest]
fn areas_take_the_first_room_and_leave_a_page_between() {
    let mut areas = Areas(ArrayVec::new());
    let first = areas.take(0x1000, PAGE_SIZE).unwrap();
    let second = areas.take(0x2000, 2 * PAGE_SIZE).unwrap();
    let third = areas.take(0x5000, PAGE_SIZE).unwrap();
    assert_eq!(first, WINDOW.start..WINDOW.start + PAGE_SIZE);
    assert_eq!(second.start, first.end + PAGE_SIZE);
    assert_eq!(third.start, second.end + PAGE_SIZE);
    areas.give_back(&second);
    assert_eq!(areas.take(0x9000, 2 * PAGE_SIZE), Ok(second.clone()));
    areas.give_back(&second);
    assert_eq!(
        areas.take(0x9000, 3 * PAGE_SIZE).unwrap().start,
        third.end + PAGE_SIZE,
        "there is room for two pages only"
    );
}

#[ktest]
fn a_large_area_lies_so_that_large_pages_fit() {
    let mut areas = Areas(ArrayVec::new());
    areas.take(0, PAGE_SIZE).unwrap();
    for phys in [0xfd00_0000_u64, 0xe010_3000] {
        let area = areas.take(phys, 3 * LARGE).unwrap();
        assert_eq!(area.start % LARGE, phys as usize % LARGE);
    }
}

#[ktest]
fn what_does_not_fit_is_refused() {
    let mut areas = Areas(ArrayVec::new());
    assert_eq!(areas.take(0, WINDOW.len() + PAGE_SIZE), Err(Errno::ENOMEM));
    assert_eq!(areas.take(0, usize::MAX & !(PAGE_SIZE - 1)), Err(Errno::ENOMEM));
    for _ in 0..MAX_AREAS {
        areas.take(0, PAGE_SIZE).unwrap();
    }
    assert_eq!(areas.take(0, PAGE_SIZE), Err(Errno::ENOMEM), "there are places for so many only");
}

#[ktest]
fn a_mapping_leads_where_it_should_and_is_gone_afterwards() {
    let phys = 0xfd20_0000;
    let size = 2 * LARGE + PAGE_SIZE;
    let area = map(phys, size, Flags::READ_ONLY).expect("room");
    let mut reached = area.start;
    for leaf in super::super::leaves::leaves(area.clone()) {
        assert_eq!((leaf.address, leaf.entry().phys()), (reached, phys + (reached - area.start) as u64));
        reached = leaf.end();
    }
    assert_eq!(reached, area.end);
    // SAFETY: nobody has used the addresses.
    unsafe { unmap(&area) };
    assert!(super::super::leaves::leaves(area).all(|leaf| !leaf.entry().is_present()));
}

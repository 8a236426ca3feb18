use super::*;
use crate::page::{Page, PageFlags};
use crate::zone::ZoneType;
use proptest::prelude::*;
use std::vec::Vec;

#[derive(Debug, Clone, Copy)]
struct Leaked(&'static [Page]);

impl MemMap for Leaked {
    fn page(self, pfn: u64) -> &'static Page {
        &self.0[pfn as usize]
    }
}

fn map(pages: usize) -> Leaked {
    let pages: Vec<Page> = (0..pages).map(|_| Page::new(ZoneType::Normal, 0, PageFlags::empty(), 0)).collect();
    Leaked(pages.leak())
}

#[test]
fn what_was_freed_last_is_handed_out_first() {
    let map = map(8);
    let mut pages = PerCpuPages::new();
    pages.set_limits(8, 2);
    for pfn in 0..4 {
        assert!(!pages.push(map, pfn, 0, MigrateType::Movable));
    }
    assert_eq!(pages.pop(map, 0, MigrateType::Movable), Some(3));
    assert_eq!(pages.pop(map, 0, MigrateType::Unmovable), None);
    assert_eq!(pages.pop(map, 1, MigrateType::Movable), None);
    assert_eq!(pages.count(), 3);
}

#[test]
fn many_are_handed_out_as_one_by_one() {
    let map = map(8);
    let mut pages = PerCpuPages::new();
    pages.set_limits(20, 2);
    for pfn in 0..5 {
        assert!(!pages.push(map, pfn, 0, MigrateType::Movable));
    }
    let mut got = Vec::new();
    assert_eq!(pages.pop_many(map, MigrateType::Movable, 2, |pfn| got.push(pfn)), 2);
    assert_eq!((&got[..], pages.count()), (&[4, 3][..], 3));
    assert_eq!(pages.pop(map, 0, MigrateType::Movable), Some(2));
    assert_eq!(pages.pop_many(map, MigrateType::Movable, 0, |pfn| got.push(pfn)), 0);
    assert_eq!(pages.pop_many(map, MigrateType::Movable, 3, |pfn| got.push(pfn)), 2);
    assert_eq!((&got[..], pages.count()), (&[4, 3, 1, 0][..], 0));
    assert_eq!(pages.pop_many(map, MigrateType::Movable, 3, |pfn| got.push(pfn)), 0);
    assert!(!pages.push(map, 7, 0, MigrateType::Movable));
    let mut given = Vec::new();
    pages.drain(map, |pfn, order| given.push((pfn, order)));
    assert_eq!(given, [(7, 0)]);
}

#[test]
fn too_many_pages_go_back_by_the_batch_the_oldest_first() {
    let map = map(8);
    let mut pages = PerCpuPages::new();
    pages.set_limits(4, 2);
    for pfn in 0..3 {
        assert!(!pages.push(map, pfn, 0, MigrateType::Unmovable));
    }
    assert!(pages.push(map, 3, 0, MigrateType::Unmovable));
    let mut given = Vec::new();
    pages.give_back(map, |pfn, order| given.push((pfn, order)));
    assert_eq!(given, [(0, 0), (1, 0)]);
    assert_eq!(pages.count(), 2);
}

#[test]
fn an_empty_list_is_filled_with_a_batch() {
    let map = map(16);
    let mut pages = PerCpuPages::new();
    pages.set_limits(20, 4);
    let mut zone = 0..16;
    assert_eq!(pages.refill(map, 0, MigrateType::Movable, || zone.next()), Some(0));
    assert_eq!(pages.count(), 3);
    let next: Vec<_> = (0..4).map(|_| pages.pop(map, 0, MigrateType::Movable)).collect();
    assert_eq!(next, [Some(1), Some(2), Some(3), None]);
    let mut nothing = 0..0;
    assert_eq!(pages.refill(map, 0, MigrateType::Movable, || nothing.next()), None);
}

#[test]
fn nothing_is_kept_before_there_are_limits() {
    let map = map(4);
    let mut pages = PerCpuPages::new();
    let mut zone = 0..4;
    assert_eq!(pages.refill(map, 0, MigrateType::Unmovable, || zone.next()), Some(0));
    assert_eq!((pages.count(), zone), (0, 1..4));
    assert!(pages.push(map, 0, 0, MigrateType::Unmovable));
    let mut given = Vec::new();
    pages.give_back(map, |pfn, order| given.push((pfn, order)));
    assert_eq!((pages.count(), given), (0, Vec::from([(0, 0)])));
}

proptest! {
    #[test]
    fn the_count_is_that_of_the_blocks_and_all_come_back(
        high in 0..40_u32, batch in 0..12_u32, blocks in prop::collection::vec((0..=MAX_PCP_ORDER, 0..4_usize), 1..60)
    ) {
        let map = map(blocks.len() * 8);
        let mut pages = PerCpuPages::new();
        pages.set_limits(high, batch);
        let mut given = Vec::new();
        for (index, (order, kind)) in blocks.iter().enumerate() {
            if pages.push(map, index as u64 * 8, *order, MigrateType::ALL[*kind]) {
                pages.give_back(map, |pfn, order| given.push((pfn / 8, order)));
            }
            let pushed: u32 = blocks[..=index].iter().map(|(order, _)| 1 << order).sum();
            let back: u32 = given.iter().map(|(_, order)| 1 << order).sum();
            prop_assert_eq!(pages.count(), pushed - back);
            // A batch at most goes back at once, rounded up to a block.
            prop_assert!(pages.count() < high.max(1) + 8);
        }
        pages.drain(map, |pfn, order| given.push((pfn / 8, order)));
        prop_assert_eq!(pages.count(), 0);
        given.sort_unstable();
        let all: Vec<_> = blocks.iter().enumerate().map(|(index, (order, _))| (index as u64, *order)).collect();
        prop_assert_eq!(given, all);
    }
}

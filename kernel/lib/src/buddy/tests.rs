use super::*;
use crate::page::PageFlags;
use crate::zone::ZoneType;
use proptest::prelude::*;
use std::{vec, vec::Vec};

/// Page frames from `base` on, for good.
#[derive(Debug, Clone, Copy)]
pub struct Leaked {
    base: u64,
    pages: &'static [Page],
}

impl MemMap for Leaked {
    fn page(self, pfn: u64) -> &'static Page {
        &self.pages[(pfn - self.base) as usize]
    }
}

impl Leaked {
    /// Granules that hold `span`, whose frames are memory of the zone and nobody's yet; all others are reserved.
    pub fn new(span: Range<u64>) -> Self {
        let granule = 1 << MAX_ORDER;
        let base = span.start / granule * granule;
        let page = |pfn| match span.contains(&pfn) {
            true => Page::new(ZoneType::Normal, 0, PageFlags::empty(), 0),
            false => Page::new(ZoneType::Normal, 0, PageFlags::RESERVED, 1),
        };
        let pages: Vec<Page> = (base..span.end.next_multiple_of(granule)).map(page).collect();
        Self { base, pages: pages.leak() }
    }
}

/// A zone without free pages.
pub fn zone(span: Range<u64>) -> (Leaked, Buddy<Leaked>) {
    let map = Leaked::new(span.clone());
    let blocks: Vec<AtomicU8> = (0..pageblocks(&span)).map(|_| AtomicU8::new(0)).collect();
    (map, Buddy::new(map, span, blocks.leak()))
}

/// A zone all of whose pages are free.
fn free_zone(span: Range<u64>) -> (Leaked, Buddy<Leaked>) {
    let (map, mut buddy) = zone(span.clone());
    buddy.free_range(span);
    (map, buddy)
}

/// Blocks of each order.
fn shape(buddy: &Buddy<Leaked>) -> [u64; ORDERS] {
    core::array::from_fn(|order| buddy.blocks(order as u32))
}

/// All free blocks, by address; every list must be what its pages say.
fn free_blocks(map: Leaked, buddy: &Buddy<Leaked>) -> Vec<Range<u64>> {
    let mut blocks = Vec::new();
    for order in 0..=MAX_ORDER {
        for kind in MigrateType::ALL {
            let list: Vec<u64> = buddy.list(order, kind).iter(map).collect();
            assert_eq!(list.len() as u64, buddy.list(order, kind).len());
            for pfn in list {
                assert_eq!((pfn % (1 << order), buddy.order_of(pfn)), (0, Some(order)));
                blocks.push(pfn..pfn + (1 << order));
            }
        }
    }
    blocks.sort_by_key(|block| block.start);
    assert!(blocks.windows(2).all(|pair| pair[0].end <= pair[1].start), "free blocks overlap");
    assert_eq!(blocks.iter().map(|block| block.end - block.start).sum::<u64>(), buddy.free_pages());
    blocks
}

#[test]
fn a_range_becomes_the_largest_blocks_that_lie_in_it() {
    let (map, buddy) = free_zone(3..2050);
    let expected = [
        3..4,
        4..8,
        8..16,
        16..32,
        32..64,
        64..128,
        128..256,
        256..512,
        512..1024,
        1024..2048,
        2048..2050,
    ];
    assert_eq!(free_blocks(map, &buddy), expected);
    assert_eq!(shape(&buddy), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_block_is_split_down_to_what_was_asked_for_and_joined_again() {
    let (map, mut buddy) = free_zone(0..1024);
    assert_eq!(buddy.alloc(2, MigrateType::Movable), Some(0));
    assert_eq!(shape(&buddy), [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
    assert_eq!(buddy.free_pages(), 1020);
    buddy.free(0, 2, Place::Head);
    assert_eq!(free_blocks(map, &buddy), core::slice::from_ref(&(0..1024)));
}

#[test]
fn a_block_that_is_too_large_or_not_there_is_refused() {
    let (_, mut buddy) = free_zone(0..512);
    assert_eq!(buddy.alloc(10, MigrateType::Unmovable), None);
    assert_eq!(buddy.alloc(9, MigrateType::Unmovable), Some(0));
    assert_eq!(buddy.alloc(0, MigrateType::Unmovable), None);
    assert_eq!(buddy.free_pages(), 0);
}

#[test]
fn buddies_of_different_zones_stay_apart() {
    let map = Leaked {
        base: 0,
        pages: Vec::from_iter((0..1024).map(|pfn| {
            let kind = if pfn < 512 { ZoneType::Dma } else { ZoneType::Dma32 };
            Page::new(kind, 0, PageFlags::empty(), 0)
        }))
        .leak(),
    };
    let blocks = || vec![0, 0].into_iter().map(AtomicU8::new).collect::<Vec<_>>().leak();
    let (mut low, mut high) = (Buddy::new(map, 0..512, blocks()), Buddy::new(map, 512..1024, blocks()));
    low.free_range(0..512);
    high.free_range(512..1024);
    assert_eq!((low.blocks(9), low.blocks(10)), (1, 0));
    assert_eq!((high.blocks(9), high.blocks(10)), (1, 0));
}

#[test]
fn what_cannot_be_moved_takes_whole_page_blocks() {
    let (map, mut buddy) = free_zone(0..4096);
    let first = buddy.alloc(0, MigrateType::Unmovable).expect("a page");
    // The largest block changed sides, with both its page blocks.
    assert_eq!(buddy.block_type(first), MigrateType::Unmovable);
    let second = buddy.alloc(0, MigrateType::Unmovable).expect("a page");
    assert_eq!(second / 1024, first / 1024);
    assert!(buddy.list(1, MigrateType::Movable).is_empty() && !buddy.list(1, MigrateType::Unmovable).is_empty());
    let movable = buddy.alloc(0, MigrateType::Movable).expect("a page");
    assert_ne!(movable / 1024, first / 1024);
    for pfn in [first, second, movable] {
        buddy.free(pfn, 0, Place::Head);
    }
    assert_eq!(free_blocks(map, &buddy), [0..1024, 1024..2048, 2048..3072, 3072..4096]);
}

#[test]
fn a_page_block_mostly_in_use_keeps_its_type_when_its_rest_is_taken() {
    let (_, mut buddy) = free_zone(0..512);
    for _ in 0..3 {
        buddy.alloc(7, MigrateType::Movable).expect("a block");
    }
    assert_eq!(buddy.free_pages(), 128);
    let taken = buddy.alloc(0, MigrateType::Unmovable).expect("a page of the rest");
    assert_eq!(buddy.block_type(taken), MigrateType::Movable);
    assert_eq!(buddy.list(6, MigrateType::Unmovable).len(), 1);
}

#[test]
fn without_grouping_all_types_share_everything() {
    let (map, mut buddy) = zone(0..1024);
    buddy.disable_grouping();
    buddy.free_range(0..1024);
    let pages: Vec<u64> = MigrateType::ALL.map(|kind| buddy.alloc(0, kind).expect("a page")).into();
    assert_eq!(pages, [0, 1, 2, 3]);
    pages.into_iter().for_each(|pfn| buddy.free(pfn, 0, Place::Tail));
    assert_eq!(free_blocks(map, &buddy), core::slice::from_ref(&(0..1024)));
}

#[test]
fn blocks_kept_for_who_cannot_wait_are_joined_with_no_others() {
    let (map, mut buddy) = free_zone(0..1024);
    let pfn = buddy.alloc(9, MigrateType::Movable).expect("half");
    buddy.set_block_type(pfn, MigrateType::HighAtomic);
    buddy.free(pfn, 9, Place::Head);
    assert_eq!(free_blocks(map, &buddy), [0..512, 512..1024]);
    assert_eq!(buddy.alloc(9, MigrateType::Unmovable), Some(512));
    assert_eq!(buddy.alloc(0, MigrateType::Unmovable), None);
    assert_eq!(buddy.alloc_of(0, MigrateType::HighAtomic), Some(0));
}

#[test]
fn a_page_block_is_kept_for_who_cannot_wait_and_given_up() {
    let (map, mut buddy) = free_zone(0..1024);
    let pfn = buddy.alloc(1, MigrateType::Unmovable).expect("two pages");
    assert!(buddy.reserve_highatomic(pfn));
    assert!(!buddy.reserve_highatomic(pfn + 1), "it is kept already");
    assert_eq!((buddy.block_type(pfn), buddy.free_pages()), (MigrateType::HighAtomic, 1022));
    // The other page block is what is left for all others.
    let kept = pfn / PAGEBLOCK_PAGES;
    assert!((0..512).all(|_| {
        buddy
            .alloc(0, MigrateType::Unmovable)
            .is_some_and(|pfn| pfn / PAGEBLOCK_PAGES != kept)
    }));
    assert_eq!(buddy.alloc(0, MigrateType::Movable), None);
    assert!(buddy.unreserve_highatomic(MigrateType::Movable));
    assert_eq!(buddy.block_type(pfn), MigrateType::Movable);
    assert!(buddy.alloc(0, MigrateType::Movable).is_some());
    assert!(!buddy.unreserve_highatomic(MigrateType::Movable), "there is none");
    assert_eq!(
        free_blocks(map, &buddy).len() as u64,
        (0..=MAX_ORDER).map(|order| buddy.blocks(order)).sum::<u64>()
    );
}

#[test]
fn a_single_page_is_taken_out_of_the_block_around_it() {
    let (map, mut buddy) = free_zone(0..64);
    assert!(buddy.take(37));
    assert!(!buddy.take(37));
    assert_eq!(free_blocks(map, &buddy), [0..32, 32..36, 36..37, 38..40, 40..48, 48..64]);
    buddy.free(37, 0, Place::Head);
    assert_eq!(free_blocks(map, &buddy), core::slice::from_ref(&(0..64)));
}

/// What a test does with a zone.
#[derive(Debug, Clone)]
enum Step {
    Alloc { order: u32, kind: usize },
    Free { which: usize, tail: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (prop_oneof![4 => Just(0), 3 => 0..4_u32, 1 => 0..=MAX_ORDER], 0..3_usize).prop_map(|(order, kind)| Step::Alloc { order, kind }),
        (any::<usize>(), any::<bool>()).prop_map(|(which, tail)| Step::Free { which, tail }),
    ]
}

proptest! {
    #[test]
    fn nothing_is_handed_out_twice_and_all_comes_together_again(
        start in 0..3000_u64, len in 1..5000_u64, grouping in any::<bool>(), steps in prop::collection::vec(step(), 1..400)
    ) {
        let span = start..start + len;
        let (map, mut buddy) = zone(span.clone());
        if !grouping {
            buddy.disable_grouping();
        }
        buddy.free_range(span.clone());
        let before = free_blocks(map, &buddy);
        let mut used = vec![false; len as usize];
        let mut held: Vec<(u64, u32)> = Vec::new();
        for step in steps {
            match step {
                Step::Alloc { order, kind } => match buddy.alloc(order, MigrateType::ALL[kind]) {
                    Some(pfn) => {
                        prop_assert!(pfn % (1 << order) == 0 && pfn >= span.start && pfn + (1 << order) <= span.end);
                        for page in pfn..pfn + (1 << order) {
                            prop_assert!(!core::mem::replace(&mut used[(page - start) as usize], true), "{} is handed out twice", page);
                        }
                        held.push((pfn, order));
                    }
                    // Whatever its type, a block that is large enough is found.
                    None => prop_assert!((order..=MAX_ORDER).all(|order| buddy.blocks(order) == 0)),
                },
                Step::Free { which, tail } if !held.is_empty() => {
                    let (pfn, order) = held.swap_remove(which % held.len());
                    used[(pfn - start) as usize..][..1 << order].fill(false);
                    buddy.free(pfn, order, if tail { Place::Tail } else { Place::Head });
                }
                Step::Free { .. } => {}
            }
            let pages: u64 = held.iter().map(|(_, order)| 1 << order).sum();
            prop_assert_eq!(buddy.free_pages() + pages, len);
        }
        for block in free_blocks(map, &buddy) {
            prop_assert!(block.into_iter().all(|pfn| !used[(pfn - start) as usize]));
        }
        for (pfn, order) in held {
            buddy.free(pfn, order, Place::Head);
        }
        prop_assert_eq!(free_blocks(map, &buddy), before);
    }
}

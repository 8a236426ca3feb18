mod growth;
mod model;

use super::*;
use std::{string::ToString, vec::Vec};

type Small = Memblock<8>;

fn spans<const N: usize>(regions: &Regions<N>) -> Vec<(u64, u64)> {
    regions.iter().map(|region| (region.base, region.end())).collect()
}

fn with_memory(ranges: &[(u64, u64)]) -> Small {
    let mut memblock = Small::new();
    for (base, end) in ranges {
        memblock.add(*base, end - base).expect("room");
    }
    memblock
}

#[test]
fn ranges_that_touch_or_overlap_become_one() {
    let mut memblock = with_memory(&[(0x3000, 0x4000), (0x1000, 0x2000), (0x2000, 0x3000)]);
    assert_eq!(spans(memblock.memory()), [(0x1000, 0x4000)]);
    memblock.add(0, 0x8000).expect("room");
    memblock.add(0x2000, 0x10).expect("room");
    assert_eq!(spans(memblock.memory()), [(0, 0x8000)]);
}

#[test]
fn a_range_that_spans_several_fills_the_holes() {
    let mut memblock = with_memory(&[(1, 2), (4, 5), (7, 8), (20, 21)]);
    memblock.add(0, 10).expect("room");
    assert_eq!(spans(memblock.memory()), [(0, 10), (20, 21)]);
}

#[test]
fn a_range_of_size_0_is_nothing() {
    let mut memblock = with_memory(&[(0x1000, 0x2000)]);
    assert_eq!(memblock.add(0x5000, 0), Ok(()));
    assert_eq!(memblock.remove(0x1800, 0), Ok(()));
    assert_eq!(memblock.mark(0x1800, 0, RegionFlags::NOMAP, true), Ok(()));
    assert_eq!(spans(memblock.memory()), [(0x1000, 0x2000)]);
}

#[test]
fn a_range_past_the_end_of_the_address_space_ends_there() {
    let mut memblock = with_memory(&[]);
    memblock.add(u64::MAX - 0xfff, u64::MAX).expect("room");
    assert_eq!(spans(memblock.memory()), [(u64::MAX - 0xfff, u64::MAX)]);
    memblock.remove(u64::MAX - 1, 5).expect("room");
    assert_eq!(memblock.end_of_dram(), u64::MAX - 1);
}

#[test]
fn removal_trims_splits_and_drops() {
    let mut memblock = with_memory(&[(0, 10), (20, 30), (40, 50)]);
    memblock.remove(5, 40).expect("room");
    assert_eq!(spans(memblock.memory()), [(0, 5), (45, 50)]);
    memblock.remove(46, 2).expect("room");
    assert_eq!(spans(memblock.memory()), [(0, 5), (45, 46), (48, 50)]);
}

fn full() -> Small {
    with_memory(&[(0, 10), (20, 30), (40, 50), (60, 70), (80, 90), (100, 110), (120, 130), (140, 150)])
}

#[test]
fn a_full_list_is_an_error_and_stays_as_it_was() {
    let mut memblock = full();
    let before = spans(memblock.memory());
    let error = Err(MemblockError::Full(List::Memory));
    assert_eq!(memblock.add(15, 1), error);
    assert_eq!(memblock.add(200, 1), error);
    assert_eq!(memblock.remove(22, 2), error);
    assert_eq!(memblock.mark(22, 2, RegionFlags::NOMAP, true), error);
    assert_eq!(memblock.mark(5, 20, RegionFlags::NOMAP, true), error);
    assert_eq!(spans(memblock.memory()), before);
}

#[test]
fn what_needs_no_slot_works_in_a_full_list() {
    let mut memblock = full();
    assert_eq!(memblock.add(10, 5), Ok(()));
    assert_eq!(memblock.add(18, 2), Ok(()));
    assert_eq!(memblock.remove(55, 7), Ok(()));
    assert_eq!(memblock.remove(85, 20), Ok(()));
    assert_eq!(memblock.mark(0, 15, RegionFlags::NOMAP, true), Ok(()));
    assert_eq!(spans(memblock.memory())[..4], [(0, 15), (18, 30), (40, 50), (62, 70)]);
    assert_eq!(spans(memblock.memory())[4..], [(80, 85), (105, 110), (120, 130), (140, 150)]);
    assert_eq!(memblock.add(0, 1000), Ok(()));
    assert_eq!(spans(memblock.memory()), [(0, 15), (15, 1000)]);
}

#[test]
fn a_hole_that_spans_regions_needs_no_slot_in_a_full_list() {
    let mut memblock = full();
    assert_eq!(memblock.remove(5, 20), Ok(()));
    assert_eq!(spans(memblock.memory())[..2], [(0, 5), (25, 30)]);
}

#[test]
fn flags_split_and_their_removal_joins() {
    let mut memblock = with_memory(&[(0, 10), (20, 30)]);
    memblock.mark(5, 20, RegionFlags::NOMAP, true).expect("room");
    assert_eq!(spans(memblock.memory()), [(0, 5), (5, 10), (20, 25), (25, 30)]);
    let nomap: Vec<bool> = memblock.memory().iter().map(|region| region.flags == RegionFlags::NOMAP).collect();
    assert_eq!(nomap, [false, true, true, false]);
    memblock.mark(0, 100, RegionFlags::NOMAP, false).expect("room");
    assert_eq!(spans(memblock.memory()), [(0, 10), (20, 30)]);
}

#[test]
fn allocation_goes_down_from_the_top() {
    let mut memblock = with_memory(&[(0, 0x8000), (0x1_0000, 0x2_0000)]);
    assert_eq!(memblock.alloc(0x1000, 0x1000), Ok(0x1_f000));
    assert_eq!(memblock.alloc(1, 1), Ok(0x1_efff));
    assert_eq!(memblock.alloc(0x8000, 0x8000), Ok(0x1_0000));
    assert_eq!(memblock.alloc(0x6000, 0x1000), Ok(0x1_8000));
    assert_eq!(memblock.alloc(0x6000, 0x1000), Ok(0x2000));
}

#[test]
fn allocation_goes_up_when_told_to() {
    let mut memblock = with_memory(&[(0, 0x8000), (0x1_0000, 0x2_0000)]);
    memblock.set_bottom_up(Some(0));
    assert_eq!(memblock.alloc(0x800, 0x1000), Ok(0x1000));
    assert_eq!(memblock.alloc(0x1000, 0x1000), Ok(0x2000));
    assert_eq!(memblock.alloc(0x8000, 0x1000), Ok(0x1_0000));
    assert_eq!(memblock.alloc(0x10, 0x10), Ok(0x1800));
}

#[test]
fn allocation_upwards_begins_where_it_is_told_and_goes_below_when_that_is_full() {
    let mut memblock = with_memory(&[(0x1000, 0x8000), (0x1_0000, 0x2_0000)]);
    memblock.set_bottom_up(Some(0x1_e000));
    assert_eq!(memblock.alloc(0x1000, 0x1000), Ok(0x1_e000));
    assert_eq!(memblock.alloc(0x1000, 0x1000), Ok(0x1_f000));
    assert_eq!(memblock.alloc(0x1000, 0x1000), Ok(0x1000));
    assert_eq!(memblock.alloc(0x8000, 0x1000), Ok(0x1_0000));
    memblock.set_bottom_up(None);
    assert_eq!(memblock.alloc(0x1000, 0x1000), Ok(0x1_d000));
}

#[test]
fn what_can_be_unplugged_is_free_and_yet_spared() {
    let mut memblock = with_memory(&[(0x1000, 0x4000), (0x8000, 0x9000)]);
    memblock.mark(0x8000, 0x1000, RegionFlags::HOTPLUG, true).expect("room");
    assert_eq!(memblock.find_in_range(0x1000, 0x1000, 0, u64::MAX), Ok(0x8000));
    memblock.spare_hotplug();
    assert_eq!(memblock.alloc(0x1000, 0x1000), Ok(0x3000));
    assert_eq!(memblock.free_ranges().last(), Some(0x8000..0x9000));
    let none = MemblockError::NoMemory { size: 0x3000, align: 1 };
    assert_eq!(memblock.alloc(0x3000, 1), Err(none));
}

#[test]
fn free_ranges_can_be_had_from_anywhere_on() {
    let mut memblock = with_memory(&[(0x1000, 0x4000), (0x8000, 0x9000)]);
    memblock.reserve(0x2000, 0x800).expect("room");
    let from = |from| memblock.free_ranges_from(from).collect::<Vec<_>>();
    assert_eq!(from(0), [0x1000..0x2000, 0x2800..0x4000, 0x8000..0x9000]);
    assert_eq!(from(0x1800), [0x1800..0x2000, 0x2800..0x4000, 0x8000..0x9000]);
    assert_eq!(from(0x2000), [0x2800..0x4000, 0x8000..0x9000]);
    assert_eq!(from(0x3000), [0x3000..0x4000, 0x8000..0x9000]);
    assert_eq!(from(0x4000), from(0x8000));
    assert_eq!(from(0x9000), []);
}

#[test]
fn the_first_page_is_never_allocated() {
    let mut memblock = with_memory(&[(0, 0x2000)]);
    assert_eq!(memblock.alloc(0x1000, 1), Ok(0x1000));
    let none = MemblockError::NoMemory { size: 1, align: 1 };
    assert_eq!(memblock.alloc(1, 1), Err(none));
    assert_eq!(Errno::from(none), Errno::ENOMEM);
}

#[test]
fn allocation_keeps_within_its_limits() {
    let mut memblock = with_memory(&[(0x1000, 0x10_0000)]);
    memblock.set_current_limit(0x8000);
    assert_eq!(memblock.find_in_range(0x1000, 0x1000, 0, u64::MAX), Ok(0x7000));
    assert_eq!(memblock.find_in_range(0x1000, 0x1000, 0, 0x4fff), Ok(0x3000));
    assert_eq!(memblock.find_in_range(0x1000, 0x1000, 0x6001, u64::MAX), Ok(0x7000));
    let none = Err(MemblockError::NoMemory {
        size: 0x1000,
        align: 0x1000,
    });
    assert_eq!(memblock.find_in_range(0x1000, 0x1000, 0x7001, u64::MAX), none);
    assert_eq!(memblock.find_in_range(0x1000, 0x1000, 0x9000, 0xa000), none);
}

#[test]
fn a_request_without_size_or_with_a_bad_alignment_is_refused() {
    let mut memblock = with_memory(&[(0x1000, 0x8000)]);
    for (size, align) in [(0, 1), (1, 0), (1, 3), (8, 0x1001)] {
        let error = MemblockError::BadRequest { size, align };
        assert_eq!(memblock.alloc(size, align), Err(error));
        assert_eq!(Errno::from(error), Errno::EINVAL);
    }
    assert!(memblock.alloc(u64::MAX, 1 << 63).is_err());
    assert!(memblock.alloc(u64::MAX, 1).is_err());
    assert!(memblock.reserved().is_empty());
}

#[test]
fn an_allocation_without_a_slot_for_it_reserves_nothing() {
    let mut memblock = with_memory(&[(0x1000, 0x2000)]);
    for at in 0..8 {
        memblock.reserve(0x10_0000 + at * 0x1000, 1).expect("room");
    }
    assert_eq!(memblock.alloc(0x10, 0x10), Err(MemblockError::Full(List::Reserved)));
    assert!(!memblock.is_region_reserved(0x1000, 0x1000));
}

#[test]
fn memory_that_is_not_to_be_mapped_is_not_free() {
    let mut memblock = with_memory(&[(0x1000, 0x4000)]);
    memblock.mark(0x2000, 0x1000, RegionFlags::NOMAP, true).expect("room");
    let free: Vec<_> = memblock.free_ranges().collect();
    assert_eq!(free, [0x1000..0x2000, 0x3000..0x4000]);
}

#[test]
fn memory_of_two_nodes_is_two_regions_and_that_of_one_node_is_one() {
    let mut memblock = with_memory(&[(0x1000, 0x9000)]);
    memblock.set_node(0, 0x5000, 0).expect("room");
    memblock.set_node(0x5000, 0x5000, 3).expect("room");
    let nodes: Vec<_> = memblock.memory().iter().map(|region| (region.base, region.nid())).collect();
    assert_eq!(nodes, [(0x1000, Some(0)), (0x5000, Some(3))]);
    memblock.set_node(0, u64::MAX, 0).expect("room");
    assert_eq!(spans(memblock.memory()), [(0x1000, 0x9000)]);
    assert_eq!(Small::new().memory().find(0).and_then(|region| region.nid()), None);
}

#[test]
fn memory_keeps_its_node_when_it_is_split_and_marked() {
    let mut memblock = with_memory(&[(0x1000, 0x9000)]);
    memblock.set_node(0, 0x9000, 2).expect("room");
    memblock.remove(0x3000, 0x1000).expect("room");
    memblock.mark(0x5000, 0x1000, RegionFlags::NOMAP, true).expect("room");
    assert_eq!(memblock.memory().len(), 4);
    assert!(memblock.memory().iter().all(|region| region.nid() == Some(2)));
    // What is added is nobody's, so it does not become part of its neighbours.
    memblock.add(0x3000, 0x1000).expect("room");
    assert_eq!(memblock.memory().find(0x3000).and_then(|region| region.nid()), None);
    assert_eq!(memblock.memory().len(), 5);
}

#[test]
fn memory_of_a_node_is_allocated_there_first_and_then_elsewhere() {
    let mut memblock = with_memory(&[(0x1000, 0x9000)]);
    memblock.set_node(0, 0x4000, 0).expect("room");
    memblock.set_node(0x4000, 0x5000, 1).expect("room");
    assert_eq!(memblock.alloc_node(0x2000, 0x1000, 0), Ok(0x2000));
    assert_eq!(memblock.alloc_node(0x2000, 0x1000, 0), Ok(0x7000));
    assert_eq!(memblock.alloc_node(0x1000, 0x1000, 0), Ok(0x1000));
    assert_eq!(memblock.alloc_node(0x1000, 0x1000, 9), Ok(0x6000));
    let bad = MemblockError::BadRequest { size: 0, align: 1 };
    assert_eq!(memblock.alloc_node(0, 1, 0), Err(bad));
    assert!(
        memblock
            .free_ranges_of(Some(1))
            .eq([(0x4000, 0x6000)].map(|(start, end)| start..end))
    );
}

#[test]
fn a_freed_range_can_be_allocated_again() {
    let mut memblock = with_memory(&[(0x1000, 0x3000)]);
    assert_eq!(memblock.alloc(0x2000, 0x1000), Ok(0x1000));
    memblock.free(0x2000, 0x1000).expect("room");
    assert!(memblock.is_reserved(0x1fff) && !memblock.is_reserved(0x2000));
    assert_eq!(memblock.alloc(0x1000, 0x1000), Ok(0x2000));
}

#[test]
fn questions_about_ranges_are_answered_at_their_edges() {
    let memblock = with_memory(&[(0x1000, 0x3000), (0x5000, 0x6000)]);
    assert!(memblock.is_memory(0x1000) && memblock.is_memory(0x2fff));
    assert!(!memblock.is_memory(0xfff) && !memblock.is_memory(0x3000));
    assert!(memblock.is_region_memory(0x1000, 0x2000));
    assert!(!memblock.is_region_memory(0x1000, 0x2001));
    assert!(!memblock.is_region_memory(0x2000, u64::MAX));
    assert!(memblock.memory().overlaps(0, 0x1001) && !memblock.memory().overlaps(0, 0x1000));
    assert!(!memblock.memory().overlaps(0x3000, 0x2000));
    assert!(!memblock.memory().overlaps(0x1800, 0));
    assert_eq!((memblock.start_of_dram(), memblock.end_of_dram()), (0x1000, 0x6000));
    assert_eq!(memblock.memory().total_size(), 0x3000);
    assert_eq!((Small::new().start_of_dram(), Small::new().end_of_dram()), (0, 0));
}

#[test]
fn a_memory_limit_counts_memory_and_not_holes() {
    let mut memblock = with_memory(&[(0x1000, 0x3000), (0x8000, 0xa000)]);
    memblock.reserve(0x8800, 0x1000).expect("room");
    memblock.enforce_memory_limit(0x3000);
    assert_eq!(spans(memblock.memory()), [(0x1000, 0x3000), (0x8000, 0x9000)]);
    assert_eq!(spans(memblock.reserved()), [(0x8800, 0x9000)]);
    memblock.enforce_memory_limit(0x10_0000);
    assert_eq!(memblock.end_of_dram(), 0x9000);
    memblock.enforce_memory_limit(0);
    assert!(memblock.memory().is_empty() && memblock.reserved().is_empty());
}

#[test]
fn the_dump_is_linux_s() {
    let mut memblock = with_memory(&[(0x1000, 0x9f000), (0x10_0000, 0x20_0000)]);
    memblock.mark(0x10_0000, 0x10_0000, RegionFlags::NOMAP, true).expect("room");
    memblock.set_node(0x10_0000, 0x10_0000, 1).expect("room");
    memblock.reserve(0x1000, 0x1000).expect("room");
    let lines: Vec<_> = memblock.dump().map(|line| line.to_string()).collect();
    assert_eq!(
        lines,
        [
            "MEMBLOCK configuration:",
            " memory size = 0x000000000019e000 reserved size = 0x0000000000001000",
            " memory.cnt  = 0x2",
            " memory[0x0]\t[0x0000000000001000-0x000000000009efff], 0x000000000009e000 bytes flags: 0x0",
            " memory[0x1]\t[0x0000000000100000-0x00000000001fffff], 0x0000000000100000 bytes on node 1 flags: 0x4",
            " reserved.cnt  = 0x1",
            " reserved[0x0]\t[0x0000000000001000-0x0000000000001fff], 0x0000000000001000 bytes flags: 0x0",
        ]
    );
}

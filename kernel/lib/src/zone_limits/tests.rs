use super::*;
use crate::sparse;
use proptest::prelude::*;
use std::vec::Vec;

fn memory(ranges: &[(u64, u64, usize)]) -> Vec<NodeRange> {
    ranges
        .iter()
        .map(|&(start, end, nid)| NodeRange { pfns: start..end, nid })
        .collect()
}

#[test]
fn a_machine_of_128_mib_has_two_zones() {
    // As QEMU's pc: the first page is kept by the firmware, and so is what lies between 636 KiB and 1 MiB.
    let memory = memory(&[(1, 0x9f, 0), (0x100, 0x7fe0, 0)]);
    let limits = ZoneLimits::new(1, 0x7fe0);
    let extent = |zone| limits.extent(zone, 0, None, memory.iter().cloned());
    let dma = extent(ZoneType::Dma);
    assert_eq!((dma.spanned.clone(), dma.present, dma.absent()), (1..0x1000, 0xf9e, 0x61));
    let dma32 = extent(ZoneType::Dma32);
    assert_eq!((dma32.spanned.clone(), dma32.present), (0x1000..0x7fe0, 0x6fe0));
    assert_eq!(extent(ZoneType::Normal), ZoneExtent::default());
    assert_eq!(extent(ZoneType::Movable), ZoneExtent::default());
}

#[test]
fn what_the_array_of_pages_takes_is_not_counted() {
    let zone = |spanned: Range<u64>, present| ZoneExtent { spanned, present };
    assert_eq!(zone(0..0x1_0000, 0x1_0000).without_memmap(64, 4096), 0x1_0000 - 0x400);
    assert_eq!(zone(1..0x1000, 0xf9e).without_memmap(64, 4096), 0xf9e - 64);
    // Holes of more than a sixteenth of the memory have no pages.
    assert_eq!(zone(0..0x1_0000, 0x100).without_memmap(64, 4096), 0x100 - 4);
    assert_eq!(ZoneExtent::default().without_memmap(64, 4096), 0);
}

#[test]
fn nodes_share_a_zone_s_limits_and_not_its_frames() {
    let memory = memory(&[(1, 0x4_0000, 0), (0x4_0000, 0xc_0000, 1), (0x10_0000, 0x14_0000, 1)]);
    let limits = ZoneLimits::new(1, 0x14_0000);
    let extent = |zone, nid| limits.extent(zone, nid, None, memory.iter().cloned());
    assert_eq!(extent(ZoneType::Dma, 1), ZoneExtent::default());
    assert_eq!(extent(ZoneType::Dma32, 1).spanned, 0x4_0000..0xc_0000);
    assert_eq!(extent(ZoneType::Normal, 0), ZoneExtent::default());
    assert_eq!(extent(ZoneType::Normal, 1).spanned, 0x10_0000..0x14_0000);
}

#[test]
fn frames_that_are_to_be_movable_leave_the_zones_below() {
    let memory = memory(&[(1, 0x10_0000, 0)]);
    let limits = ZoneLimits::new(1, 0x10_0000);
    let extent = |zone| limits.extent(zone, 0, Some(0x8_0000), memory.iter().cloned());
    assert_eq!(extent(ZoneType::Dma32).spanned, 0x1000..0x8_0000);
    assert_eq!(extent(ZoneType::Movable).spanned, 0x8_0000..0x10_0000);
}

#[test]
fn memory_that_begins_above_a_limit_leaves_the_zone_empty() {
    let limits = ZoneLimits::new(0x2000, 0x3000);
    assert!(limits.of(ZoneType::Dma).is_empty());
    assert_eq!(limits.of(ZoneType::Dma32), 0x2000..0x3000);
    assert!(ZoneLimits::new(0, 0).of(ZoneType::Normal).is_empty());
}

#[test]
fn the_pages_of_holes_belong_to_the_zone_behind_them_and_the_last_to_that_before() {
    let memory = memory(&[(1, 0x9f, 0), (0x100, 0x7fe0, 0)]);
    let limits = ZoneLimits::new(1, 0x7fe0);
    let (mut pieces, populated) = (Vec::new(), std::vec![0..0x400, 0x400..0x8000]);
    limits.for_each_piece(memory.into_iter(), &populated, |_| None, |piece| pieces.push(piece));
    let found: Vec<_> = pieces
        .into_iter()
        .map(|piece| (piece.pfns.start, piece.pfns.end, piece.zone, piece.present))
        .collect();
    assert_eq!(
        found,
        [
            (0, 1, ZoneType::Dma, false),
            (1, 0x9f, ZoneType::Dma, true),
            (0x9f, 0x100, ZoneType::Dma, false),
            (0x100, 0x1000, ZoneType::Dma, true),
            (0x1000, 0x7fe0, ZoneType::Dma32, true),
            (0x7fe0, 0x8000, ZoneType::Dma32, false),
        ]
    );
}

proptest! {
    #[test]
    fn pieces_are_every_frame_that_has_a_page_once(
        runs in proptest::collection::vec((0..0x2_0000_u64, 1..0x2_0000_u64, 0..3_usize), 0..12),
        movable in proptest::option::of(0..0x20_0000_u64),
    ) {
        let mut end = 0;
        let memory: Vec<_> = runs
            .into_iter()
            .map(|(hole, length, nid)| {
                let start = end + hole;
                end = start + length;
                NodeRange { pfns: start..end, nid }
            })
            .collect();
        let keyed = memory.iter().map(|range| (range.pfns.clone(), ()));
        let populated: Vec<_> = sparse::populated(keyed, |(), ()| true).map(|(run, ())| run).collect();
        let limits = ZoneLimits::new(memory.first().map_or(0, |first| first.pfns.start), end);
        let mut pieces = Vec::new();
        limits.for_each_piece(memory.iter().cloned(), &populated, |_| movable, |piece| pieces.push(piece));
        let mut at = 0;
        for piece in &pieces {
            prop_assert!(piece.pfns.start >= at && !piece.pfns.is_empty());
            prop_assert!(populated.iter().any(|run| run.start <= piece.pfns.start && piece.pfns.end <= run.end));
            at = piece.pfns.end;
        }
        let frames = |pieces: &[Piece]| pieces.iter().map(|piece| piece.pfns.end - piece.pfns.start).sum::<u64>();
        prop_assert_eq!(frames(&pieces), populated.iter().map(|run| run.end - run.start).sum::<u64>());
        pieces.retain(|piece| piece.present);
        prop_assert_eq!(frames(&pieces), memory.iter().map(|range| range.pfns.end - range.pfns.start).sum::<u64>());
        for (nid, zone) in (0..3).flat_map(|nid| ZoneType::ALL.map(|zone| (nid, zone))) {
            let own: Vec<_> = pieces.iter().filter(|piece| (piece.nid, piece.zone) == (nid, zone)).cloned().collect();
            let extent = limits.extent(zone, nid, movable, memory.iter().cloned());
            prop_assert_eq!(frames(&own), extent.present);
            prop_assert_eq!(own.first().map_or(0, |first| first.pfns.start), extent.spanned.start);
            prop_assert_eq!(own.last().map_or(0, |last| last.pfns.end), extent.spanned.end);
        }
    }

    #[test]
    fn every_frame_of_memory_is_in_one_zone_of_its_node(
        runs in proptest::collection::vec((1..0x2_0000_u64, 1..0x2_0000_u64, 0..3_usize), 0..12),
        movable in proptest::option::of(0..0x20_0000_u64),
    ) {
        let mut end = 0;
        let mut memory = Vec::new();
        for (hole, length, nid) in runs {
            let start = end + hole;
            end = start + length;
            memory.push(NodeRange { pfns: start..end, nid });
        }
        let limits = ZoneLimits::new(memory.first().map_or(0, |first| first.pfns.start), end);
        for nid in 0..3 {
            let extents = ZoneType::ALL.map(|zone| limits.extent(zone, nid, movable, memory.iter().cloned()));
            let own = || memory.iter().filter(|range| range.nid == nid);
            let present: u64 = extents.iter().map(|extent| extent.present).sum();
            prop_assert_eq!(present, own().map(|range| range.pfns.end - range.pfns.start).sum::<u64>());
            for extent in extents.iter().filter(|extent| extent.present != 0) {
                prop_assert!(own().any(|range| range.pfns.contains(&extent.spanned.start)));
                prop_assert!(own().any(|range| range.pfns.contains(&(extent.spanned.end - 1))));
                let others = extents.iter().filter(|other| other.present != 0 && *other != extent);
                for other in others {
                    prop_assert!(other.spanned.end <= extent.spanned.start || extent.spanned.end <= other.spanned.start);
                }
            }
        }
    }
}

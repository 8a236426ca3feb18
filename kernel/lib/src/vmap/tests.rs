use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::vec::Vec;

type Store = Vec<Node<u32>>;

const SPACE: Range<usize> = 0x1000..0x10_0000;

fn store(nodes: usize) -> Store {
    (0..nodes).map(|_| Node::spare()).collect()
}

fn areas() -> Areas<u32, Store> {
    Areas::new(store(8), SPACE)
}

fn pages(count: usize) -> Request {
    Request {
        size: count << 12,
        align: 0x1000,
        within: 0..usize::MAX,
    }
}

#[test]
fn the_lowest_gap_that_fits_is_taken() {
    let mut areas = areas();
    assert_eq!(areas.alloc(&pages(4), 1), Ok(0x1000..0x5000));
    assert_eq!(areas.alloc(&pages(1), 2), Ok(0x5000..0x6000));
    assert_eq!(areas.alloc(&pages(1), 3), Ok(0x6000..0x7000));
    assert_eq!(areas.free(0x1000), Some((0x1000..0x5000, 1)));
    assert_eq!(areas.alloc(&pages(5), 4), Ok(0x7000..0xc000));
    assert_eq!(areas.alloc(&pages(3), 5), Ok(0x1000..0x4000));
    assert_eq!(areas.find(0x3fff), Some((0x1000..0x4000, &5)));
    assert_eq!(areas.find(0x4000), None);
    assert!(
        areas
            .iter()
            .map(|(area, &value)| (area.start, value))
            .eq([(0x1000, 5), (0x5000, 2), (0x6000, 3), (0x7000, 4)])
    );
}

#[test]
fn alignment_and_limits_are_kept() {
    let mut areas = areas();
    let aligned = Request { align: 0x8000, ..pages(2) };
    assert_eq!(areas.alloc(&aligned, 1), Ok(0x8000..0xa000));
    let within = Request {
        within: 0x9000..0xc000,
        ..pages(2)
    };
    assert_eq!(areas.alloc(&within, 2), Ok(0xa000..0xc000));
    assert_eq!(areas.alloc(&within, 3), Err(AreaError::NoRoom));
    assert_eq!(areas.alloc(&pages(7), 4), Ok(0x1000..0x8000));
    assert!(areas.tree.is_sound());
}

#[test]
fn what_is_impossible_changes_nothing() {
    let mut areas = areas();
    for request in [pages(0), Request { align: 3, ..pages(1) }, Request { align: 0, ..pages(1) }] {
        assert_eq!(areas.alloc(&request, 1), Err(AreaError::BadRequest));
    }
    let huge = Request {
        size: usize::MAX,
        ..pages(1)
    };
    let aligned = Request {
        align: 1 << 63,
        ..pages(1)
    };
    for request in [pages(0x100), huge, aligned] {
        assert_eq!(areas.alloc(&request, 1), Err(AreaError::NoRoom));
    }
    assert_eq!(areas.take(0x0..0x2000, 1), Err(AreaError::NoRoom));
    assert_eq!(areas.take(0x2000..0x2000, 1), Err(AreaError::BadRequest));
    assert_eq!(areas.free(0x1000), None);
    assert_eq!(areas.largest_gap(), SPACE.len());
}

#[test]
fn without_spare_nodes_nothing_is_taken_until_there_are_more() {
    let mut areas: Areas<u32, Store> = Areas::new(store(3), SPACE);
    assert_eq!(areas.take(0x4000..0x5000, 1), Ok(()));
    assert_eq!((areas.spare(), areas.alloc(&pages(1), 2)), (0, Err(AreaError::NoNodes)));
    assert_eq!(areas.grow(store(2)).len(), 2);
    assert_eq!(areas.grow(store(9)).len(), 3);
    assert_eq!((areas.nodes(), areas.spare()), (9, 6));
    assert_eq!(areas.alloc(&pages(1), 2), Ok(0x1000..0x2000));
    assert_eq!(areas.find(0x4000), Some((0x4000..0x5000, &1)));
    assert!(areas.tree.is_sound());
}

#[test]
fn a_space_without_nodes_has_no_room() {
    let mut areas: Areas<u32, Store> = Areas::new(Vec::new(), SPACE);
    assert_eq!(areas.alloc(&pages(1), 1), Err(AreaError::NoRoom));
    assert_eq!((areas.largest_gap(), areas.next(0).is_none()), (0, true));
}

#[test]
fn only_the_first_address_of_an_area_gives_it_back() {
    let mut areas = areas();
    areas.take(0x4000..0x8000, 1).expect("free");
    for wrong in [0x1000, 0x3fff, 0x4001, 0x7fff, 0x8000, 0, usize::MAX] {
        assert_eq!(areas.free(wrong), None, "{wrong:#x}");
    }
    assert_eq!(areas.free(0x4000), Some((0x4000..0x8000, 1)));
    assert_eq!(areas.free(0x4000), None);
    assert_eq!(areas.spare(), 7);
}

#[test]
fn areas_side_by_side_can_be_joined() {
    let mut areas = areas();
    for (range, value) in [(0x2000..0x3000, 1), (0x3000..0x5000, 2), (0x6000..0x7000, 3)] {
        areas.take(range, value).expect("free");
    }
    assert!(!areas.join(0x3000, |&value| value != 1));
    assert!(!areas.join(0x6000, |_| true), "a gap lies before it");
    assert!(!areas.join(0x2000, |_| true) && !areas.join(0x4000, |_| true) && !areas.join(0, |_| true));
    assert!(areas.join(0x3000, |&value| value == 1));
    assert_eq!(areas.find(0x4fff), Some((0x2000..0x5000, &1)));
    assert!(areas.tree.is_sound());
    assert_eq!(areas.alloc(&pages(1), 4), Ok(0x1000..0x2000));
    assert_eq!(areas.free(0x2000), Some((0x2000..0x5000, 1)));
}

#[test]
fn who_takes_and_joins_again_and_again_uses_one_node() {
    let mut areas = areas();
    areas.take(SPACE.start..0x2000, 0).expect("free");
    let mut spare = Vec::new();
    for round in 0..20 {
        let area = areas.alloc(&pages(2), 1).expect("room");
        assert_eq!(area.start, 0x2000 + round * 0x2000);
        assert_eq!(areas.next(area.start).map(|(area, _)| area), Some(area.clone()));
        assert!(areas.join(area.start, |&value| value == 0) && areas.tree.is_sound());
        assert!(areas.find(area.start).is_some() && areas.find(area.end).is_none() && areas.next(area.end).is_none());
        spare.push(areas.spare());
    }
    assert!(spare.iter().all(|&count| count == spare[0]), "{spare:?}");
    // What is taken elsewhere, and what is given back around the node, does not mind it.
    areas.take(0x8_0000..0x8_1000, 2).expect("free");
    assert_eq!(areas.free(0x8_0000), Some((0x8_0000..0x8_1000, 2)));
    assert_eq!(areas.free(SPACE.start).map(|(area, _)| area), Some(SPACE.start..0x2_a000));
    assert_eq!((areas.largest_gap(), areas.spare()), (SPACE.len(), areas.nodes() - 1));
}

#[test]
fn congruent_places_are_found_behind_what_is_in_the_way() {
    let mut areas = areas();
    areas.take(0x3000..0x4000, 1).expect("free");
    areas.take(0x2_0000..0x2_1000, 2).expect("free");
    let offsets = [0x1_0000, 0];
    // 0x1000 has room for one page; two pages from 0x4000 on, and those 64 KiB behind.
    assert_eq!(areas.find_congruent(&offsets, 0x2000, 0x1000, SPACE.start), Some(0x1000));
    assert_eq!(areas.find_congruent(&offsets, 0x3000, 0x1000, SPACE.start), Some(0x4000));
    assert_eq!(areas.find_congruent(&offsets, 0x3000, 0x8000, 0xe000), Some(0x1_8000));
    assert_eq!(areas.find_congruent(&offsets, 0xf_0000, 0x1000, SPACE.start), None);
    assert_eq!(areas.find_congruent(&[usize::MAX], 1, 1, SPACE.start), None);
}

proptest! {
    #[test]
    fn it_does_what_a_map_of_ranges_does(
        operations in proptest::collection::vec((0_u8..5, 1_usize..40, 0_u32..6, any::<prop::sample::Index>()), 1..300),
    ) {
        let mut areas: Areas<u32, Store> = Areas::new(store(4), SPACE);
        let mut model: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, (kind, count, align, which)) in (0..).zip(operations) {
            if areas.spare() < NODES_NEEDED {
                areas.grow(store(2 * areas.nodes()));
            }
            let size = count << 12;
            let is_free = |start: usize, size: usize| {
                SPACE.start <= start && start + size <= SPACE.end && model.iter().all(|(&at, &len)| at + len <= start || start + size <= at)
            };
            match kind {
                0 if !model.is_empty() => {
                    let start = *which.get(&model.keys().copied().collect::<Vec<_>>());
                    let len = model.remove(&start).expect("chosen among them");
                    prop_assert_eq!(areas.free(start).map(|(area, _)| area), Some(start..start + len));
                }
                1 => {
                    let start = which.index(0x110) << 12;
                    let expected = is_free(start, size);
                    prop_assert_eq!(areas.take(start..start + size, number).is_ok(), expected);
                    if expected {
                        model.insert(start, size);
                    }
                }
                2 if !model.is_empty() => {
                    let start = *which.get(&model.keys().copied().collect::<Vec<_>>());
                    let before = model.range(..start).next_back().map(|(&at, &len)| (at, len)).filter(|(at, len)| at + len == start);
                    prop_assert_eq!(areas.join(start, |_| true), before.is_some());
                    if let Some((at, len)) = before {
                        let joined = model.remove(&start).expect("chosen among them");
                        model.insert(at, len + joined);
                    }
                }
                _ => {
                    let align = 0x1000 << align;
                    let expected = SPACE.step_by(0x1000).filter(|start| start.is_multiple_of(align)).find(|&start| is_free(start, size));
                    let found = areas.alloc(&Request { size, align, within: 0..usize::MAX }, number);
                    prop_assert_eq!(found.map(|area| area.start).ok(), expected);
                    expected.map(|start| model.insert(start, size));
                }
            }
            prop_assert!(areas.tree.is_sound());
            prop_assert!(areas.iter().map(|(area, _)| (area.start, area.len())).eq(model.iter().map(|(&start, &len)| (start, len))));
        }
        for &start in model.keys() {
            prop_assert!(areas.find(start).is_some());
            prop_assert!(areas.free(start).is_some());
        }
        prop_assert_eq!(areas.largest_gap(), SPACE.len());
        prop_assert_eq!(areas.spare(), areas.nodes() - 1);
    }

    #[test]
    fn a_congruent_place_is_the_lowest(
        taken in proptest::collection::vec((1_usize..0xff, 1_usize..12), 0..20),
        offsets in proptest::collection::vec(0_usize..0x80, 1..4),
        count in 1_usize..10,
    ) {
        let mut areas: Areas<u32, Store> = Areas::new(store(64), SPACE);
        for (start, count) in taken {
            let _ = areas.take(start << 12..(start + count) << 12, 0);
        }
        let offsets: Vec<usize> = offsets.into_iter().map(|offset| offset << 12).collect();
        let is_free = |base: usize| offsets.iter().all(|&offset| {
            let range = base + offset..base + offset + (count << 12);
            range.end <= SPACE.end && areas.iter().all(|(area, _)| area.end <= range.start || range.end <= area.start)
        });
        let expected = SPACE.step_by(0x1000).find(|&base| is_free(base));
        prop_assert_eq!(areas.find_congruent(&offsets, count << 12, 0x1000, SPACE.start), expected);
    }
}

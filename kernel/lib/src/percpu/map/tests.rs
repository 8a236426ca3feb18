use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;

fn map(region: Range<usize>) -> Map<Vec<u64>> {
    Map::new(vec![u64::MAX; words_for(region.len())], region)
}

#[test]
fn the_lowest_place_is_taken() {
    let mut map = map(100..200);
    assert_eq!(map.alloc(8, 4), Some(100));
    assert_eq!(map.alloc(1, 1), Some(108));
    assert_eq!(map.alloc(16, 16), Some(112));
    assert_eq!(map.free(100), Some(8));
    assert_eq!(map.alloc(8, 8), Some(128));
    assert_eq!(map.alloc(4, 4), Some(100));
    assert_eq!(map.used_bytes(), 4 + 4 + 16 + 8);
}

#[test]
fn what_nobody_was_given_is_not_taken_back() {
    let mut map = map(64..4096);
    let place = map.alloc(64, 64).expect("there is room");
    for wrong in [place - 4, place + 4, place + 1, place + 64, 0, 63, 4096, usize::MAX] {
        assert_eq!(map.free(wrong), None, "{wrong}");
        assert_eq!(map.size_of(wrong), None, "{wrong}");
    }
    assert_eq!(map.size_of(place), Some(64));
    assert_eq!(map.free(place), Some(64));
    assert_eq!(map.free(place), None);
    assert_eq!(map.used_bytes(), 0);
}

#[test]
fn impossible_requests_take_nothing() {
    let mut map = map(0..1024);
    for (size, align) in [(0, 4), (4, 0), (4, 3), (1028, 4), (usize::MAX, 4), (4, 1 << 63)] {
        let answer = map.alloc(size, align);
        assert!(answer.is_none() || (answer == Some(0) && align == 1 << 63), "{size} {align}");
        if let Some(place) = answer {
            map.free(place);
        }
    }
    assert_eq!(map.free_bytes(), 1024);
}

#[test]
fn a_region_whose_ends_are_odd_is_rounded_inwards() {
    let mut map = map(5..15);
    assert_eq!(map.free_bytes(), 4);
    assert_eq!(map.alloc(4, 4), Some(8));
    assert_eq!(map.alloc(1, 1), None);
}

#[test]
fn all_of_it_can_be_taken() {
    let mut map = map(0..4096);
    assert_eq!(map.alloc(4096, 4096), Some(0));
    assert_eq!(map.alloc(1, 1), None);
    assert_eq!(map.free(0), Some(4096));
}

#[test]
fn a_map_moves_with_what_it_knows() {
    let mut map = map(0..1000);
    let places: Vec<_> = [100, 4, 260].into_iter().filter_map(|size| map.alloc(size, 4)).collect();
    let small = map.move_to(vec![0; 2]);
    assert_eq!(small.len(), 2);
    map.move_to(vec![7; 20]);
    assert_eq!(
        places.iter().map(|&place| map.free(place)).collect::<Vec<_>>(),
        [Some(100), Some(4), Some(260)]
    );
    assert_eq!(map.alloc(1000, 4), Some(0));
}

proptest! {
    #[test]
    fn it_does_what_a_list_of_ranges_does(
        start in 0_usize..300,
        len in 0_usize..3000,
        operations in proptest::collection::vec((any::<bool>(), 0_usize..300, 0_u32..9, any::<prop::sample::Index>()), 0..200),
    ) {
        let mut map = map(start..start + len);
        let (first, end) = (start.next_multiple_of(MIN_ALLOC), (start + len) / MIN_ALLOC * MIN_ALLOC);
        let mut model: BTreeMap<usize, usize> = BTreeMap::new();
        for (allocate, size, align, which) in operations {
            if allocate || model.is_empty() {
                let (rounded, align) = (size.next_multiple_of(MIN_ALLOC), 1_usize << align);
                let fits = |place: usize| place + rounded <= end && model.iter().all(|(&at, &size)| at + size <= place || place + rounded <= at);
                let expected = (first..end).step_by(MIN_ALLOC).filter(|place| place.is_multiple_of(align)).find(|&place| size != 0 && fits(place));
                let place = map.alloc(size, align);
                prop_assert_eq!(place, expected);
                place.map(|place| model.insert(place, rounded));
            } else {
                let place = *which.get(&model.keys().copied().collect::<Vec<_>>());
                prop_assert_eq!(map.free(place), model.remove(&place));
            }
            prop_assert_eq!(map.used_bytes(), model.values().sum::<usize>());
            prop_assert_eq!(map.used_bytes() + map.free_bytes(), end.saturating_sub(first));
        }
    }
}

//! Against a list that is searched from end to end.

use super::*;
use proptest::prelude::*;
use std::vec::Vec;

struct Intervals(Vec<IntervalNode>);

fn id(index: usize) -> Id {
    Id::new((index + 1) * 2).unwrap()
}

impl Arena for Intervals {
    fn interval(&self, id: Id) -> &IntervalNode {
        &self.0[id.get() / 2 - 1]
    }
}

fn tree_of(intervals: &[(u64, u64)]) -> (IntervalTree, Intervals) {
    let arena = Intervals(intervals.iter().map(|&(start, last)| IntervalNode::new(start, last)).collect());
    let tree = IntervalTree::new();
    (0..intervals.len()).for_each(|index| tree.insert(&arena, id(index)));
    (tree, arena)
}

fn overlapping(tree: &IntervalTree, arena: &Intervals, start: u64, last: u64) -> Vec<(u64, u64)> {
    let found = tree.overlapping(arena, start, last).map(|id| arena.interval(id));
    found.map(|node| (node.start(), node.last())).collect()
}

#[test]
fn both_ends_of_an_interval_are_part_of_it() {
    let (tree, arena) = tree_of(&[(10, 20)]);
    for (start, last, found) in [(0, 9, 0), (0, 10, 1), (15, 15, 1), (20, 30, 1), (21, u64::MAX, 0), (0, u64::MAX, 1)] {
        assert_eq!(tree.overlapping(&arena, start, last).count(), found, "{start}..={last}");
    }
}

#[test]
fn the_ends_of_the_numbers_are_numbers() {
    let (tree, arena) = tree_of(&[(0, 0), (u64::MAX, u64::MAX), (0, u64::MAX)]);
    assert_eq!(overlapping(&tree, &arena, 0, 0), [(0, 0), (0, u64::MAX)]);
    assert_eq!(
        overlapping(&tree, &arena, u64::MAX, u64::MAX),
        [(0, u64::MAX), (u64::MAX, u64::MAX)]
    );
}

#[test]
fn a_long_interval_among_short_ones_is_found_from_its_end() {
    let mut intervals: Vec<_> = (0..100).map(|start| (10 * start, 10 * start + 1)).collect();
    intervals.push((5, 995));
    let (tree, arena) = tree_of(&intervals);
    assert_eq!(overlapping(&tree, &arena, 993, 994), [(5, 995)]);
    tree.remove(&arena, id(100));
    assert_eq!(overlapping(&tree, &arena, 993, 994), []);
}

proptest! {
    #[test]
    fn what_overlaps_is_what_a_scan_finds(
        intervals in proptest::collection::vec((0_u64..100, 0_u64..30), 1..80),
        removed in proptest::collection::vec(any::<prop::sample::Index>(), 0..80),
        queries in proptest::collection::vec((0_u64..130, 0_u64..40), 1..20),
    ) {
        let intervals: Vec<_> = intervals.into_iter().map(|(start, length)| (start, start + length)).collect();
        let (tree, arena) = tree_of(&intervals);
        let mut there: Vec<bool> = intervals.iter().map(|_| true).collect();
        for index in removed {
            let index = index.index(intervals.len());
            if core::mem::take(&mut there[index]) {
                tree.remove(&arena, id(index));
            }
        }
        for (start, length) in queries {
            let last = start + length;
            let mut expected: Vec<_> = intervals.iter().zip(&there)
                .filter(|(interval, there)| **there && interval.0 <= last && start <= interval.1)
                .map(|(interval, _)| *interval)
                .collect();
            let mut found = overlapping(&tree, &arena, start, last);
            prop_assert!(found.is_sorted_by_key(|interval| interval.0));
            expected.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}

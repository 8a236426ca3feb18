use super::*;
use proptest::prelude::*;
use std::vec::Vec;

fn runs(memory: &[(u64, u64, usize)]) -> Vec<(u64, u64, usize)> {
    let memory = memory.iter().map(|&(start, end, nid)| (start..end, nid));
    populated(memory, |a, b| a == b)
        .map(|(range, nid)| (range.start, range.end, nid))
        .collect()
}

#[test]
fn a_hole_smaller_than_a_granule_has_pages() {
    assert_eq!(runs(&[(1, 0x9f, 0), (0x100, 0x7fe0, 0)]), [(0, 0x8000, 0)]);
}

#[test]
fn a_large_hole_has_none() {
    assert_eq!(
        runs(&[(1, 0xb_fff0, 0), (0x10_0000, 0x14_0000, 0)]),
        [(0, 0xc_0000, 0), (0x10_0000, 0x14_0000, 0)]
    );
}

#[test]
fn a_granule_of_two_nodes_belongs_to_the_first() {
    assert_eq!(
        runs(&[(0, 0x410, 0), (0x410, 0x420, 1), (0x420, 0x1000, 2)]),
        [(0, 0x800, 0), (0x800, 0x1000, 2)]
    );
}

#[test]
fn no_memory_has_no_pages() {
    assert_eq!(runs(&[]), []);
    assert_eq!(runs(&[(5, 5, 0)]), []);
    assert!(!contains(&[], 0));
}

proptest! {
    #[test]
    fn every_granule_with_memory_has_pages_once_and_no_other(
        memory in proptest::collection::vec((0..0x900_u64, 1..0x1400_u64, 0..3_usize), 0..12),
    ) {
        let mut end = 0;
        let memory: Vec<_> = memory
            .into_iter()
            .map(|(hole, length, nid)| {
                let start = end + hole;
                end = start + length;
                (start..end, nid)
            })
            .collect();
        let found: Vec<_> = populated(memory.iter().cloned(), |a, b| a == b).collect();
        for pair in found.windows(2) {
            prop_assert!(pair[0].0.end <= pair[1].0.start);
        }
        let ranges: Vec<_> = found.iter().map(|(range, _)| range.clone()).collect();
        for granule in 0..=end / GRANULE {
            let pfns = granule * GRANULE..(granule + 1) * GRANULE;
            let mut inside = memory.iter().filter(|(range, _)| range.start < pfns.end && pfns.start < range.end);
            let first = inside.next().map(|(_, nid)| *nid);
            let owner = found.iter().find(|(range, _)| range.contains(&pfns.start)).map(|(_, nid)| *nid);
            prop_assert_eq!(owner, first);
            prop_assert_eq!(contains(&ranges, pfns.start), owner.is_some());
            prop_assert_eq!(contains(&ranges, pfns.end - 1), owner.is_some());
        }
    }
}

//! The tree of resources: any descriptions and claims; whatever is taken in lies inside of the others or beside them.

#![no_main]

use incipit_lib::resource::{Conflict, Resource, gaps, lines, place, place_claim};
use libfuzzer_sys::fuzz_target;

fn contains(outer: &Resource, inner: &Resource) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn overlaps(one: &Resource, other: &Resource) -> bool {
    one.start <= other.end && other.start <= one.end
}

fuzz_target!(|data: &[u8]| {
    let mut list: Vec<Resource> = Vec::new();
    for step in data.chunks_exact(4) {
        let shift = u32::from(step[0] >> 2);
        let new = Resource {
            start: u64::from(step[1]) << shift,
            end: (u64::from(step[2]) << shift) + u64::from(step[3]),
            name: "x",
            busy: step[0] & 1 != 0,
        };
        let claims = step[0] & 2 != 0;
        let place = if claims { place_claim } else { place };
        match place(&list, &new) {
            Ok(index) => {
                assert!(!claims || list.iter().all(|old| !old.busy || !overlaps(old, &new)));
                list.insert(index, new);
            }
            Err(Conflict::Backwards) => assert!(new.end < new.start),
            Err(Conflict::With(other)) => assert!(overlaps(&other, &new)),
        }
    }
    for pair in list.windows(2) {
        assert!(pair[0].start <= pair[1].start);
        assert!(contains(&pair[0], &pair[1]) || !overlaps(&pair[0], &pair[1]));
    }
    for gap in gaps(&list, 0..=u64::MAX) {
        assert!(gap.start() <= gap.end());
        assert!(list.iter().all(|one| one.end < *gap.start() || *gap.end() < one.start));
    }
    assert_eq!(lines(&list, 8).count(), list.len());
});

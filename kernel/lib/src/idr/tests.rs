//! Against a `BTreeMap`.

use super::*;
use crate::xarray::tests::{Pool, value};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[test]
fn numbers_are_the_lowest_that_are_free() {
    let (idr, pool) = (Idr::new(), Pool::new(16));
    assert!((0..100).all(|id| idr.alloc(&pool, 0..=u32::MAX, value(0)) == Ok(id)));
    assert_eq!(idr.remove(&pool, 42), Some(value(0)));
    assert_eq!(idr.remove(&pool, 42), None);
    assert_eq!(idr.alloc(&pool, 43..=1000, value(1)), Ok(100));
    assert_eq!(idr.alloc(&pool, 0..=1000, value(2)), Ok(42));
    assert_eq!(idr.replace(&pool, 42, value(3)), Ok(value(2)));
    assert_eq!(idr.find(&pool, 42), Some(value(3)));
    assert_eq!(idr.replace(&pool, 5000, value(3)), Err(Errno::ENOENT));
}

#[test]
fn a_range_ends() {
    let (idr, pool) = (Idr::new(), Pool::new(16));
    assert_eq!(idr.alloc(&pool, u32::MAX..=u32::MAX, value(1)), Ok(u32::MAX));
    assert_eq!(idr.alloc(&pool, u32::MAX..=u32::MAX, value(1)), Err(Errno::ENOSPC));
    #[expect(clippy::reversed_empty_ranges)]
    let nothing = 7..=6;
    assert_eq!(idr.alloc(&pool, nothing, value(1)), Err(Errno::ENOSPC));
    assert_eq!(idr.next(&pool, 0), Some((u32::MAX, value(1))));
    idr.clear(&pool);
    assert!(idr.is_empty() && idr.next(&pool, 0).is_none());
}

#[test]
fn cyclic_numbers_are_not_used_again_before_all_were() {
    let (idr, pool) = (Idr::new(), Pool::new(16));
    for id in [3, 4, 5] {
        assert_eq!(idr.alloc_cyclic(&pool, 3..=5, value(1)), Ok(id));
        idr.remove(&pool, id);
    }
    assert_eq!(idr.alloc_cyclic(&pool, 3..=5, value(1)), Ok(3));
    assert_eq!(idr.alloc_cyclic(&pool, 3..=5, value(1)), Ok(4));
    idr.remove(&pool, 3);
    assert_eq!(idr.alloc_cyclic(&pool, 3..=5, value(1)), Ok(5));
    assert_eq!(idr.alloc_cyclic(&pool, 3..=5, value(1)), Ok(3));
    assert_eq!(idr.alloc_cyclic(&pool, 3..=5, value(1)), Err(Errno::ENOSPC));
}

#[test]
fn without_memory_nothing_gets_a_number() {
    let (idr, pool) = (Idr::new(), Pool::new(1));
    assert!((0..64).all(|id| idr.alloc(&pool, 0..=u32::MAX, value(0)) == Ok(id)));
    assert_eq!(idr.alloc(&pool, 0..=u32::MAX, value(0)), Err(Errno::ENOMEM));
    assert_eq!(idr.iter(&pool).count(), 64);
}

proptest! {
    #[test]
    fn any_operations_leave_what_a_map_would(steps in proptest::collection::vec((0_u32..300, 0_u32..200, any::<bool>()), 1..300)) {
        let (idr, pool) = (Idr::new(), Pool::new(64));
        let mut model = BTreeMap::new();
        for (step, (start, length, removes)) in steps.into_iter().enumerate() {
            if removes {
                prop_assert_eq!(idr.remove(&pool, start), model.remove(&start).map(value));
            } else {
                let range = start..=start + length;
                let expected = range.clone().find(|id| !model.contains_key(id)).ok_or(Errno::ENOSPC);
                prop_assert_eq!(idr.alloc(&pool, range, value(step)), expected);
                if let Ok(id) = expected {
                    model.insert(id, step);
                }
            }
        }
        prop_assert!(idr.iter(&pool).eq(model.iter().map(|(id, step)| (*id, value(*step)))));
    }
}

//! Readers without a lock beside a writer, on nodes that are not used again meanwhile.

use super::*;
use core::sync::atomic::AtomicBool;
use std::thread;

/// Entries that say where they belong, so that a reader notices one that is elsewhere.
fn entry(index: usize, round: usize) -> Entry {
    value(index * 1000 + round % 1000)
}

fn is_right(index: usize, entry: Entry) -> bool {
    entry.as_value().is_some_and(|value| value / 1000 == index)
}

#[test]
fn a_reader_sees_an_entry_that_was_stored_or_none() {
    let mut pool = Pool::new(400_000);
    pool.reuse = false;
    let (array, done) = (XArray::new(), AtomicBool::new(false));
    // Always there, however high the tree is; the others come and go.
    let fixed = 5;
    let moving = [0, 1, 63, 64, 70, 4096, 5000, 1 << 18, (1 << 30) + 3];
    array.store(&pool, fixed, entry(fixed, 0)).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let found = array.load(&pool, fixed).expect("what is always there");
                    assert!(is_right(fixed, found));
                    for index in moving {
                        assert!(array.load(&pool, index).is_none_or(|found| is_right(index, found)));
                    }
                    for found in array.iter(&pool, 0, usize::MAX, None) {
                        assert!(is_right(found.index, found.entry), "{found:?}");
                    }
                }
            });
        }
        for round in 0..20_000 {
            let index = moving[round * 7 % moving.len()];
            array.store(&pool, index, entry(index, round)).unwrap();
            array.remove(&pool, moving[round * 5 % moving.len()]);
        }
        done.store(true, Relaxed);
    });
}

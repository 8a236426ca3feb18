//! Tests of ownership, and of what becomes of each failed allocation.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;
use crate::collections::Value;
use crate::collections::nodes::in_use;
use crate::mm::Gfp;
use crate::mm::slab::KBox;

static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// Counts those that are dropped.
struct Counted(u64);

impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Relaxed);
    }
}

fn boxed(number: u64) -> KBox<Counted> {
    KBox::new(Counted(number), Gfp::KERNEL).expect("memory")
}

#[ktest]
fn what_is_stored_is_dropped_once() {
    let nodes = in_use();
    DROPPED.store(0, Relaxed);
    let array = XArray::new();
    for index in [0, 1, 100, 1 << 40] {
        let stored = array.lock().store(index, boxed(index as u64));
        assert!(stored.is_ok_and(|old| old.is_none()));
    }
    assert_eq!(array.lock().load(100).map(|counted| counted.0), Some(100));
    drop(array.lock().store(100, boxed(7)));
    drop(array.lock().remove(1));
    assert_eq!(DROPPED.load(Relaxed), 2);
    assert_eq!(
        array.lock().find(1, usize::MAX).map(|(index, counted)| (index, counted.0)),
        Some((100, 7))
    );
    drop(array);
    assert_eq!((DROPPED.load(Relaxed), in_use()), (5, nodes));
}

#[ktest]
fn marks_are_found() {
    let array = XArray::new();
    let mut held = array.lock();
    for index in 0..200 {
        assert_eq!(held.store(index, Value(index)), Ok(None));
    }
    held.set_mark(150, Mark::Mark1);
    held.set_mark(3, Mark::Mark1);
    held.clear_mark(3, Mark::Mark1);
    assert!(held.iter(0, usize::MAX, Some(Mark::Mark1)).eq([(150, Value(150))]));
    assert!(held.get_mark(150, Mark::Mark1) && !held.get_mark(3, Mark::Mark1));
}

#[cfg(CONFIG_FAILSLAB)]
#[ktest]
fn a_store_that_fails_at_any_allocation_leaves_the_array_as_it_was() {
    use crate::mm::fault_inject::every_site;

    let nodes = in_use();
    let array = XArray::new();
    assert_eq!(array.lock().store(5, Value(5)), Ok(None));
    let before = in_use();
    every_site(
        || array.lock().store(1 << 50, Value(1)),
        |site, stored| {
            assert_eq!(array.lock().load(5), Some(Value(5)));
            match stored {
                Ok(_) => assert!(array.lock().remove(1 << 50).is_some()),
                Err(error) => assert_eq!((error, site.is_some()), (Errno::ENOMEM, true)),
            }
            assert_eq!(in_use(), before);
        },
    );
    drop(array);
    assert_eq!(in_use(), nodes);
}

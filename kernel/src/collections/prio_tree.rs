//! Intervals and what lies in them, found by what they overlap: the prio tree, for reverse maps.

use core::marker::PhantomData;
use core::ops::RangeInclusive;
use core::ptr;

use incipit_lib::interval_tree::{self, IntervalNode, IntervalTree};
use incipit_lib::rbtree::Id;
use incipit_lib::xarray::Entry;

use super::Stored;
use super::nodes::INTERVAL;
use crate::locking::IrqSpinLock;
use crate::mm::Gfp;
use crate::prelude::*;

/// An interval and what lies in it.
pub(super) struct Node {
    interval: IntervalNode,
    entry: Entry,
}

/// Where nodes lie: a node's number is its address.
struct KernelIntervals;

impl KernelIntervals {
    fn node(&self, id: Id) -> &Node {
        // SAFETY: the trees know numbers only of nodes that are in them, or about to be; the links of a node are atomic, the rest does not change.
        unsafe { &*ptr::with_exposed_provenance(id.get()) }
    }
}

impl interval_tree::Arena for KernelIntervals {
    #[inline]
    fn interval(&self, id: Id) -> &IntervalNode {
        &self.node(id).interval
    }
}

/// A set of intervals with something in each; several may be equal.
pub struct PrioTree<T: Stored> {
    tree: IrqSpinLock<IntervalTree>,
    stored: PhantomData<T>,
}

// SAFETY: the tree is used under its lock, and `Stored` promises that what is in it may be handed to and looked at by others.
unsafe impl<T: Stored> Sync for PrioTree<T> {}

/// An interval that is in a tree: what takes it out again.
#[derive(Debug, PartialEq, Eq)]
pub struct Handle(Id);

impl<T: Stored> PrioTree<T> {
    /// No intervals.
    #[must_use]
    pub const fn new() -> Self {
        PrioTree {
            tree: IrqSpinLock::new(IntervalTree::new()),
            stored: PhantomData,
        }
    }

    /// Adds an interval; `gfp` says how its memory may be had.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it ends before it starts, `ENOMEM`; `new` is dropped then.
    pub fn insert(&self, interval: RangeInclusive<u64>, new: T, gfp: Gfp) -> Result<Handle, Errno> {
        if interval.is_empty() {
            return Err(Errno::EINVAL);
        }
        let entry = new.into_entry();
        let node = Node {
            interval: IntervalNode::new(*interval.start(), *interval.end()),
            entry,
        };
        let Some(id) = INTERVAL.alloc(gfp, node).and_then(Id::new) else {
            // SAFETY: the word was just made from a `T` and is in no tree.
            drop(unsafe { T::from_entry(entry) });
            return Err(Errno::ENOMEM);
        };
        self.tree.lock().insert(&KernelIntervals, id);
        Ok(Handle(id))
    }

    /// Takes an interval out and returns what lay in it.
    ///
    /// # Safety
    ///
    /// The handle is one of this tree's.
    pub unsafe fn remove(&self, handle: Handle) -> T {
        let id = handle.0;
        self.tree.lock().remove(&KernelIntervals, id);
        self.take(id)
    }

    /// Gives up a node that is not in the tree any more.
    fn take(&self, id: Id) -> T {
        let entry = KernelIntervals.node(id).entry;
        // SAFETY: `insert` allocated the block, and it is given up once: its handle was used up, or the tree is.
        unsafe { INTERVAL.free(id.get()) };
        // SAFETY: `insert` made the word from a `T`.
        unsafe { T::from_entry(entry) }
    }

    /// Calls `look` with each interval that has a number of `range`, by start, until one returns an error.
    ///
    /// # Errors
    ///
    /// That of `look`.
    pub fn for_each_overlapping<E>(
        &self,
        range: RangeInclusive<u64>,
        mut look: impl FnMut(RangeInclusive<u64>, T::Ref<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let tree = self.tree.lock();
        for id in tree.overlapping(&KernelIntervals, *range.start(), *range.end()) {
            let node = KernelIntervals.node(id);
            // SAFETY: `insert` made the word from a `T`, which is not taken out while the lock is held.
            let stored = unsafe { T::borrow(node.entry) };
            look(node.interval.start()..=node.interval.last(), stored)?;
        }
        Ok(())
    }

    /// Whether there is no interval.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.lock().is_empty()
    }
}

impl<T: Stored> Default for PrioTree<T> {
    fn default() -> Self {
        PrioTree::new()
    }
}

impl<T: Stored> Drop for PrioTree<T> {
    fn drop(&mut self) {
        let tree = self.tree.lock();
        while let Some(id) = tree.iter_first(&KernelIntervals, 0, u64::MAX) {
            tree.remove(&KernelIntervals, id);
            drop(self.take(id));
        }
    }
}

mod tests {
    use super::*;
    use crate::collections::Value;

    fn overlapping(tree: &PrioTree<Value>, range: RangeInclusive<u64>) -> usize {
        let mut found = 0;
        let all = tree.for_each_overlapping(range.clone(), |interval, _| {
            found += 1;
            if interval.end() < range.start() || interval.start() > range.end() {
                Err(interval)
            } else {
                Ok(())
            }
        });
        assert_eq!(all, Ok(()));
        found
    }

    #[ktest]
    fn intervals_are_found_by_what_they_overlap() {
        let tree = PrioTree::new();
        let handles =
            [(0, 9), (5, 20), (5, 20), (30, 30), (0, u64::MAX)].map(|(start, last)| tree.insert(start..=last, Value(0), Gfp::KERNEL));
        assert_eq!(
            (
                overlapping(&tree, 8..=9),
                overlapping(&tree, 25..=29),
                overlapping(&tree, 0..=u64::MAX)
            ),
            (4, 1, 5)
        );
        for handle in handles {
            // SAFETY: the handle is this tree's.
            assert_eq!(handle.map(|handle| unsafe { tree.remove(handle) }), Ok(Value(0)));
        }
        assert!(tree.is_empty());
        #[expect(clippy::reversed_empty_ranges)]
        let backwards = 9..=8;
        assert_eq!(tree.insert(backwards, Value(0), Gfp::KERNEL), Err(Errno::EINVAL));
    }
}

//! Intervals, and which of them overlap another: Linux's interval tree, and the prio tree before it.
//!
//! A red-black tree by first number; each node knows the greatest last number below it, so that a search leaves out what ends too early. As in [`crate::rbtree`]
//! nodes lie wherever their owner put them, and one changes a tree at a time while nobody looks.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::rbtree::{self, Id, RbNode, RbRoot};

/// An interval: Linux's `struct interval_tree_node`.
#[derive(Debug, Default)]
pub struct IntervalNode {
    rb: RbNode,
    start: AtomicU64,
    last: AtomicU64,
    /// The greatest `last` of the nodes below, this one included.
    subtree_last: AtomicU64,
}

impl IntervalNode {
    /// The interval from `start` to `last`, both included; `last` must not be less.
    #[must_use]
    pub const fn new(start: u64, last: u64) -> IntervalNode {
        IntervalNode {
            rb: RbNode::new(),
            start: AtomicU64::new(start),
            last: AtomicU64::new(last),
            subtree_last: AtomicU64::new(last),
        }
    }

    /// The first number.
    #[inline]
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start.load(Relaxed)
    }

    /// The last number.
    #[inline]
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last.load(Relaxed)
    }

    #[inline]
    fn subtree_last(&self) -> u64 {
        self.subtree_last.load(Relaxed)
    }
}

/// Where intervals lie.
pub trait Arena {
    /// An interval that is in the tree, or about to be.
    fn interval(&self, id: Id) -> &IntervalNode;
}

/// What the red-black tree knows of the intervals.
struct Links<'a, A>(&'a A);

impl<A: Arena> rbtree::Arena for Links<'_, A> {
    const AUGMENTED: bool = true;

    #[inline]
    fn node(&self, id: Id) -> &RbNode {
        &self.0.interval(id).rb
    }

    #[inline]
    fn update(&self, id: Id) -> bool {
        let node = self.0.interval(id);
        let below = |child: Option<Id>| child.map_or(0, |child| self.0.interval(child).subtree_last());
        let last = node.last().max(below(node.rb.left())).max(below(node.rb.right()));
        let changes = node.subtree_last() != last;
        node.subtree_last.store(last, Relaxed);
        changes
    }
}

/// A set of intervals; equal ones are different ones.
#[derive(Debug, Default)]
pub struct IntervalTree {
    root: RbRoot,
}

impl IntervalTree {
    /// No intervals.
    #[must_use]
    pub const fn new() -> IntervalTree {
        IntervalTree { root: RbRoot::new() }
    }

    /// Whether there is no interval.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Adds an interval that is in no tree.
    pub fn insert<A: Arena>(&self, arena: &A, id: Id) {
        let node = arena.interval(id);
        let start = node.start();
        node.subtree_last.store(node.last(), Relaxed);
        self.root.insert(&Links(arena), id, |other| start < arena.interval(other).start());
    }

    /// Takes out an interval that is in this tree.
    pub fn remove<A: Arena>(&self, arena: &A, id: Id) {
        self.root.erase(&Links(arena), id);
    }

    /// The first interval, by start, that has a number of `start..=last`: Linux's `interval_tree_iter_first`.
    #[must_use]
    pub fn iter_first<A: Arena>(&self, arena: &A, start: u64, last: u64) -> Option<Id> {
        let root = self.root.root()?;
        first_below(arena, root, start, last)
    }

    /// All intervals that have a number of `start..=last`, by start. The tree must not change meanwhile.
    pub fn overlapping<'a, A: Arena>(&self, arena: &'a A, start: u64, last: u64) -> impl Iterator<Item = Id> + use<'a, A> {
        core::iter::successors(self.iter_first(arena, start, last), move |id| iter_next(arena, *id, start, last))
    }

    /// All intervals, by start.
    pub fn iter<'a, A: Arena>(&self, arena: &'a A) -> impl Iterator<Item = Id> + use<'a, A> {
        self.overlapping(arena, 0, u64::MAX)
    }
}

/// The first interval below `id` that has a number of `start..=last`.
fn first_below<A: Arena>(arena: &A, id: Id, start: u64, last: u64) -> Option<Id> {
    let reaches = |id: &Id| arena.interval(*id).subtree_last() >= start;
    let mut at = Some(id).filter(reaches)?;
    loop {
        let node = arena.interval(at);
        if let Some(left) = node.rb.left().filter(reaches) {
            // Something there ends late enough. If it begins too late, so does everything from here on.
            at = left;
            continue;
        }
        if node.start() > last {
            return None;
        }
        if node.last() >= start {
            return Some(at);
        }
        at = node.rb.right().filter(reaches)?;
    }
}

/// The next interval behind `id`, by start, that has a number of `start..=last`: Linux's `interval_tree_iter_next`.
#[must_use]
pub fn iter_next<A: Arena>(arena: &A, id: Id, start: u64, last: u64) -> Option<Id> {
    let mut at = id;
    loop {
        if let Some(right) = arena.interval(at).rb.right()
            && let Some(found) = first_below(arena, right, start, last)
        {
            return Some(found);
        }
        // Up to the first node that comes behind all of this.
        loop {
            let child = at;
            at = arena.interval(at).rb.parent()?;
            if arena.interval(at).rb.left() == Some(child) {
                break;
            }
        }
        let node = arena.interval(at);
        if node.start() > last {
            return None;
        }
        if node.last() >= start {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests;

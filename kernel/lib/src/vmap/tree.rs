//! A red-black tree of ranges that lie side by side without overlap, each of them an area or a gap.
//!
//! Nodes are known by their place in the store. Each has the size of the largest gap in its subtree, which is kept right from the bottom up whenever something
//! below has changed.

use core::ops::{DerefMut, Range};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Request;
use crate::rbtree::{self, Arena, Id, RbNode, RbRoot};

/// A range of addresses. A gap may have none, between two others: nobody finds it.
#[derive(Debug)]
pub struct Node<T> {
    /// The first address.
    pub(super) start: usize,
    /// The address behind the last.
    pub(super) end: usize,
    /// What is kept with an area; a gap has nothing.
    pub(super) value: Option<T>,
    links: RbNode,
    /// Bytes of the largest gap in the subtree. Of a spare node, the number of the next spare one.
    largest: AtomicUsize,
}

impl<T> Node<T> {
    /// A node that is not in use.
    #[must_use]
    pub const fn spare() -> Self {
        Node {
            start: 0,
            end: 0,
            value: None,
            links: RbNode::new(),
            largest: AtomicUsize::new(0),
        }
    }

    fn gap(&self) -> usize {
        if self.value.is_none() { self.end - self.start } else { 0 }
    }

    fn largest(&self) -> usize {
        self.largest.load(Relaxed)
    }
}

/// The number that the red-black tree has for the node at a place in the store: an even one that is not 0.
fn id(index: u32) -> Id {
    Id::MIN.saturating_add((index as usize) << 1 | 1)
}

/// The place of the node that has a number.
fn index(id: Id) -> u32 {
    (id.get() / 2 - 1) as u32
}

/// What the red-black tree knows of the nodes.
struct Links<'a, T>(&'a [Node<T>]);

impl<T> Links<'_, T> {
    fn get(&self, id: Id) -> &Node<T> {
        &self.0[index(id) as usize]
    }

    fn largest_below(&self, id: Option<Id>) -> usize {
        id.map_or(0, |id| self.get(id).largest())
    }
}

impl<T> Arena for Links<'_, T> {
    const AUGMENTED: bool = true;

    fn node(&self, id: Id) -> &RbNode {
        &self.get(id).links
    }

    fn update(&self, id: Id) -> bool {
        let node = self.get(id);
        let below = self.largest_below(node.links.left()).max(self.largest_below(node.links.right()));
        let largest = node.gap().max(below);
        let changes = node.largest() != largest;
        node.largest.store(largest, Relaxed);
        changes
    }
}

#[derive(Debug)]
pub(super) struct Tree<T, S> {
    store: S,
    root: RbRoot,
    /// The first spare node's number, 0 if there is none.
    first_spare: usize,
    /// How many there are.
    spare: usize,
    _values: core::marker::PhantomData<T>,
}

impl<T, S: DerefMut<Target = [Node<T>]>> Tree<T, S> {
    pub(super) fn new(store: S) -> Self {
        let mut tree = Tree {
            store,
            root: RbRoot::new(),
            first_spare: 0,
            spare: 0,
            _values: core::marker::PhantomData,
        };
        tree.add_spare(0);
        tree
    }

    fn links(&self) -> Links<'_, T> {
        Links(&self.store)
    }

    /// Makes all nodes of the store from `first` on spare.
    fn add_spare(&mut self, first: usize) {
        for index in (first..self.store.len().min(u32::MAX as usize)).rev() {
            self.put_back(index as u32);
        }
    }

    fn put_back(&mut self, index: u32) {
        self.store[index as usize] = Node {
            largest: AtomicUsize::new(self.first_spare),
            ..Node::spare()
        };
        self.first_spare = id(index).get();
        self.spare += 1;
    }

    pub(super) fn spare(&self) -> usize {
        self.spare
    }

    pub(super) fn nodes(&self) -> usize {
        self.store.len()
    }

    pub(super) fn grow(&mut self, mut larger: S) -> S {
        let old = self.store.len();
        if larger.len() > old {
            larger[..old].swap_with_slice(&mut self.store);
            core::mem::swap(&mut self.store, &mut larger);
            self.add_spare(old);
        }
        larger
    }

    pub(super) fn node(&self, index: u32) -> &Node<T> {
        &self.store[index as usize]
    }

    pub(super) fn node_mut(&mut self, index: u32) -> &mut Node<T> {
        &mut self.store[index as usize]
    }

    pub(super) fn range(&self, index: u32) -> Range<usize> {
        let node = self.node(index);
        node.start..node.end
    }

    pub(super) fn largest_gap(&self) -> usize {
        self.links().largest_below(self.root.root())
    }

    /// The node that has `address`.
    pub(super) fn find(&self, address: usize) -> Option<u32> {
        let links = self.links();
        let order = |id| {
            let node = links.get(id);
            if address < node.start {
                core::cmp::Ordering::Less
            } else if address >= node.end {
                core::cmp::Ordering::Greater
            } else {
                core::cmp::Ordering::Equal
            }
        };
        self.root.find(&links, order).map(index)
    }

    /// The first node that begins at `address` or behind it.
    pub(super) fn from(&self, address: usize) -> Option<u32> {
        let (mut at, mut found) = (self.root.root(), None);
        while let Some(id) = at {
            let node = self.node(index(id));
            at = if node.start < address {
                node.links.right()
            } else {
                found = Some(index(id));
                node.links.left()
            };
        }
        found
    }

    /// The gap with the lowest addresses that are as asked for, and the addresses. Subtrees without a gap of the size are not looked into; alignment and limits can
    /// make it look into some in vain.
    pub(super) fn lowest_fit(&self, request: &Request) -> Option<(u32, Range<usize>)> {
        let top = self.root.root().filter(|_| self.largest_gap() >= request.size);
        self.lowest_fit_in(top, request)
    }

    /// As [`lowest_fit`](Self::lowest_fit) in a subtree that has a gap of the size.
    fn lowest_fit_in(&self, mut at: Option<Id>, request: &Request) -> Option<(u32, Range<usize>)> {
        while let Some(id) = at {
            let node = self.node(index(id));
            if node.start > request.within.start
                && self.links().largest_below(node.links.left()) >= request.size
                && let Some(found) = self.lowest_fit_in(node.links.left(), request)
            {
                return Some(found);
            }
            if node.start >= request.within.end {
                return None;
            }
            if let Some(area) = node.fit(request) {
                return Some((index(id), area));
            }
            at = node
                .links
                .right()
                .filter(|right| self.node(index(*right)).largest() >= request.size);
        }
        None
    }

    /// Adds a node, one of the spare ones, of which there must be one. Nothing in the tree may overlap with the range.
    pub(super) fn insert(&mut self, range: Range<usize>, value: Option<T>) {
        let Some(new) = Id::new(self.first_spare) else { return };
        let Range { start, end } = range;
        let node = self.node_mut(index(new));
        let next = node.largest();
        *node = Node {
            start,
            end,
            value,
            ..Node::spare()
        };
        self.first_spare = next;
        self.spare -= 1;
        let links = self.links();
        self.root.insert(&links, new, |other| start < links.get(other).start);
    }

    /// Removes a node that is in the tree.
    pub(super) fn remove(&mut self, index: u32) {
        self.root.erase(&self.links(), id(index));
        self.put_back(index);
    }

    /// Sets the range of a node, which must keep its place in the order, and makes right what depends on it and on whether it is a gap.
    pub(super) fn set_range(&mut self, index: u32, range: Range<usize>) {
        let node = self.node_mut(index);
        (node.start, node.end) = (range.start, range.end);
        rbtree::propagate(&self.links(), id(index));
    }

    /// Whether ranges are in order and sizes of gaps are right.
    #[cfg(test)]
    pub(super) fn is_sound(&self) -> bool {
        let links = self.links();
        let mut end = 0;
        self.root.iter(&links).all(|id| {
            let node = links.get(id);
            let in_order = end <= node.start && (node.start < node.end || node.start == node.end && node.value.is_none());
            end = node.end;
            in_order && !links.update(id)
        })
    }
}

impl<T> Node<T> {
    /// The lowest addresses of a gap that are as asked for.
    fn fit(&self, request: &Request) -> Option<Range<usize>> {
        if self.value.is_some() {
            return None;
        }
        let start = self.start.max(request.within.start).checked_next_multiple_of(request.align)?;
        let end = start.checked_add(request.size)?;
        (end <= self.end.min(request.within.end)).then_some(start..end)
    }
}

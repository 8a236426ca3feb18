//! A balanced tree of ranges that lie side by side without overlap (Adelson-Velsky and Landis), each of them an area or a gap.
//!
//! Nodes are known by their place in the store. Each has the size of the largest gap in its subtree, which is kept right from the bottom up whenever something
//! below has changed.

use core::ops::{DerefMut, Range};

use super::Request;

/// No node.
const NIL: u32 = u32::MAX;

/// A range of addresses.
#[derive(Clone, Debug)]
pub struct Node<T> {
    /// The first address.
    pub(super) start: usize,
    /// The address behind the last.
    pub(super) end: usize,
    /// What is kept with an area; a gap has nothing.
    pub(super) value: Option<T>,
    /// Bytes of the largest gap in the subtree.
    largest: usize,
    /// What lies below, by address. Of a spare node, `left` is the next spare one.
    left: u32,
    right: u32,
    height: u8,
}

impl<T> Node<T> {
    /// A node that is not in use.
    pub const SPARE: Self = Node {
        start: 0,
        end: 0,
        value: None,
        largest: 0,
        left: NIL,
        right: NIL,
        height: 1,
    };

    fn gap(&self) -> usize {
        if self.value.is_none() { self.end - self.start } else { 0 }
    }
}

#[derive(Debug)]
pub(super) struct Tree<T, S> {
    store: S,
    root: u32,
    /// The first spare node.
    spare: u32,
    spare_count: usize,
    _values: core::marker::PhantomData<T>,
}

impl<T, S: DerefMut<Target = [Node<T>]>> Tree<T, S> {
    pub(super) fn new(store: S) -> Self {
        let mut tree = Tree {
            store,
            root: NIL,
            spare: NIL,
            spare_count: 0,
            _values: core::marker::PhantomData,
        };
        tree.add_spare(0);
        tree
    }

    /// Makes all nodes of the store from `first` on spare.
    fn add_spare(&mut self, first: usize) {
        for index in (first..self.store.len().min(NIL as usize)).rev() {
            self.put_back(index as u32);
        }
    }

    fn put_back(&mut self, index: u32) {
        self.store[index as usize] = Node {
            left: self.spare,
            ..Node::SPARE
        };
        self.spare = index;
        self.spare_count += 1;
    }

    pub(super) fn spare(&self) -> usize {
        self.spare_count
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
        self.largest(self.root)
    }

    /// The node that has `address`.
    pub(super) fn find(&self, address: usize) -> Option<u32> {
        let mut at = self.root;
        while at != NIL {
            let node = self.node(at);
            at = if address < node.start {
                node.left
            } else if address >= node.end {
                node.right
            } else {
                return Some(at);
            };
        }
        None
    }

    /// The first node that begins at `address` or behind it.
    pub(super) fn from(&self, address: usize) -> Option<u32> {
        let (mut at, mut found) = (self.root, None);
        while at != NIL {
            let node = self.node(at);
            if node.start < address {
                at = node.right;
            } else {
                found = Some(at);
                at = node.left;
            }
        }
        found
    }

    /// The gap with the lowest addresses that are as asked for, and the addresses. Subtrees without a gap of the size are not looked into; alignment and limits can
    /// make it look into some in vain.
    pub(super) fn lowest_fit(&self, request: &Request) -> Option<(u32, Range<usize>)> {
        self.lowest_fit_in(self.root, request)
    }

    fn lowest_fit_in(&self, mut at: u32, request: &Request) -> Option<(u32, Range<usize>)> {
        while at != NIL {
            let node = self.node(at);
            if node.largest < request.size {
                return None;
            }
            if node.start > request.within.start
                && let Some(found) = self.lowest_fit_in(node.left, request)
            {
                return Some(found);
            }
            if node.start >= request.within.end {
                return None;
            }
            if let Some(area) = node.fit(request) {
                return Some((at, area));
            }
            at = node.right;
        }
        None
    }

    /// Adds a node, one of the spare ones, of which there must be one. Nothing in the tree may overlap with the range.
    pub(super) fn insert(&mut self, range: Range<usize>, value: Option<T>) {
        let new = self.spare;
        let node = self.node_mut(new);
        let next = node.left;
        *node = Node {
            start: range.start,
            end: range.end,
            value,
            ..Node::SPARE
        };
        node.largest = node.gap();
        self.spare = next;
        self.spare_count -= 1;
        self.root = self.insert_below(self.root, new);
    }

    fn insert_below(&mut self, at: u32, new: u32) -> u32 {
        if at == NIL {
            return new;
        }
        if self.node(new).start < self.node(at).start {
            let left = self.insert_below(self.node(at).left, new);
            self.node_mut(at).left = left;
        } else {
            let right = self.insert_below(self.node(at).right, new);
            self.node_mut(at).right = right;
        }
        self.balance(at)
    }

    /// Removes the node that begins at `start`, which must be in the tree.
    pub(super) fn remove(&mut self, start: usize) {
        let (root, removed) = self.remove_below(self.root, start);
        self.root = root;
        if removed != NIL {
            self.put_back(removed);
        }
    }

    fn remove_below(&mut self, at: u32, start: usize) -> (u32, u32) {
        if at == NIL {
            return (NIL, NIL);
        }
        let (left, right) = (self.node(at).left, self.node(at).right);
        let removed = if start < self.node(at).start {
            let (left, removed) = self.remove_below(left, start);
            self.node_mut(at).left = left;
            removed
        } else if start > self.node(at).start {
            let (right, removed) = self.remove_below(right, start);
            self.node_mut(at).right = right;
            removed
        } else if right == NIL {
            return (left, at);
        } else {
            let (right, first) = self.remove_first(right);
            let node = self.node_mut(first);
            (node.left, node.right) = (left, right);
            return (self.balance(first), at);
        };
        (self.balance(at), removed)
    }

    /// Takes the first node out of a subtree that has one.
    fn remove_first(&mut self, at: u32) -> (u32, u32) {
        let (left, right) = (self.node(at).left, self.node(at).right);
        if left == NIL {
            return (right, at);
        }
        let (left, first) = self.remove_first(left);
        self.node_mut(at).left = left;
        (self.balance(at), first)
    }

    /// Sets the range of the node that has `start`, or begins there after the change, to `start..end`, as far as that keeps the order, and makes right what
    /// depends on it.
    pub(super) fn set_range(&mut self, start: usize, end: usize) {
        self.set_range_below(self.root, start, end);
    }

    fn set_range_below(&mut self, at: u32, start: usize, end: usize) {
        if at == NIL {
            return;
        }
        let node = self.node(at);
        if end <= node.start {
            self.set_range_below(node.left, start, end);
        } else if start >= node.end {
            self.set_range_below(node.right, start, end);
        } else {
            let node = self.node_mut(at);
            (node.start, node.end) = (start, end);
        }
        self.update(at);
    }

    fn height(&self, at: u32) -> u8 {
        if at == NIL { 0 } else { self.node(at).height }
    }

    fn largest(&self, at: u32) -> usize {
        if at == NIL { 0 } else { self.node(at).largest }
    }

    /// Makes height and largest gap of a node right, whose children's are.
    fn update(&mut self, at: u32) {
        let node = self.node(at);
        let (left, right) = (node.left, node.right);
        let height = 1 + self.height(left).max(self.height(right));
        let largest = node.gap().max(self.largest(left)).max(self.largest(right));
        let node = self.node_mut(at);
        (node.height, node.largest) = (height, largest);
    }

    /// Makes the heights of the subtrees of `at` differ by no more than one, and says which node is the root then.
    fn balance(&mut self, at: u32) -> u32 {
        let (left, right) = (self.node(at).left, self.node(at).right);
        let (on_left, on_right) = (self.height(left), self.height(right));
        if on_left > on_right + 1 {
            if self.height(self.node(left).left) < self.height(self.node(left).right) {
                self.node_mut(at).left = self.rotate_left(left);
            }
            self.rotate_right(at)
        } else if on_right > on_left + 1 {
            if self.height(self.node(right).right) < self.height(self.node(right).left) {
                self.node_mut(at).right = self.rotate_right(right);
            }
            self.rotate_left(at)
        } else {
            self.update(at);
            at
        }
    }

    fn rotate_left(&mut self, at: u32) -> u32 {
        let up = self.node(at).right;
        self.node_mut(at).right = self.node(up).left;
        self.update(at);
        self.node_mut(up).left = at;
        self.update(up);
        up
    }

    fn rotate_right(&mut self, at: u32) -> u32 {
        let up = self.node(at).left;
        self.node_mut(at).left = self.node(up).right;
        self.update(at);
        self.node_mut(up).right = at;
        self.update(up);
        up
    }

    /// Whether ranges are in order, heights and sizes of gaps are right, and subtrees balanced.
    #[cfg(test)]
    pub(super) fn is_sound(&self) -> bool {
        self.is_sound_below(self.root, 0..usize::MAX)
    }

    #[cfg(test)]
    fn is_sound_below(&self, at: u32, limits: Range<usize>) -> bool {
        if at == NIL {
            return true;
        }
        let node = self.node(at);
        let (left, right) = (self.height(node.left), self.height(node.right));
        limits.start <= node.start
            && node.start < node.end
            && node.end <= limits.end
            && left.abs_diff(right) <= 1
            && node.height == 1 + left.max(right)
            && node.largest == node.gap().max(self.largest(node.left)).max(self.largest(node.right))
            && self.is_sound_below(node.left, limits.start..node.start)
            && self.is_sound_below(node.right, node.end..limits.end)
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

//! An array with an entry for each number, most of which are empty: Linux's xarray, and the radix tree before it.
//!
//! A tree of nodes with 64 slots, as high as the greatest index needs. Entries can be marked, and what is marked is found without looking at the rest; an entry
//! may stand for an aligned range of 2^n indices; an array may know which indices are free, for who hands them out ([`XArray::tracking_free`]).
//!
//! Nodes are known by a number that [`Nodes`] turns into a reference, in the kernel their address. One changes an array at a time. Others may look meanwhile
//! without a lock, as long as a node that [`Nodes::free`] was called for stays what it is until they are done: a node is complete before anything leads to it,
//! and one that was taken out still leads to what it led to.

use core::num::NonZeroUsize;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize};

mod find;
mod marks;
mod nodes;
mod store;

pub use find::{Found, Iter};

/// Bits of an index that a node decides: Linux's `XA_CHUNK_SHIFT`.
const SHIFT: u32 = 6;
/// Slots of a node.
pub const SLOTS: usize = 1 << SHIFT;
const MASK: usize = SLOTS - 1;
/// Marks of an entry.
const MARKS: usize = 3;

/// Words that are a slot's own business end in this.
const INTERNAL: usize = 2;
/// Words up to here that end so are no nodes.
const LAST_SMALL: usize = 4095;
/// A slot that is taken, and looks empty: Linux's `XA_ZERO_ENTRY`.
const RESERVED: usize = 257 << 2 | INTERNAL;

/// A node of the tree: Linux's `struct xa_node`.
#[derive(Debug)]
#[repr(C)]
pub struct Node {
    /// Bits of an index that are decided below.
    shift: AtomicU8,
    /// The slot of the parent that leads here.
    offset: AtomicU8,
    /// Slots in use.
    count: AtomicU8,
    /// The parent's number, 0 at the top.
    parent: AtomicUsize,
    /// The owner's, for nodes that are not in a tree: a list, or what frees it later.
    pub link: [AtomicUsize; 2],
    slots: [AtomicUsize; SLOTS],
    marks: [AtomicU64; MARKS],
}

impl Node {
    /// A node as [`Nodes::alloc`] may give it; any other content will do as well.
    #[must_use]
    pub const fn new() -> Node {
        Node {
            shift: AtomicU8::new(0),
            offset: AtomicU8::new(0),
            count: AtomicU8::new(0),
            parent: AtomicUsize::new(0),
            link: [const { AtomicUsize::new(0) }; 2],
            slots: [const { AtomicUsize::new(0) }; SLOTS],
            marks: [const { AtomicU64::new(0) }; MARKS],
        }
    }

    #[inline]
    fn shift(&self) -> u32 {
        u32::from(self.shift.load(Relaxed))
    }

    /// The slot that decides about `index`.
    #[inline]
    fn offset_of(&self, index: usize) -> usize {
        (index >> self.shift()) & MASK
    }

    /// The greatest index below this node, if it is the topmost.
    #[inline]
    fn max_index(&self) -> usize {
        (MASK << self.shift()) | ((1 << self.shift()) - 1)
    }
}

impl Default for Node {
    fn default() -> Self {
        Node::new()
    }
}

/// Where nodes lie and come from.
pub trait Nodes {
    /// The node of that number.
    fn node(&self, id: usize) -> &Node;

    /// A node that nobody uses, with any content. Its number is a multiple of 4, and more than 4095.
    fn alloc(&self) -> Option<usize>;

    /// Takes a node back. Somebody may still look at it.
    fn free(&self, id: usize);
}

/// What a slot holds: an address, or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry(NonZeroUsize);

impl Entry {
    /// An address, which must be a multiple of 4.
    #[inline]
    #[must_use]
    pub const fn pointer(address: NonZeroUsize) -> Option<Entry> {
        if address.get() & 3 == 0 { Some(Entry(address)) } else { None }
    }

    /// A number of 63 bits: Linux's `xa_mk_value`.
    #[inline]
    #[must_use]
    pub const fn value(value: usize) -> Option<Entry> {
        match NonZeroUsize::new(value << 1 | 1) {
            Some(word) if value <= usize::MAX >> 1 => Some(Entry(word)),
            _ => None,
        }
    }

    /// The address, if it is one.
    #[inline]
    #[must_use]
    pub const fn as_pointer(self) -> Option<NonZeroUsize> {
        if self.0.get() & 1 == 0 { Some(self.0) } else { None }
    }

    /// The number, if it is one.
    #[inline]
    #[must_use]
    pub const fn as_value(self) -> Option<usize> {
        if self.0.get() & 1 == 1 { Some(self.0.get() >> 1) } else { None }
    }

    /// The word of a slot that holds it.
    #[inline]
    pub(crate) const fn word(self) -> usize {
        self.0.get()
    }

    /// What a slot's word means to the user.
    #[inline]
    fn from_word(word: usize) -> Option<Entry> {
        if word & 3 == INTERNAL {
            None
        } else {
            NonZeroUsize::new(word).map(Entry)
        }
    }
}

/// A mark that entries can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mark {
    /// The first; in an array that tracks free indices it is taken for that.
    Mark0 = 0,
    /// The second.
    Mark1 = 1,
    /// The third.
    Mark2 = 2,
}

/// What marks free indices.
const FREE: Mark = Mark::Mark0;

/// That there is no memory for a node; nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMemory;

/// The array.
#[derive(Debug)]
pub struct XArray {
    head: AtomicUsize,
    /// A bit for each mark that any entry has.
    marks: AtomicU8,
    track_free: bool,
}

/// The number of the node that a slot's word leads to.
#[inline]
fn node_of(word: usize) -> Option<usize> {
    (word & 3 == INTERNAL && word > LAST_SMALL).then_some(word.wrapping_sub(INTERNAL))
}

/// The slot that a word repeats: the first of an entry that stands for several slots.
#[inline]
fn sibling_of(word: usize) -> Option<usize> {
    (word & 3 == INTERNAL && word >> 2 < SLOTS).then_some(word >> 2)
}

impl XArray {
    /// An empty array.
    #[must_use]
    pub const fn new() -> XArray {
        XArray {
            head: AtomicUsize::new(0),
            marks: AtomicU8::new(0),
            track_free: false,
        }
    }

    /// An empty array that knows its free indices, for [`XArray::find_free`]. [`Mark::Mark0`] is not the user's then.
    #[must_use]
    pub const fn tracking_free() -> XArray {
        XArray {
            head: AtomicUsize::new(0),
            marks: AtomicU8::new(1 << FREE as u8),
            track_free: true,
        }
    }

    /// Whether nothing is stored.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.load(Acquire) == 0
    }

    /// The entry at `index`: Linux's `xa_load`.
    #[inline]
    pub fn load<N: Nodes>(&self, nodes: &N, index: usize) -> Option<Entry> {
        let word = self.head.load(Acquire);
        let Some(mut id) = node_of(word) else {
            return if index == 0 { Entry::from_word(word) } else { None };
        };
        let mut shift = nodes.node(id).shift();
        if index >> shift > MASK {
            return None;
        }
        loop {
            let node = nodes.node(id);
            let word = node.slots[(index >> shift) & MASK].load(Acquire);
            if word & 3 != INTERNAL {
                return NonZeroUsize::new(word).map(Entry);
            }
            let Some(child) = node_of(word) else {
                return Entry::from_word(node.slots[sibling_of(word)?].load(Acquire));
            };
            id = child;
            shift -= SHIFT;
        }
    }

    /// The lowest node on the way to `index`, if all nodes are there and no larger entry is: where most of what is stored and removed has its slot.
    #[inline]
    fn leaf<'a, N: Nodes>(&self, nodes: &'a N, index: usize) -> Option<&'a Node> {
        let mut node = nodes.node(node_of(self.head.load(Relaxed))?);
        let mut shift = node.shift();
        if index >> shift > MASK {
            return None;
        }
        while shift != 0 {
            node = nodes.node(node_of(node.slots[(index >> shift) & MASK].load(Relaxed))?);
            shift -= SHIFT;
        }
        Some(node)
    }
}

impl Default for XArray {
    fn default() -> Self {
        XArray::new()
    }
}

#[cfg(test)]
pub(crate) mod tests;

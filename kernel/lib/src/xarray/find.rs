//! Looking for the next entry, the next marked one, the next free index.

use super::{Acquire, Entry, FREE, MASK, Mark, Nodes, Relaxed, SHIFT, SLOTS, XArray, node_of, sibling_of};

/// An entry that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The first index that it stands for.
    pub index: usize,
    /// The last index that it stands for.
    pub last: usize,
    /// What is stored.
    pub entry: Entry,
}

/// Where a search has come to.
enum Step {
    Found(Found),
    Empty(usize),
    /// Nothing up to here.
    GoOn(usize),
    End,
}

impl XArray {
    /// The first entry that stands for an index of `start..=max`: Linux's `xa_find`.
    pub fn find<N: Nodes>(&self, nodes: &N, start: usize, max: usize) -> Option<Found> {
        self.search(nodes, start, max, None)
    }

    /// The first entry of `start..=max` that has the mark.
    pub fn find_marked<N: Nodes>(&self, nodes: &N, start: usize, max: usize, mark: Mark) -> Option<Found> {
        self.search(nodes, start, max, Some(mark))
    }

    /// All entries of `start..=max`, in order, those without `mark` left out if one is given. What is stored or removed meanwhile may be seen or not.
    pub fn iter<'a, N: Nodes>(&'a self, nodes: &'a N, start: usize, max: usize, mark: Option<Mark>) -> Iter<'a, N> {
        Iter {
            array: self,
            nodes,
            next: Some(start),
            max,
            mark,
        }
    }

    /// Fills `entries` with the first entries from `start` on, and says how many there are: Linux's `radix_tree_gang_lookup`.
    pub fn gang_lookup<N: Nodes>(&self, nodes: &N, entries: &mut [Entry], start: usize, mark: Option<Mark>) -> usize {
        let found = self.iter(nodes, start, usize::MAX, mark).zip(entries);
        found.map(|(found, entry)| *entry = found.entry).count()
    }

    /// The first index of `start..=max` that nothing is stored at, in an array that knows them.
    #[inline]
    pub fn find_free<N: Nodes>(&self, nodes: &N, start: usize, max: usize) -> Option<usize> {
        self.find_room(nodes, start, max).map(|(index, _)| index)
    }

    /// The first index of `start..=max` that is free, or that [`XArray::set_room`] was called for, with what is there.
    #[inline]
    pub(crate) fn find_room<N: Nodes>(&self, nodes: &N, start: usize, max: usize) -> Option<(usize, Option<Entry>)> {
        debug_assert!(self.track_free);
        let word = self.head.load(Acquire);
        let behind = match node_of(word) {
            None if word == 0 || start > 0 => start,
            None if self.marked(FREE) => return Some((0, Entry::from_word(word))),
            None => 1,
            Some(id) => {
                let last = nodes.node(id).max_index();
                let mut index = start;
                while index <= last.min(max) && self.marked(FREE) {
                    match self.step(nodes, id, index, Some(FREE)) {
                        Step::Empty(free) => return (free <= max).then_some((free, None)),
                        Step::Found(found) => return (found.index <= max).then_some((found.index, Some(found.entry))),
                        Step::GoOn(next) => index = next,
                        Step::End => break,
                    }
                }
                last.checked_add(1)?.max(start)
            }
        };
        (behind <= max).then_some((behind, None))
    }

    fn search<N: Nodes>(&self, nodes: &N, start: usize, max: usize, mark: Option<Mark>) -> Option<Found> {
        let mut index = start;
        debug_assert!(!self.track_free || mark != Some(FREE), "the first mark is taken");
        while index <= max {
            let word = self.head.load(Acquire);
            let Some(id) = node_of(word) else {
                let entry = Entry::from_word(word).filter(|_| index == 0 && mark.is_none_or(|mark| self.marked(mark)))?;
                return Some(Found { index, last: 0, entry });
            };
            if index > nodes.node(id).max_index() {
                return None;
            }
            index = match self.step(nodes, id, index, mark) {
                Step::Found(found) => return (found.index <= max).then_some(found),
                Step::Empty(next) | Step::GoOn(next) => next,
                Step::End => return None,
            };
        }
        None
    }

    /// Goes down from the top for `index` to the first slot from there on that may be what is looked for.
    #[inline]
    fn step<N: Nodes>(&self, nodes: &N, mut id: usize, mut index: usize, mark: Option<Mark>) -> Step {
        loop {
            let node = nodes.node(id);
            let shift = node.shift();
            let offset = (index >> shift) & MASK;
            let next = match mark {
                Some(mark) => {
                    // The first slot of an entry has its marks.
                    let offset = sibling_of(node.slots[offset].load(Relaxed)).unwrap_or(offset);
                    let bits = node.marks[mark as usize].load(Relaxed) >> offset;
                    if bits == 0 {
                        SLOTS
                    } else {
                        offset + bits.trailing_zeros() as usize
                    }
                }
                None => {
                    let used = |offset: &usize| node.slots[*offset].load(Relaxed) != 0;
                    (offset..SLOTS).find(used).unwrap_or(SLOTS)
                }
            };
            if next == SLOTS {
                // The first index behind this node.
                let last = index | (MASK << shift) | ((1 << shift) - 1);
                return last.checked_add(1).map_or(Step::End, Step::GoOn);
            }
            if next != offset {
                index = (index >> shift & !MASK | next) << shift;
            }
            let word = node.slots[next].load(Acquire);
            if let Some(child) = node_of(word) {
                id = child;
                continue;
            }
            if word == 0 {
                return match mark {
                    Some(FREE) if self.track_free => Step::Empty(index),
                    _ => (index | ((1 << shift) - 1)).checked_add(1).map_or(Step::End, Step::GoOn),
                };
            }
            let first = sibling_of(word).unwrap_or(next);
            let siblings = |offset: &usize| sibling_of(node.slots[*offset].load(Relaxed)) == Some(first);
            let behind = (first + 1..SLOTS).take_while(siblings).last().unwrap_or(first);
            let at = |offset: usize| (index >> shift & !MASK | offset) << shift;
            let (index, last) = (at(first), at(behind) | ((1 << shift) - 1));
            return match Entry::from_word(node.slots[first].load(Acquire)) {
                Some(entry) => Step::Found(Found { index, last, entry }),
                None => last.checked_add(1).map_or(Step::End, Step::GoOn),
            };
        }
    }
}

/// Entries of an array, in order.
#[derive(Debug)]
pub struct Iter<'a, N> {
    array: &'a XArray,
    nodes: &'a N,
    next: Option<usize>,
    max: usize,
    mark: Option<Mark>,
}

impl<N: Nodes> Iterator for Iter<'_, N> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let found = self.array.search(self.nodes, self.next?, self.max, self.mark);
        self.next = found.and_then(|found| found.last.checked_add(1));
        found
    }
}

/// Bits of an index that the tree decides at most; the topmost node decides fewer.
const _: () = assert!(usize::BITS.div_ceil(SHIFT) * SHIFT >= usize::BITS);

//! Changing what is stored.

use super::{
    Acquire, AtomicUsize, Entry, FREE, INTERNAL, MASK, NoMemory, Node, Nodes, RESERVED, Relaxed, Release, XArray, node_of, sibling_of,
};

/// A slot of the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The node that it is a slot of; 0 stands for the head.
    pub(super) id: usize,
    /// Which of its slots.
    pub(super) offset: usize,
}

impl XArray {
    /// Stores `entry` at `index` and returns what was there, whose marks it takes over: Linux's `xa_store`. Where an entry stands for several indices, it is
    /// replaced at all of them.
    ///
    /// # Errors
    ///
    /// [`NoMemory`], with nothing changed.
    #[inline]
    pub fn store<N: Nodes>(&self, nodes: &N, index: usize, entry: Entry) -> Result<Option<Entry>, NoMemory> {
        self.put(nodes, index, entry.word())
    }

    /// Takes `index` without storing anything: it stays empty to those who look, and neither storing there nor [`XArray::remove`] needs memory. What is there stays.
    ///
    /// # Errors
    ///
    /// [`NoMemory`], with nothing changed.
    pub fn reserve<N: Nodes>(&self, nodes: &N, index: usize) -> Result<(), NoMemory> {
        if self.load(nodes, index).is_none() {
            self.put(nodes, index, RESERVED)?;
        }
        Ok(())
    }

    #[inline]
    fn put<N: Nodes>(&self, nodes: &N, index: usize, word: usize) -> Result<Option<Entry>, NoMemory> {
        let leaf = if self.track_free { None } else { self.leaf(nodes, index) };
        match leaf {
            Some(node) if node.slots[index & MASK].load(Relaxed) == 0 => {
                node.count.store(node.count.load(Relaxed) + 1, Relaxed);
                node.slots[index & MASK].store(word, Release);
                Ok(None)
            }
            _ => self.put_slow(nodes, index, word),
        }
    }

    /// As [`XArray::put_anywhere`], out of the way of what is quick.
    #[inline(never)]
    fn put_slow<N: Nodes>(&self, nodes: &N, index: usize, word: usize) -> Result<Option<Entry>, NoMemory> {
        self.put_anywhere(nodes, index, word)
    }

    /// Stores a word wherever its place is: what an array whose indices are tracked does each time.
    #[inline]
    pub(crate) fn put_anywhere<N: Nodes>(&self, nodes: &N, index: usize, word: usize) -> Result<Option<Entry>, NoMemory> {
        let place = self.create(nodes, index, 0)?;
        let slot = self.slot(nodes, place);
        let old = slot.load(Relaxed);
        slot.store(word, Release);
        if old == 0 {
            if place.id != 0 {
                let count = &nodes.node(place.id).count;
                count.store(count.load(Relaxed) + 1, Relaxed);
            }
            if self.track_free {
                self.clear_marks_from(nodes, place, FREE);
            }
        }
        Ok(Entry::from_word(old))
    }

    /// Stores `entry` at the 2^`order` indices around `index`, aligned to that number. What was there goes, with its marks; where a larger entry was, it is replaced
    /// at all of its indices.
    ///
    /// # Errors
    ///
    /// [`NoMemory`], with nothing changed.
    pub fn store_order<N: Nodes>(&self, nodes: &N, index: usize, order: u32, entry: Entry) -> Result<(), NoMemory> {
        if order == 0 {
            return self.store(nodes, index, entry).map(drop);
        }
        let index = index & !((1 << order) - 1);
        let place = self.create(nodes, index, order)?;
        let node = nodes.node(place.id);
        let slots = order.checked_sub(node.shift()).map_or(1, |bits| 1 << bits);
        let first = sibling_of(node.slots[place.offset].load(Relaxed)).unwrap_or(place.offset);
        let slots = node.span(first).max(slots);
        for offset in first..first + slots {
            let word = if offset == first { entry.word() } else { first << 2 | INTERNAL };
            let old = node.slots[offset].swap(word, Release);
            if old == 0 {
                node.count.store(node.count.load(Relaxed) + 1, Relaxed);
            }
            if let Some(child) = node_of(old) {
                self.free_below(nodes, child);
            }
            for mark in super::marks::ALL {
                self.clear_marks_from(nodes, Place { id: place.id, offset }, mark);
            }
        }
        Ok(())
    }

    /// Takes out the entry at `index`, at all indices that it stands for, and returns it: Linux's `xa_erase`.
    #[inline]
    pub fn remove<N: Nodes>(&self, nodes: &N, index: usize) -> Option<Entry> {
        if self.track_free {
            return self.remove_anywhere(nodes, index);
        }
        let leaf = if self.marks.load(Relaxed) == 0 {
            self.leaf(nodes, index)
        } else {
            None
        };
        match leaf.and_then(|node| node.take_single(index & MASK)) {
            Some(old) => Some(old),
            None => self.remove_slow(nodes, index),
        }
    }

    /// As [`XArray::remove_anywhere`], out of the way of what is quick.
    #[inline(never)]
    fn remove_slow<N: Nodes>(&self, nodes: &N, index: usize) -> Option<Entry> {
        self.remove_anywhere(nodes, index)
    }

    /// Takes out what is at `index`, wherever that is.
    #[inline]
    pub(crate) fn remove_anywhere<N: Nodes>(&self, nodes: &N, index: usize) -> Option<Entry> {
        let place = self.place_of(nodes, index)?;
        let slot = self.slot(nodes, place);
        let old = slot.load(Relaxed);
        slot.store(0, Release);
        if place.id == 0 {
            self.marks.store(u8::from(self.track_free) << FREE as u8, Relaxed);
            return Entry::from_word(old);
        }
        let node = nodes.node(place.id);
        let cleared = node.span(place.offset);
        self.forget_marks(nodes, place);
        for offset in place.offset + 1..place.offset + cleared {
            node.slots[offset].store(0, Release);
            self.forget_marks(nodes, Place { id: place.id, offset });
        }
        let count = node.count.load(Relaxed) - cleared as u8;
        node.count.store(count, Relaxed);
        if count == 0 {
            self.free_empty(nodes, place.id);
        } else if count == 1 {
            self.shrink(nodes);
        }
        Entry::from_word(old)
    }

    /// Takes out everything.
    pub fn clear<N: Nodes>(&self, nodes: &N) {
        let word = self.head.swap(0, Release);
        self.marks.store(u8::from(self.track_free) << FREE as u8, Relaxed);
        if let Some(id) = node_of(word) {
            self.free_below(nodes, id);
        }
    }

    #[inline]
    pub(super) fn slot<'a, N: Nodes>(&'a self, nodes: &'a N, place: Place) -> &'a AtomicUsize {
        if place.id == 0 {
            &self.head
        } else {
            &nodes.node(place.id).slots[place.offset]
        }
    }

    /// The slot that `index` is stored in, if anything is, its first if there are several.
    #[inline]
    pub(super) fn place_of<N: Nodes>(&self, nodes: &N, index: usize) -> Option<Place> {
        let mut word = self.head.load(Acquire);
        let Some(mut id) = node_of(word) else {
            return (index == 0 && word != 0).then_some(Place { id: 0, offset: 0 });
        };
        if index > nodes.node(id).max_index() {
            return None;
        }
        loop {
            let node = nodes.node(id);
            let offset = node.offset_of(index);
            word = node.slots[offset].load(Acquire);
            match node_of(word) {
                Some(child) => id = child,
                None if word == 0 => return None,
                None => {
                    let offset = sibling_of(word).unwrap_or(offset);
                    return Some(Place { id, offset });
                }
            }
        }
    }
}

impl Node {
    /// How many slots the entry has whose first is `offset`.
    #[inline]
    fn span(&self, offset: usize) -> usize {
        let siblings = self.slots[offset + 1..].iter().map(|slot| sibling_of(slot.load(Relaxed)));
        1 + siblings.take_while(|first| *first == Some(offset)).count()
    }

    /// Takes out an entry that has this slot only, unless so few are left that the node may have to go, too. No entry may have marks.
    #[inline]
    fn take_single(&self, offset: usize) -> Option<Entry> {
        let old = self.slots[offset].load(Relaxed);
        let followed = self
            .slots
            .get(offset + 1)
            .is_some_and(|next| sibling_of(next.load(Relaxed)) == Some(offset));
        let count = self.count.load(Relaxed);
        if old & 3 == INTERNAL || old == 0 || followed || count <= 2 {
            return None;
        }
        self.slots[offset].store(0, Release);
        self.count.store(count - 1, Relaxed);
        Entry::from_word(old)
    }
}

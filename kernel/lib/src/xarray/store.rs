//! Changing what is stored.

use super::{
    Acquire, AtomicUsize, Entry, FREE, INTERNAL, MARKS, MASK, NoMemory, Node, Nodes, RESERVED, Relaxed, Release, SHIFT, SLOTS, XArray,
    node_of, sibling_of,
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

    /// The slot for an entry of 2^`order` indices at `index`, with all nodes on the way to it.
    #[inline]
    fn create<N: Nodes>(&self, nodes: &N, index: usize, order: u32) -> Result<Place, NoMemory> {
        let head = self.head.load(Relaxed);
        let Some(mut id) = node_of(head).filter(|id| nodes.node(*id).has_room(index, order)) else {
            return self.create_above(nodes, index, order);
        };
        loop {
            let node = nodes.node(id);
            let shift = node.shift();
            let offset = (index >> shift) & MASK;
            if shift <= order {
                let word = node.slots[offset].load(Relaxed);
                let first = if order == 0 { sibling_of(word) } else { None };
                return Ok(Place {
                    id,
                    offset: first.unwrap_or(offset),
                });
            }
            let word = node.slots[offset].load(Relaxed);
            id = match node_of(word) {
                Some(child) => child,
                None if word == 0 => match self.add_node(nodes, shift - SHIFT, Place { id, offset }) {
                    Some(child) => child,
                    None => {
                        self.tidy(nodes, id);
                        return Err(NoMemory);
                    }
                },
                // A larger entry: replaced where it is.
                None => {
                    let offset = sibling_of(word).unwrap_or(offset);
                    return Ok(Place { id, offset });
                }
            };
        }
    }

    /// Makes the tree high enough for `index`, and goes on.
    #[cold]
    fn create_above<N: Nodes>(&self, nodes: &N, index: usize, order: u32) -> Result<Place, NoMemory> {
        let head = self.head.load(Relaxed);
        if index == 0 && order == 0 && node_of(head).is_none() {
            return Ok(Place { id: 0, offset: 0 });
        }
        if head == 0 {
            let mut shift = 0;
            while index >> shift > MASK || shift + SHIFT <= order {
                shift += SHIFT;
            }
            self.add_node(nodes, shift, Place { id: 0, offset: 0 }).ok_or(NoMemory)?;
            return self.create(nodes, index, order);
        }
        let mut top = node_of(head);
        loop {
            let shift = match top.map(|id| nodes.node(id)) {
                Some(node) if node.has_room(index, order) => break,
                Some(node) => node.shift() + SHIFT,
                None => 0,
            };
            let Some(id) = self.add_top(nodes, shift) else {
                self.shrink(nodes);
                return Err(NoMemory);
            };
            top = Some(id);
        }
        self.create(nodes, index, order)
    }

    /// A new node in an empty slot.
    fn add_node<N: Nodes>(&self, nodes: &N, shift: u32, place: Place) -> Option<usize> {
        let id = nodes.alloc()?;
        let node = nodes.node(id);
        node.prepare(shift, place, self.track_free);
        self.slot(nodes, place).store(id | INTERNAL, Release);
        if place.id != 0 {
            let count = &nodes.node(place.id).count;
            count.store(count.load(Relaxed) + 1, Relaxed);
        }
        Some(id)
    }

    /// A new node at the top, whose first slot leads to what was there.
    fn add_top<N: Nodes>(&self, nodes: &N, shift: u32) -> Option<usize> {
        let id = nodes.alloc()?;
        let node = nodes.node(id);
        node.prepare(shift, Place { id: 0, offset: 0 }, self.track_free);
        let head = self.head.load(Relaxed);
        node.slots[0].store(head, Relaxed);
        node.count.store(1, Relaxed);
        for (mark, bits) in node.marks.iter().enumerate() {
            let others = bits.load(Relaxed) & !1;
            bits.store(others | u64::from(self.marks.load(Relaxed) >> mark & 1), Relaxed);
        }
        if self.track_free {
            self.marks.store(self.marks.load(Relaxed) | 1 << FREE as u8, Relaxed);
        }
        if let Some(below) = node_of(head) {
            nodes.node(below).offset.store(0, Relaxed);
            nodes.node(below).parent.store(id, Relaxed);
        }
        self.head.store(id | INTERNAL, Release);
        Some(id)
    }

    /// Frees the nodes from `id` up that are empty, and those at the top that are not needed.
    #[cold]
    fn tidy<N: Nodes>(&self, nodes: &N, id: usize) {
        if nodes.node(id).count.load(Relaxed) == 0 {
            self.free_empty(nodes, id);
        } else {
            self.shrink(nodes);
        }
    }

    /// Frees a node without entries, and what becomes empty by that.
    fn free_empty<N: Nodes>(&self, nodes: &N, mut id: usize) {
        loop {
            let node = nodes.node(id);
            let parent = node.parent.load(Relaxed);
            if parent == 0 {
                self.head.store(0, Release);
                self.marks.store(u8::from(self.track_free) << FREE as u8, Relaxed);
                nodes.free(id);
                return;
            }
            let above = nodes.node(parent);
            above.slots[usize::from(node.offset.load(Relaxed))].store(0, Release);
            let count = above.count.load(Relaxed) - 1;
            above.count.store(count, Relaxed);
            nodes.free(id);
            if count != 0 {
                break;
            }
            id = parent;
        }
        self.shrink(nodes);
    }

    /// Takes away nodes at the top that lead to their first slot only.
    fn shrink<N: Nodes>(&self, nodes: &N) {
        while let Some(id) = node_of(self.head.load(Relaxed)) {
            let node = nodes.node(id);
            let word = node.slots[0].load(Relaxed);
            if node.count.load(Relaxed) != 1 || word == 0 || (node_of(word).is_none() && node.shift() != 0) {
                return;
            }
            let below = |mark: usize| (node.marks[mark].load(Relaxed) as u8 & 1) << mark;
            self.marks.store((0..MARKS).map(below).fold(0, |all, mark| all | mark), Relaxed);
            if let Some(child) = node_of(word) {
                nodes.node(child).parent.store(0, Relaxed);
            }
            // Who looks at this node still finds its first slot.
            self.head.store(word, Release);
            nodes.free(id);
        }
    }

    /// Frees a node and all below.
    fn free_below<N: Nodes>(&self, nodes: &N, top: usize) {
        let (mut id, mut offset) = (top, 0);
        loop {
            let node = nodes.node(id);
            let child = (offset..SLOTS).find_map(|offset| node_of(node.slots[offset].load(Relaxed)));
            if let Some(child) = child {
                (id, offset) = (child, 0);
                continue;
            }
            let (parent, from) = (node.parent.load(Relaxed), usize::from(node.offset.load(Relaxed)));
            nodes.free(id);
            if id == top {
                return;
            }
            (id, offset) = (parent, from + 1);
        }
    }
}

impl Node {
    /// Whether an entry of 2^`order` indices at `index` has its slots here or below, if this is the topmost node.
    #[inline]
    fn has_room(&self, index: usize, order: u32) -> bool {
        index <= self.max_index() && order < self.shift() + SHIFT
    }

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

    /// Makes it an empty node for a slot that is empty, too.
    fn prepare(&self, shift: u32, place: Place, track_free: bool) {
        self.shift.store(shift as u8, Relaxed);
        self.offset.store(place.offset as u8, Relaxed);
        self.count.store(0, Relaxed);
        self.parent.store(place.id, Relaxed);
        for slot in &self.slots {
            slot.store(0, Relaxed);
        }
        for (mark, bits) in self.marks.iter().enumerate() {
            bits.store(if track_free && mark == FREE as usize { u64::MAX } else { 0 }, Relaxed);
        }
    }
}

//! Which nodes the tree has: those on the way to an entry, made before it is stored, and none without one.

use super::store::Place;
use super::{FREE, INTERNAL, MARKS, MASK, NoMemory, Node, Nodes, Relaxed, Release, SHIFT, SLOTS, XArray, node_of, sibling_of};

impl XArray {
    /// The slot for an entry of 2^`order` indices at `index`, with all nodes on the way to it.
    #[inline]
    pub(super) fn create<N: Nodes>(&self, nodes: &N, index: usize, order: u32) -> Result<Place, NoMemory> {
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
    pub(super) fn tidy<N: Nodes>(&self, nodes: &N, id: usize) {
        if nodes.node(id).count.load(Relaxed) == 0 {
            self.free_empty(nodes, id);
        } else {
            self.shrink(nodes);
        }
    }

    /// Frees a node without entries, and what becomes empty by that.
    pub(super) fn free_empty<N: Nodes>(&self, nodes: &N, mut id: usize) {
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
    pub(super) fn shrink<N: Nodes>(&self, nodes: &N) {
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
    pub(super) fn free_below<N: Nodes>(&self, nodes: &N, top: usize) {
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

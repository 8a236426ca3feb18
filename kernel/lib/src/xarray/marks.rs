//! Marks: a bit in each node on the way to an entry that has it.

use super::store::Place;
use super::{Entry, FREE, Mark, Nodes, Relaxed, XArray};

pub(super) const ALL: [Mark; super::MARKS] = [Mark::Mark0, Mark::Mark1, Mark::Mark2];

impl XArray {
    /// Whether any entry has the mark.
    #[inline]
    #[must_use]
    pub fn marked(&self, mark: Mark) -> bool {
        self.marks.load(Relaxed) & 1 << mark as u8 != 0
    }

    /// Whether the entry at `index` has the mark.
    pub fn get_mark<N: Nodes>(&self, nodes: &N, index: usize, mark: Mark) -> bool {
        self.entry_place(nodes, index).is_some_and(|place| match place.id {
            0 => self.marked(mark),
            id => nodes.node(id).marks[mark as usize].load(Relaxed) & 1 << place.offset != 0,
        })
    }

    /// Marks the entry at `index`. Without one nothing happens.
    pub fn set_mark<N: Nodes>(&self, nodes: &N, index: usize, mark: Mark) {
        debug_assert!(!self.track_free || mark != FREE, "the first mark is taken");
        if let Some(place) = self.entry_place(nodes, index) {
            self.set_marks_from(nodes, place, mark);
        }
    }

    /// Takes the mark from the entry at `index`.
    pub fn clear_mark<N: Nodes>(&self, nodes: &N, index: usize, mark: Mark) {
        debug_assert!(!self.track_free || mark != FREE, "the first mark is taken");
        if let Some(place) = self.entry_place(nodes, index) {
            self.clear_marks_from(nodes, place, mark);
        }
    }

    /// Lets the taken `index` be found by [`XArray::find_room`], or no longer: for entries that are more than one thing.
    pub(crate) fn set_room<N: Nodes>(&self, nodes: &N, index: usize, room: bool) {
        if let Some(place) = self.entry_place(nodes, index) {
            if room {
                self.set_marks_from(nodes, place, FREE);
            } else {
                self.clear_marks_from(nodes, place, FREE);
            }
        }
    }

    /// The slot of an entry that can be seen.
    fn entry_place<N: Nodes>(&self, nodes: &N, index: usize) -> Option<Place> {
        let place = self.place_of(nodes, index)?;
        Entry::from_word(self.slot(nodes, place).load(Relaxed)).map(|_| place)
    }

    /// Sets a mark from a slot up.
    pub(super) fn set_marks_from<N: Nodes>(&self, nodes: &N, place: Place, mark: Mark) {
        let Place { mut id, mut offset } = place;
        while id != 0 {
            let node = nodes.node(id);
            let bits = node.marks[mark as usize].load(Relaxed);
            if bits & 1 << offset != 0 {
                return;
            }
            node.marks[mark as usize].store(bits | 1 << offset, Relaxed);
            offset = usize::from(node.offset.load(Relaxed));
            id = node.parent.load(Relaxed);
        }
        self.marks.store(self.marks.load(Relaxed) | 1 << mark as u8, Relaxed);
    }

    /// Clears a mark from a slot up, as far as nothing else below has it.
    #[inline]
    pub(super) fn clear_marks_from<N: Nodes>(&self, nodes: &N, place: Place, mark: Mark) {
        let Place { mut id, mut offset } = place;
        while id != 0 {
            let node = nodes.node(id);
            let bits = node.marks[mark as usize].load(Relaxed) & !(1 << offset);
            node.marks[mark as usize].store(bits, Relaxed);
            if bits != 0 {
                return;
            }
            offset = usize::from(node.offset.load(Relaxed));
            id = node.parent.load(Relaxed);
        }
        self.marks.store(self.marks.load(Relaxed) & !(1 << mark as u8), Relaxed);
    }

    /// Leaves a slot with the marks of an empty one.
    #[inline]
    pub(super) fn forget_marks<N: Nodes>(&self, nodes: &N, place: Place) {
        for mark in ALL {
            if self.track_free && mark == FREE {
                self.set_marks_from(nodes, place, mark);
            } else if self.marked(mark) {
                self.clear_marks_from(nodes, place, mark);
            }
        }
    }
}

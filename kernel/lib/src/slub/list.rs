//! The slabs of a node, as lists.

use super::Backend;

/// A list of slabs, linked by [`Backend::neighbours`].
#[derive(Debug)]
pub struct List<S> {
    /// First and last.
    ends: Option<(S, S)>,
    len: usize,
}

/// What a node has of a cache.
#[derive(Debug)]
pub struct Node<S> {
    /// Slabs with free objects that no CPU has.
    pub partial: List<S>,
    /// Slabs without free objects; only a cache that is being debugged keeps them.
    pub full: List<S>,
}

impl<S: Copy + PartialEq> Node<S> {
    /// A node that has nothing.
    #[must_use]
    pub const fn new() -> Self {
        Node {
            partial: List::new(),
            full: List::new(),
        }
    }
}

impl<S: Copy + PartialEq> Default for Node<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Copy + PartialEq> List<S> {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        List { ends: None, len: 0 }
    }

    /// How many slabs are on it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> Option<S> {
        self.ends.map(|(first, _)| first)
    }

    /// Puts a slab that is on no list in front of all.
    pub fn push_front<B: Backend<Slab = S>>(&mut self, b: B, slab: S) {
        self.len += 1;
        let Some((first, last)) = self.ends else {
            return self.set_only(b, slab);
        };
        b.set_neighbours(slab, B::NO_SLAB, first);
        b.set_neighbours(first, slab, b.neighbours(first).1);
        self.ends = Some((slab, last));
    }

    /// Puts a slab that is on no list behind all.
    pub fn push_back<B: Backend<Slab = S>>(&mut self, b: B, slab: S) {
        self.len += 1;
        let Some((first, last)) = self.ends else {
            return self.set_only(b, slab);
        };
        b.set_neighbours(slab, last, B::NO_SLAB);
        b.set_neighbours(last, b.neighbours(last).0, slab);
        self.ends = Some((first, slab));
    }

    /// Takes away a slab that is on this list.
    pub fn remove<B: Backend<Slab = S>>(&mut self, b: B, slab: S) {
        let (previous, next) = b.neighbours(slab);
        let Some((mut first, mut last)) = self.ends else {
            return;
        };
        self.len -= 1;
        if previous == B::NO_SLAB {
            first = next;
        } else {
            b.set_neighbours(previous, b.neighbours(previous).0, next);
        }
        if next == B::NO_SLAB {
            last = previous;
        } else {
            b.set_neighbours(next, previous, b.neighbours(next).1);
        }
        b.set_neighbours(slab, B::NO_SLAB, B::NO_SLAB);
        self.ends = (self.len != 0).then_some((first, last));
    }

    /// The slabs from first to last; the one just given may be taken away before the next is asked for.
    pub fn iter<B: Backend<Slab = S>>(&self, b: B) -> Iter<B> {
        Iter {
            b,
            next: self.first().unwrap_or(B::NO_SLAB),
        }
    }

    fn set_only<B: Backend<Slab = S>>(&mut self, b: B, slab: S) {
        b.set_neighbours(slab, B::NO_SLAB, B::NO_SLAB);
        self.ends = Some((slab, slab));
    }
}

impl<S: Copy + PartialEq> Default for List<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// The slabs of a list.
pub struct Iter<B: Backend> {
    b: B,
    next: B::Slab,
}

impl<B: Backend> Iterator for Iter<B> {
    type Item = B::Slab;

    fn next(&mut self) -> Option<B::Slab> {
        let slab = self.next;
        (slab != B::NO_SLAB).then(|| {
            self.next = self.b.neighbours(slab).1;
            slab
        })
    }
}

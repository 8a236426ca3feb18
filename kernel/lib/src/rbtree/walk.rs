//! From one node to the next.

use super::{Arena, Id, RbRoot, Side};

impl RbRoot {
    /// The first node.
    #[must_use]
    pub fn first<A: Arena>(&self, arena: &A) -> Option<Id> {
        self.root().map(|root| farthest(arena, root, Side::Left))
    }

    /// The last node.
    #[must_use]
    pub fn last<A: Arena>(&self, arena: &A) -> Option<Id> {
        self.root().map(|root| farthest(arena, root, Side::Right))
    }

    /// All nodes, in order.
    pub fn iter<'a, A: Arena>(&self, arena: &'a A) -> Iter<'a, A> {
        Iter {
            arena,
            next: self.first(arena),
        }
    }
}

/// The node behind `id`, which must be in a tree.
#[must_use]
pub fn next<A: Arena>(arena: &A, id: Id) -> Option<Id> {
    neighbour(arena, id, Side::Right)
}

/// The node before `id`, which must be in a tree.
#[must_use]
pub fn prev<A: Arena>(arena: &A, id: Id) -> Option<Id> {
    neighbour(arena, id, Side::Left)
}

fn farthest<A: Arena>(arena: &A, mut id: Id, side: Side) -> Id {
    while let Some(child) = arena.node(id).child(side) {
        id = child;
    }
    id
}

fn neighbour<A: Arena>(arena: &A, mut id: Id, side: Side) -> Option<Id> {
    if let Some(child) = arena.node(id).child(side) {
        return Some(farthest(arena, child, side.other()));
    }
    loop {
        let parent = arena.node(id).parent()?;
        if arena.node(parent).side_of(id) != side {
            return Some(parent);
        }
        id = parent;
    }
}

/// The nodes of a tree, in order. The tree must not change meanwhile.
#[derive(Debug)]
pub struct Iter<'a, A> {
    arena: &'a A,
    next: Option<Id>,
}

impl<A: Arena> Iterator for Iter<'_, A> {
    type Item = Id;

    fn next(&mut self) -> Option<Id> {
        let this = self.next?;
        self.next = next(self.arena, this);
        Some(this)
    }
}

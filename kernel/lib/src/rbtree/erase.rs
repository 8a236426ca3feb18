//! Taking a node out.

use super::{Arena, BLACK, Id, RbRoot, Side};

impl RbRoot {
    /// Takes out a node, which must be in this tree.
    pub fn erase<A: Arena>(&self, arena: &A, id: Id) {
        let node = arena.node(id);
        let (left, right) = (node.left(), node.right());
        // What takes its place, below which node one is missing now, on which side, and of which colour.
        let (below, side, color) = match (left, right) {
            (Some(left), Some(right)) => self.replace_by_successor(arena, id, left, right),
            (child, None) | (None, child) => {
                let parent = node.parent();
                let side = parent.map_or(Side::Left, |parent| arena.node(parent).side_of(id));
                self.replace_child(arena, parent, id, child);
                if let Some(child) = child {
                    // An only child is red, and takes over the colour with the place.
                    arena.node(child).set_parent_and_color(parent, node.color());
                    (parent, side, 0)
                } else {
                    (parent, side, node.color())
                }
            }
        };
        if A::AUGMENTED {
            let mut at = below;
            while let Some(id) = at {
                arena.update(id);
                at = arena.node(id).parent();
            }
        }
        if let Some(below) = below
            && color == BLACK
        {
            self.balance_removal(arena, below, side);
        }
    }

    /// Puts the next node in the place of `id`, which has both children.
    fn replace_by_successor<A: Arena>(&self, arena: &A, id: Id, left: Id, right: Id) -> (Option<Id>, Side, usize) {
        let node = arena.node(id);
        let mut successor = right;
        while let Some(smaller) = arena.node(successor).left() {
            successor = smaller;
        }
        let next = arena.node(successor);
        let (orphan, mut color) = (next.right(), next.color());
        let (below, side) = if successor == right {
            (successor, Side::Right)
        } else {
            let Some(below) = next.parent() else { return (None, Side::Left, 0) };
            arena.node(below).set_child(Side::Left, orphan);
            next.set_child(Side::Right, Some(right));
            arena.node(right).set_parent(Some(successor));
            (below, Side::Left)
        };
        if let Some(orphan) = orphan {
            arena.node(orphan).set_parent_and_color(Some(below), BLACK);
            color = 0;
        }
        next.set_child(Side::Left, Some(left));
        arena.node(left).set_parent(Some(successor));
        self.replace_child(arena, node.parent(), id, Some(successor));
        next.set_parent_and_color(node.parent(), node.color());
        (Some(below), side, color)
    }

    /// Mends that paths through `side` of `parent` lack a black node.
    fn balance_removal<A: Arena>(&self, arena: &A, mut parent: Id, mut side: Side) {
        let is_red = |id: Option<Id>| id.is_some_and(|id| !arena.node(id).is_black());
        loop {
            let above = arena.node(parent);
            // The other side has at least the black node that is missing here.
            let Some(mut sibling) = above.child(side.other()) else { return };
            if !arena.node(sibling).is_black() {
                self.rotate(arena, parent, side);
                arena.node(sibling).set_color(BLACK);
                above.set_color(0);
                let Some(nephew) = above.child(side.other()) else { return };
                sibling = nephew;
            }
            let beside = arena.node(sibling);
            let (inner, mut outer) = (beside.child(side), beside.child(side.other()));
            if !is_red(outer) {
                let Some(red) = inner.filter(|_| is_red(inner)) else {
                    beside.set_color(0);
                    if !above.is_black() {
                        above.set_color(BLACK);
                        return;
                    }
                    let Some(next) = above.parent() else { return };
                    side = arena.node(next).side_of(parent);
                    parent = next;
                    continue;
                };
                self.rotate(arena, sibling, side.other());
                outer = Some(sibling);
                sibling = red;
            }
            self.rotate(arena, parent, side);
            arena.node(sibling).set_color(above.color());
            above.set_color(BLACK);
            if let Some(outer) = outer {
                arena.node(outer).set_color(BLACK);
            }
            return;
        }
    }
}

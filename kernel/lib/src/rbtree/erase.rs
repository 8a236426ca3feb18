//! Taking a node out.

use super::{Arena, BLACK, Id, Place, RbRoot, Side};

/// Where a node is missing: the node above, if there is one, and the side.
type Hole = (Option<Id>, Side);

impl RbRoot {
    /// Takes out a node, which must be in this tree.
    pub fn erase<A: Arena>(&self, arena: &A, id: Id) {
        let node = arena.node(id);
        let place = node.place();
        let ((below, side), lacks_black) = match (node.left(), node.right()) {
            (Some(left), Some(right)) => self.replace_by_successor(arena, (id, place), left, right),
            (child, None) | (None, child) => {
                let side = self.replace_child(arena, place.parent(), id, child);
                if let Some(child) = child {
                    // An only child is red, and takes over the colour with the place.
                    arena.node(child).set_place(place);
                }
                ((place.parent(), side), child.is_none() && place.is_black())
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
            && lacks_black
        {
            self.balance_removal(arena, below, side);
        }
    }

    /// Puts the next node in the place of one that has both children. Says where the next one is missing now, and whether that is a black node too few.
    #[inline]
    fn replace_by_successor<A: Arena>(&self, arena: &A, (id, place): (Id, Place), left: Id, right: Id) -> (Hole, bool) {
        let (mut successor, mut below, mut side) = (right, right, Side::Right);
        let mut next = arena.node(successor);
        while let Some(smaller) = next.left() {
            (below, successor, side) = (successor, smaller, Side::Left);
            next = arena.node(successor);
        }
        let orphan = next.right();
        let lacks_black = orphan.is_none() && next.is_black();
        if side == Side::Left {
            arena.node(below).set_child(Side::Left, orphan);
            next.set_child(Side::Right, Some(right));
            arena.node(right).set_parent(Some(successor));
        }
        if let Some(orphan) = orphan {
            arena.node(orphan).set_parent_and_color(Some(below), BLACK);
        }
        next.set_child(Side::Left, Some(left));
        arena.node(left).set_parent(Some(successor));
        self.replace_child(arena, place.parent(), id, Some(successor));
        next.set_place(place);
        ((Some(below), side), lacks_black)
    }

    /// Mends that paths through `side` of `parent` lack a black node.
    fn balance_removal<A: Arena>(&self, arena: &A, mut parent: Id, mut side: Side) {
        let red = |id: &Id| !arena.node(*id).is_black();
        loop {
            let above = arena.node(parent);
            // The other side has at least the black node that is missing here.
            let Some(mut sibling) = above.child(side.other()) else { return };
            let mut beside = arena.node(sibling);
            if !beside.is_black() {
                let Some(nephew) = beside.child(side) else { return };
                self.rotate(arena, parent, sibling, side, 0);
                (sibling, beside) = (nephew, arena.node(nephew));
            }
            let mut outer = beside.child(side.other()).filter(red);
            if outer.is_none() {
                let Some(inner) = beside.child(side).filter(red) else {
                    beside.set_color(0);
                    let place = above.place();
                    if !place.is_black() {
                        above.set_color(BLACK);
                        return;
                    }
                    let Some(next) = place.parent() else { return };
                    side = arena.node(next).side_of(parent);
                    parent = next;
                    continue;
                };
                // The red one comes to stand between the two, and is black only as what takes the parent's place.
                self.rotate(arena, sibling, inner, side.other(), 0);
                (outer, sibling) = (Some(sibling), inner);
            }
            self.rotate(arena, parent, sibling, side, BLACK);
            if let Some(outer) = outer {
                arena.node(outer).set_color(BLACK);
            }
            return;
        }
    }
}

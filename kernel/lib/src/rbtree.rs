//! Red-black trees of nodes that lie wherever their owner put them.
//!
//! A node is known by an [`Id`], a number that its [`Arena`] turns into the node's links: in the kernel its address, in a test an index. So the algorithm
//! needs neither an allocation nor `unsafe`, and costs what it would with pointers. What a node stands for, and which comes first, is the caller's;
//! an [`Arena`] may keep something about each subtree up to date on the way ([`Arena::update`]). One changes a tree at a time, and nobody looks meanwhile.

use core::cmp::Ordering;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

mod erase;
mod walk;

pub use walk::{Iter, next, prev};

/// A node's number. It is even: the lowest bit is the tree's.
pub type Id = NonZeroUsize;

/// The links of a node: Linux's `struct rb_node`.
#[derive(Debug, Default)]
pub struct RbNode {
    /// The parent's number; the lowest bit is set in a black node.
    parent_color: AtomicUsize,
    children: [AtomicUsize; 2],
}

/// Where nodes lie.
pub trait Arena {
    /// Whether [`Arena::update`] does anything.
    const AUGMENTED: bool = false;

    /// The links of a node that is in the tree, or about to be.
    fn node(&self, id: Id) -> &RbNode;

    /// Brings up to date what is kept about the subtree below `id`, from the node and its children's, which are right. Says whether that changed anything.
    fn update(&self, id: Id) -> bool {
        let _ = id;
        false
    }
}

/// A tree: Linux's `struct rb_root`.
#[derive(Debug, Default)]
pub struct RbRoot {
    root: AtomicUsize,
}

/// Left or right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left = 0,
    Right = 1,
}

impl Side {
    const fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }
}

const BLACK: usize = 1;

/// A node's parent and colour, as they are kept, of which one that takes its place takes both.
#[derive(Clone, Copy)]
struct Place(usize);

impl Place {
    #[inline]
    fn parent(self) -> Option<Id> {
        Id::new(self.0 & !BLACK)
    }

    #[inline]
    fn is_black(self) -> bool {
        self.0 & BLACK != 0
    }
}

impl RbNode {
    /// A node that is in no tree.
    #[must_use]
    pub const fn new() -> RbNode {
        RbNode {
            parent_color: AtomicUsize::new(0),
            children: [const { AtomicUsize::new(0) }; 2],
        }
    }

    #[inline]
    pub(crate) fn parent(&self) -> Option<Id> {
        Id::new(self.parent_color.load(Relaxed) & !BLACK)
    }

    #[inline]
    fn place(&self) -> Place {
        Place(self.parent_color.load(Relaxed))
    }

    #[inline]
    fn set_place(&self, place: Place) {
        self.parent_color.store(place.0, Relaxed);
    }

    #[inline]
    pub(crate) fn child(&self, side: Side) -> Option<Id> {
        Id::new(self.children[side as usize].load(Relaxed))
    }

    /// The child with the smaller keys.
    #[inline]
    #[must_use]
    pub fn left(&self) -> Option<Id> {
        self.child(Side::Left)
    }

    /// The child with the greater keys.
    #[inline]
    #[must_use]
    pub fn right(&self) -> Option<Id> {
        self.child(Side::Right)
    }

    #[inline]
    fn set_child(&self, side: Side, child: Option<Id>) {
        self.children[side as usize].store(number(child), Relaxed);
    }

    #[inline]
    fn is_black(&self) -> bool {
        self.parent_color.load(Relaxed) & BLACK != 0
    }

    #[inline]
    fn color(&self) -> usize {
        self.parent_color.load(Relaxed) & BLACK
    }

    #[inline]
    fn set_parent(&self, parent: Option<Id>) {
        self.parent_color.store(number(parent) | self.color(), Relaxed);
    }

    #[inline]
    fn set_color(&self, color: usize) {
        self.parent_color.store(self.parent_color.load(Relaxed) & !BLACK | color, Relaxed);
    }

    #[inline]
    fn set_parent_and_color(&self, parent: Option<Id>, color: usize) {
        self.parent_color.store(number(parent) | color, Relaxed);
    }

    /// On which side of its parent the node is that `id` stands for.
    #[inline]
    fn side_of(&self, id: Id) -> Side {
        if self.child(Side::Left) == Some(id) {
            Side::Left
        } else {
            Side::Right
        }
    }
}

#[inline]
fn number(id: Option<Id>) -> usize {
    id.map_or(0, Id::get)
}

/// Brings up to date what is kept about the subtrees that `id` is in, when something about the node has changed that is not its place.
pub fn propagate<A: Arena>(arena: &A, id: Id) {
    let mut at = Some(id);
    while let Some(id) = at.filter(|&id| arena.update(id)) {
        at = arena.node(id).parent();
    }
}

impl RbRoot {
    /// A tree without nodes.
    #[must_use]
    pub const fn new() -> RbRoot {
        RbRoot { root: AtomicUsize::new(0) }
    }

    /// The node at the top.
    #[inline]
    #[must_use]
    pub fn root(&self) -> Option<Id> {
        Id::new(self.root.load(Relaxed))
    }

    /// Whether there is no node.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root().is_none()
    }

    /// The node for which `order` says `Equal`: it is asked how what is looked for compares with a node.
    #[inline]
    pub fn find<A: Arena>(&self, arena: &A, mut order: impl FnMut(Id) -> Ordering) -> Option<Id> {
        let mut at = self.root();
        while let Some(id) = at {
            at = match order(id) {
                Ordering::Less => arena.node(id).left(),
                Ordering::Greater => arena.node(id).right(),
                Ordering::Equal => return Some(id),
            };
        }
        None
    }

    /// Inserts `new`, behind those that it equals. `goes_left` says whether it comes before a node.
    #[inline]
    pub fn insert<A: Arena>(&self, arena: &A, new: Id, mut goes_left: impl FnMut(Id) -> bool) {
        let (mut at, mut parent, mut side) = (self.root(), None, Side::Left);
        while let Some(id) = at {
            side = if goes_left(id) { Side::Left } else { Side::Right };
            parent = at;
            at = arena.node(id).child(side);
        }
        self.link(arena, new, parent, side);
    }

    /// Inserts `new`, unless there is a node that it equals, which is the answer then: `order` is asked how `new` compares with a node.
    ///
    /// # Errors
    ///
    /// The node that is in its place.
    #[inline]
    pub fn try_insert<A: Arena>(&self, arena: &A, new: Id, mut order: impl FnMut(Id) -> Ordering) -> Result<(), Id> {
        let (mut at, mut parent, mut side) = (self.root(), None, Side::Left);
        while let Some(id) = at {
            side = match order(id) {
                Ordering::Less => Side::Left,
                Ordering::Greater => Side::Right,
                Ordering::Equal => return Err(id),
            };
            parent = at;
            at = arena.node(id).child(side);
        }
        self.link(arena, new, parent, side);
        Ok(())
    }

    fn link<A: Arena>(&self, arena: &A, new: Id, parent: Option<Id>, side: Side) {
        let node = arena.node(new);
        node.set_child(Side::Left, None);
        node.set_child(Side::Right, None);
        // Red: that changes no path's number of black nodes.
        node.set_parent_and_color(parent, 0);
        match parent {
            Some(parent) => arena.node(parent).set_child(side, Some(new)),
            None => self.root.store(new.get(), Relaxed),
        }
        if A::AUGMENTED {
            arena.update(new);
            if let Some(parent) = parent {
                propagate(arena, parent);
            }
        }
        self.balance_insertion(arena, new);
    }

    /// Mends what a new red node may break: that no red node has a red parent.
    fn balance_insertion<A: Arena>(&self, arena: &A, new: Id) {
        let mut at = new;
        loop {
            let node = arena.node(at);
            let Some(mut parent) = node.parent() else {
                node.set_color(BLACK);
                return;
            };
            let above = arena.node(parent);
            if above.is_black() {
                return;
            }
            // The root is black, so a red parent has one, too.
            let Some(grandparent) = above.parent() else { return };
            let top = arena.node(grandparent);
            let side = top.side_of(parent);
            if let Some(uncle) = top.child(side.other())
                && !arena.node(uncle).is_black()
            {
                above.set_color(BLACK);
                arena.node(uncle).set_color(BLACK);
                top.set_color(0);
                at = grandparent;
                continue;
            }
            if above.side_of(at) != side {
                self.rotate(arena, parent, at, side, 0);
                parent = at;
            }
            // Black as the grandparent is, which becomes red.
            self.rotate(arena, grandparent, parent, side.other(), 0);
            return;
        }
    }

    /// Turns the edge between a node and the child `rising` on its other side, so that the node goes down on `side`. `rising` gets the node's colour, and the node `color`.
    #[inline]
    fn rotate<A: Arena>(&self, arena: &A, id: Id, rising: Id, side: Side, color: usize) {
        let (node, up) = (arena.node(id), arena.node(rising));
        let moved = up.child(side);
        node.set_child(side.other(), moved);
        if let Some(moved) = moved {
            arena.node(moved).set_parent(Some(id));
        }
        up.set_child(side, Some(id));
        let place = node.place();
        up.set_place(place);
        node.set_parent_and_color(Some(rising), color);
        self.replace_child(arena, place.parent(), id, Some(rising));
        if A::AUGMENTED {
            arena.update(id);
            arena.update(rising);
        }
    }

    /// Makes `new` the child of `parent`, or the root, that `old` was, and says on which side.
    #[inline]
    fn replace_child<A: Arena>(&self, arena: &A, parent: Option<Id>, old: Id, new: Option<Id>) -> Side {
        let Some(parent) = parent else {
            self.root.store(number(new), Relaxed);
            return Side::Left;
        };
        let parent = arena.node(parent);
        let side = parent.side_of(old);
        parent.set_child(side, new);
        side
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Timers in the order in which they expire, to the nanosecond (Linux's `timerqueue`): a tree of which the first is known without looking for it.
//!
//! Nodes are known by [`Id`]s, as those of [`crate::rbtree`], whose they are. Equal ones come in the order in which they were added.

#[cfg(test)]
mod tests;

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::rbtree::{self, Id, RbNode, RbRoot};

/// What the queue keeps in a timer.
#[derive(Debug, Default)]
pub struct TimerqueueNode {
    links: RbNode,
    expires: AtomicU64,
}

impl TimerqueueNode {
    /// A node that is in no queue.
    #[must_use]
    pub const fn new() -> Self {
        TimerqueueNode {
            links: RbNode::new(),
            expires: AtomicU64::new(0),
        }
    }

    /// When the timer expires.
    #[inline]
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.expires.load(Relaxed)
    }

    /// Sets when it expires, while it is in no queue.
    #[inline]
    pub fn set_expires(&self, expires: u64) {
        self.expires.store(expires, Relaxed);
    }

    /// The links, for the arena of the tree.
    #[inline]
    #[must_use]
    pub fn links(&self) -> &RbNode {
        &self.links
    }
}

/// Where timers lie.
pub trait Arena: rbtree::Arena {
    /// What the queue keeps in the timer `id`.
    fn timer(&self, id: Id) -> &TimerqueueNode;
}

/// Timers by the time at which they expire.
#[derive(Debug, Default)]
pub struct Timerqueue {
    root: RbRoot,
    first: Option<Id>,
}

impl Timerqueue {
    /// A queue without timers.
    #[must_use]
    pub const fn new() -> Self {
        Timerqueue {
            root: RbRoot::new(),
            first: None,
        }
    }

    /// Adds `id`, which is in no queue, by its [`TimerqueueNode::expires`]. Says whether it is the first now.
    #[inline]
    pub fn add<A: Arena>(&mut self, arena: &A, id: Id) -> bool {
        let expires = arena.timer(id).expires();
        let is_first = self.first.is_none_or(|first| expires < arena.timer(first).expires());
        self.root.insert(arena, id, |other| expires < arena.timer(other).expires());
        if is_first {
            self.first = Some(id);
        }
        is_first
    }

    /// Takes `id` out, which is in the queue. Says whether it was the first.
    #[inline]
    pub fn remove<A: Arena>(&mut self, arena: &A, id: Id) -> bool {
        let was_first = self.first == Some(id);
        if was_first {
            self.first = rbtree::next(arena, id);
        }
        self.root.erase(arena, id);
        was_first
    }

    /// The timer that expires first.
    #[inline]
    #[must_use]
    pub fn first(&self) -> Option<Id> {
        self.first
    }

    /// Calls `f` with each timer, the first first.
    pub fn for_each<A: Arena>(&self, arena: &A, f: impl FnMut(Id)) {
        self.root.iter(arena).for_each(f);
    }
}

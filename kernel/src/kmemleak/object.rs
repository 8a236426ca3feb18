//! What is known of a block.

use core::cell::Cell;

use arrayvec::ArrayVec;
use incipit_lib::rbtree::{Id, RbNode};

use super::{BLACK, GRAY};
use crate::stackdepot::Handle;

bitflags::bitflags! {
    /// What has been found out, or said, about a block.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub(super) struct Flags: u8 {
        /// It was reported as a leak.
        const REPORTED = 1 << 1;
        /// It is not looked at.
        const NO_SCAN = 1 << 2;
        /// All of it is looked at, whatever parts were named.
        const FULL_SCAN = 1 << 3;
    }
}

/// Parts of a block that are looked at, if that is not all of it.
const AREAS: usize = 2;

/// What is known of a block. All of it is used under the table's lock.
#[repr(C)]
pub(super) struct Object {
    /// Links of the tree; first, so that a node's number is the object's address.
    pub(super) links: RbNode,
    /// The next one of the list that it is in: free ones, or gray ones that are to be looked at. 0 ends it.
    pub(super) next: Cell<usize>,
    pub(super) facts: Cell<Facts>,
    pub(super) areas: Cell<ArrayVec<(usize, usize), AREAS>>,
    /// References that were found.
    pub(super) count: Cell<i32>,
    /// References that it should have.
    pub(super) min_count: Cell<i32>,
    pub(super) checksum: Cell<u64>,
    pub(super) flags: Cell<Flags>,
}

/// What does not change of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) pointer: usize,
    pub(super) size: usize,
    pub(super) trace: Option<Handle>,
    pub(super) comm: &'static str,
    pub(super) pid: u32,
    /// When it was allocated, in nanoseconds since the boot.
    pub(super) born_ns: u64,
}

impl Object {
    /// One that is on the list of those that are free.
    pub(super) const fn free(next: usize) -> Object {
        Object {
            links: RbNode::new(),
            next: Cell::new(next),
            facts: Cell::new(Facts {
                pointer: 0,
                size: 0,
                trace: None,
                comm: "",
                pid: 0,
                born_ns: 0,
            }),
            areas: Cell::new(ArrayVec::new_const()),
            count: Cell::new(0),
            min_count: Cell::new(0),
            checksum: Cell::new(0),
            flags: Cell::new(Flags::empty()),
        }
    }

    /// Makes it that of a block.
    pub(super) fn start(&self, facts: Facts, min_count: i32) {
        self.facts.set(facts);
        self.areas.take();
        self.min_count.set(min_count);
        // Gray until the first scan: nothing is known yet.
        self.count.set(0);
        self.checksum.set(0);
        self.flags.set(Flags::empty());
    }

    pub(super) fn pointer(&self) -> usize {
        self.facts.get().pointer
    }

    pub(super) fn end(&self) -> usize {
        let facts = self.facts.get();
        facts.pointer.wrapping_add(facts.size)
    }

    /// Fewer references than there should be.
    pub(super) fn is_white(&self) -> bool {
        self.min_count.get() != BLACK && self.count.get() < self.min_count.get()
    }

    /// As many references as there should be, or none needed.
    pub(super) fn is_gray(&self) -> bool {
        self.min_count.get() != BLACK && self.count.get() >= self.min_count.get()
    }

    /// Changes how many references there should be.
    pub(super) fn paint(&self, color: i32) {
        self.min_count.set(color);
        if color == BLACK {
            self.set_no_scan();
        }
        debug_assert!(color == BLACK || color == GRAY);
    }

    pub(super) fn set_no_scan(&self) {
        self.set(Flags::NO_SCAN);
    }

    pub(super) fn set(&self, flags: Flags) {
        self.flags.set(self.flags.get() | flags);
    }

    pub(super) fn has(&self, flags: Flags) -> bool {
        self.flags.get().contains(flags)
    }

    /// Looks only at parts of the block, of which this is one; if there are too many, at all of it.
    pub(super) fn add_area(&self, start: usize, size: usize) {
        let mut areas = self.areas.take();
        if areas.try_push((start, size.min(self.end().wrapping_sub(start)))).is_err() {
            self.set(Flags::FULL_SCAN);
        }
        self.areas.set(areas);
    }

    pub(super) fn id(&self) -> Option<Id> {
        Id::new(core::ptr::from_ref(self).expose_provenance())
    }
}

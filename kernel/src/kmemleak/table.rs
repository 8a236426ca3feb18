//! All blocks that are known, by address, and the memory for what is known of them.

use core::cmp::Ordering;
use core::ptr;

use incipit_lib::rbtree::{Arena, Id, RbNode, RbRoot};

use super::object::{Facts, Object};
use super::stop;
use crate::locking::IrqSpinLock;
use crate::mm::page::page_address;
use crate::mm::page_alloc::alloc_page;
use crate::mm::{Gfp, PAGE_SIZE, fault_inject};
use crate::panic::task;
use crate::stackdepot::Handle;
use crate::time::sched_clock;

pub(super) static TABLE: IrqSpinLock<Table> = IrqSpinLock::new(Table {
    tree: RbRoot::new(),
    free: 0,
    objects: 0,
    lowest: usize::MAX,
    highest: 0,
});

/// The blocks.
pub(super) struct Table {
    tree: RbRoot,
    /// The first object that nobody uses.
    free: usize,
    objects: usize,
    /// Addresses outside of these are in no block.
    lowest: usize,
    highest: usize,
}

/// Where objects lie: their numbers are their addresses.
struct Objects;

/// The object of that number.
fn object<'a>(id: Id) -> &'a Object {
    // SAFETY: numbers come from `Table`, whose objects are never given back, and are used under its lock only.
    unsafe { &*ptr::with_exposed_provenance(id.get()) }
}

impl Arena for Objects {
    #[inline]
    fn node(&self, id: Id) -> &RbNode {
        &object(id).links
    }
}

/// Remembers a block.
pub(super) fn create(block: usize, size: usize, min_count: i32, trace: Option<Handle>, gfp: Gfp) {
    let facts = Facts {
        pointer: block,
        size,
        trace,
        comm: task::comm(),
        pid: task::pid(),
        born_ns: sched_clock(),
    };
    let mut table = TABLE.lock();
    if table.free == 0 {
        drop(table);
        // Reserves are not for this, nor are tests of what becomes of a failure.
        let gfp = gfp & (Gfp::KERNEL | Gfp::ATOMIC) | Gfp::NORETRY | Gfp::NOMEMALLOC | Gfp::NOWARN;
        let page = fault_inject::exempt(|| alloc_page(gfp));
        table = TABLE.lock();
        match page {
            Some(page) => table.add_page(page_address(page)),
            None if table.free == 0 => {
                drop(table);
                return stop(format_args!("Cannot allocate a kmemleak_object structure"));
            }
            None => {}
        }
    }
    let overlaps = table.insert(facts, min_count);
    drop(table);
    if overlaps {
        stop(format_args!(
            "Cannot insert {block:#x} into the object search tree (overlaps existing)"
        ));
    }
}

impl Table {
    /// How many blocks are known.
    pub(super) fn objects(&self) -> usize {
        self.objects
    }

    /// Cuts a page into objects.
    fn add_page(&mut self, page: *mut u8) {
        for index in 0..PAGE_SIZE / size_of::<Object>() {
            let place = page.cast::<Object>().wrapping_add(index);
            // SAFETY: the page was just allocated, and has room for so many objects.
            unsafe { place.write(Object::free(self.free)) };
            self.free = place.expose_provenance();
        }
    }

    /// Says whether the block overlaps one that is known, which must not be.
    fn insert(&mut self, facts: Facts, min_count: i32) -> bool {
        let Some(id) = Id::new(self.free) else { return false };
        let new = object(id);
        let (start, end) = (facts.pointer, facts.pointer.wrapping_add(facts.size));
        let order = |other: Id| match object(other) {
            other if end <= other.pointer() => Ordering::Less,
            other if start >= other.end() => Ordering::Greater,
            _ => Ordering::Equal,
        };
        if self.tree.try_insert(&Objects, id, order).is_err() {
            return true;
        }
        self.free = new.next.replace(0);
        new.start(facts, min_count);
        self.objects += 1;
        self.lowest = self.lowest.min(start);
        self.highest = self.highest.max(end);
        false
    }

    /// Forgets the block that begins here. One that is not known was there before the detector, or is none of its business.
    pub(super) fn delete(&mut self, block: usize) {
        let Some(found) = self.containing(block).filter(|object| object.pointer() == block) else {
            return;
        };
        let Some(id) = found.id() else { return };
        self.tree.erase(&Objects, id);
        found.next.set(self.free);
        self.free = id.get();
        self.objects -= 1;
    }

    /// Forgets all blocks.
    pub(super) fn clear(&mut self) {
        while let Some(first) = self.tree.first(&Objects) {
            self.delete(object(first).pointer());
        }
    }

    /// The block that an address lies in.
    #[inline]
    pub(super) fn containing<'a>(&self, address: usize) -> Option<&'a Object> {
        if address < self.lowest || address >= self.highest {
            return None;
        }
        let mut at = self.tree.root();
        while let Some(id) = at {
            let found = object(id);
            at = if address < found.pointer() {
                found.links.left()
            } else if address >= found.end() {
                found.links.right()
            } else {
                return Some(found);
            };
        }
        None
    }

    /// Calls `change` with the block that an address lies in, if there is one.
    pub(super) fn with(&mut self, address: usize, change: impl FnOnce(&Object)) {
        if let Some(object) = self.containing(address) {
            change(object);
        }
    }

    /// All blocks, by address.
    pub(super) fn iter<'a>(&self) -> impl Iterator<Item = &'a Object> {
        self.tree.iter(&Objects).map(object)
    }
}

//! Who allocated an object, and who freed it last.

use incipit_lib::slub::geometry::SlabFlags;

use super::super::cache::KmemCache;
use super::super::pages::Slab;
use crate::panic::{ReturnAddress, symbols, task};
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::stackdepot::{self, Handle};
use crate::time::clock::sched_clock;

/// A record, as it lies behind an object.
#[repr(C)]
#[derive(Clone, Copy)]
struct Track {
    /// When, in milliseconds of the log's clock.
    when: u64,
    /// The stack.
    handle: u32,
    cpu: u32,
    pid: u32,
    /// 1 if there is a record.
    set: u32,
}

/// Bytes of a record.
pub const TRACK_SIZE: u32 = size_of::<Track>() as u32;

/// The record of the last allocation.
pub const ALLOC: usize = 0;
/// The record of the last time it was freed.
pub const FREE: usize = 1;

/// Functions of the allocator and of the collections, which are not who allocates: how their names begin.
const ALLOCATOR: [&str; 8] = [
    "incipit::mm::slab",
    "<incipit::mm::slab",
    "incipit::stackdepot",
    "__rustc",
    "alloc::",
    "<alloc::",
    "core::",
    "<core::",
];

/// What happens to an object now.
pub struct Event(Option<Track>);

impl Event {
    /// Who is doing it; found before any lock is taken, since keeping a stack may allocate.
    #[inline(never)]
    pub fn here(cache: &KmemCache) -> Event {
        Event(cache.flags.contains(SlabFlags::STORE_USER).then(|| Track {
            when: milliseconds(),
            handle: stackdepot::save_here(1).map_or(0, Handle::get),
            cpu: smp_processor_id() as u32,
            pid: task::pid(),
            set: 1,
        }))
    }

    /// Keeps it with the object, as [`ALLOC`] or [`FREE`].
    pub fn store(&self, cache: &KmemCache, slab: Slab, offset: usize, which: usize) {
        if let Some(track) = self.0 {
            // SAFETY: the records of an object of the slab, which its user does not touch; the node is locked.
            unsafe { records(cache, slab, offset).add(which).write_unaligned(track) };
        }
    }
}

fn milliseconds() -> u64 {
    sched_clock() / 1_000_000
}

fn records(cache: &KmemCache, slab: Slab, offset: usize) -> *mut Track {
    slab.object(offset + cache.geometry.track as usize).cast()
}

/// Makes both records those of an object that nobody has had.
pub fn clear(cache: &KmemCache, slab: Slab, offset: usize) {
    if cache.flags.contains(SlabFlags::STORE_USER) {
        // SAFETY: as in `store`; the slab is new.
        unsafe { records(cache, slab, offset).cast::<u8>().write_bytes(0, 2 * size_of::<Track>()) };
    }
}

/// Logs who allocated an object and who freed it last, with their stacks: Linux's function of the same name.
pub fn print_tracking(cache: &KmemCache, slab: Slab, offset: usize) {
    if !cache.flags.contains(SlabFlags::STORE_USER) {
        return;
    }
    for (which, what) in [(ALLOC, "Allocated"), (FREE, "Freed")] {
        // SAFETY: as in `store`; whatever lies there is a record.
        let track = unsafe { records(cache, slab, offset).add(which).read_unaligned() };
        if track.set != 1 {
            continue;
        }
        let stack = Handle::from_number(track.handle);
        pr_err!(
            "{what} in {} age={} cpu={} pid={}",
            ReturnAddress(stack.map_or(0, user)),
            milliseconds().saturating_sub(track.when),
            track.cpu,
            track.pid
        );
        if let Some(stack) = stack {
            stack.print(Level::Err, " ");
        }
    }
}

/// The innermost caller that is not part of the allocator.
fn user(stack: Handle) -> usize {
    let first = stack.addresses().next().unwrap_or(0);
    let is_user =
        |&address: &usize| symbols::lookup(address - 1).is_some_and(|symbol| !ALLOCATOR.iter().any(|start| symbol.name.starts_with(start)));
    stack.addresses().find(is_user).unwrap_or(first)
}

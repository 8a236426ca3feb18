//! Caches that are debugged: what was done to their objects is found when they are allocated and freed, and repaired. Those whose objects are cleared take the same paths, so that
//! the others need not ask.
//!
//! Their objects all go by the lock of their node. An object that is found damaged when it is freed stays in use; a slab with a damaged free object is not used again.

mod setup;
mod track;

pub(super) use setup::{allowed, clearing, flags_for};
pub(super) use track::{TRACK_SIZE, print_tracking};

use core::slice;

use incipit_lib::slub::debug::{POISON_INUSE, Part};
use incipit_lib::slub::geometry::SlabFlags;
use incipit_lib::slub::{Backend, Link, checked};

use self::track::Event;
use super::cache::KmemCache;
use super::pages::{Request, Slab, write_link};
use super::report::{object_err, print_trailer, slab_bug, slab_err, slab_fix};
use crate::mm::PAGE_SIZE;
use crate::panic::taint::{self, Taint};
use crate::prelude::*;

/// Whether a cache takes these paths.
#[inline]
pub fn is_debugged(cache: &KmemCache) -> bool {
    cache.flags.intersects(SlabFlags::CHECKED_PATHS)
}

/// Takes an object that is as it must be.
pub fn alloc(cache: &'static KmemCache, request: Request) -> Option<(Slab, usize)> {
    let event = Event::here(cache);
    checked::take(cache, request, |slab, offset| {
        let good = !cache.flags.contains(SlabFlags::CONSISTENCY_CHECKS) || is_good_free_object(cache, slab, offset);
        if !good {
            slab_fix(cache, format_args!("Marking all objects used"));
            return false;
        }
        activate(cache, slab, offset);
        if cache.flags.contains(SlabFlags::CLEAR_ON_ALLOC) {
            clear(cache, slab, offset);
        }
        event.store(cache, slab, offset, track::ALLOC);
        if cache.flags.contains(SlabFlags::TRACE) {
            pr_info!(
                "TRACE {} alloc {:p} inuse={}",
                cache.name,
                slab.object(offset),
                slab.word().in_use()
            );
        }
        true
    })
}

/// Gives an object back that is as it must be.
pub fn free(cache: &'static KmemCache, slab: Slab, offset: usize) {
    let event = Event::here(cache);
    let freed = checked::give(cache, slab, offset, || {
        if !may_be_freed(cache, slab, offset) {
            return false;
        }
        event.store(cache, slab, offset, track::FREE);
        if cache.flags.contains(SlabFlags::TRACE) {
            pr_info!("TRACE {} free {:p} inuse={}", cache.name, slab.object(offset), slab.word().in_use());
        }
        cache.geometry.prepare(cache.flags, false, slot(cache, slab, offset));
        if cache.flags.contains(SlabFlags::CLEAR_ON_FREE) {
            clear(cache, slab, offset);
        }
        true
    });
    if !freed {
        slab_fix(cache, format_args!("Object at {:#x} not freed", slab.object(offset).addr()));
    }
}

/// Clears an object that nobody has, and that is not linked to another.
fn clear(cache: &KmemCache, slab: Slab, offset: usize) {
    // SAFETY: an object has so many bytes, and nobody uses them.
    unsafe { slab.object(offset).write_bytes(0, cache.object_size()) };
}

/// Makes an object what one in use must be.
pub fn activate(cache: &KmemCache, slab: Slab, offset: usize) {
    cache.geometry.prepare(cache.flags, true, slot(cache, slab, offset));
}

/// Makes the bytes of a new slab what they must be before objects are cut from it.
pub fn set_up_slab(cache: &KmemCache, slab: Slab, bytes: usize) {
    if cache.flags.contains(SlabFlags::POISON) {
        // SAFETY: the slab is new, and has so many bytes.
        unsafe { slab.object(0).write_bytes(POISON_INUSE, bytes) };
    }
}

/// Makes a new object what a free one must be that nobody has had yet.
pub fn set_up_object(cache: &KmemCache, slab: Slab, offset: usize) {
    cache.geometry.prepare(cache.flags, false, slot(cache, slab, offset));
    track::clear(cache, slab, offset);
}

/// The slot of an object: its user's part and all that is around it.
fn slot(cache: &KmemCache, slab: Slab, offset: usize) -> &'static mut [u8] {
    let start = slab.object(offset - cache.geometry.red_left as usize);
    // SAFETY: the slot of an object of the slab. The object is free and the node locked, or its user has just given it up, or does not have it yet.
    unsafe { slice::from_raw_parts_mut(start, cache.geometry.size as usize) }
}

/// Whether the first of a slab's free objects is one, and as it was left.
fn is_good_free_object(cache: &'static KmemCache, slab: Slab, offset: usize) -> bool {
    if !is_object(cache, slab, offset) {
        slab_err(cache, slab, format_args!("Freelist Pointer check fails"));
        return false;
    }
    check_object(cache, slab, offset, false)
}

/// Whether an object is one of the slab, in use, and has kept to its bounds.
fn may_be_freed(cache: &'static KmemCache, slab: Slab, offset: usize) -> bool {
    if !is_object(cache, slab, offset) {
        slab_err(
            cache,
            slab,
            format_args!("Invalid object pointer {:#x}", slab.object(offset).addr()),
        );
        return false;
    }
    if is_free(cache, slab, offset) {
        object_err(cache, slab, offset, format_args!("Object already free"));
        return false;
    }
    !cache.flags.contains(SlabFlags::CONSISTENCY_CHECKS) || (check_padding(cache, slab) && check_object(cache, slab, offset, true))
}

fn is_object(cache: &KmemCache, slab: Slab, offset: usize) -> bool {
    cache.geometry.index_of(offset, slab.word().objects()).is_some()
}

/// Whether an object is on its slab's list. One that leads nowhere is cut.
fn is_free(cache: &'static KmemCache, slab: Slab, offset: usize) -> bool {
    let word = slab.word();
    let (mut link, mut last) = (word.link(), None);
    for _ in 0..=word.objects() {
        let Some(at) = link.offset() else { return false };
        if at == offset {
            return true;
        }
        if !is_object(cache, slab, at) {
            match last {
                Some(last) => {
                    object_err(cache, slab, last, format_args!("Freechain corrupt"));
                    write_link(cache, slab, last, Link::NONE);
                }
                None => slab_err(cache, slab, format_args!("Freepointer corrupt")),
            }
            return false;
        }
        (last, link) = (Some(at), cache.link(slab, at));
    }
    slab_err(cache, slab, format_args!("Freechain corrupt"));
    false
}

/// Whether what is around an object, and in it if it is free, is as it must be. What is not is reported and made so.
fn check_object(cache: &'static KmemCache, slab: Slab, offset: usize, active: bool) -> bool {
    for part in cache.geometry.parts(cache.flags, active) {
        if let Some(wrong) = part.wrong(slot(cache, slab, offset)) {
            overwritten(cache, slab, offset, &part, wrong);
            return false;
        }
    }
    // An object in use leads nowhere: what its link holds is from before.
    if !active && cache.link(slab, offset).offset().is_some_and(|next| !is_object(cache, slab, next)) {
        object_err(cache, slab, offset, format_args!("Freepointer corrupt"));
        write_link(cache, slab, offset, Link::NONE);
        return false;
    }
    true
}

/// Reports bytes that are not what they must be, and makes them so.
fn overwritten(cache: &'static KmemCache, slab: Slab, offset: usize, part: &Part, wrong: core::ops::Range<usize>) {
    let start = slab.object(offset - cache.geometry.red_left as usize).addr();
    let (first, last) = (start + wrong.start, start + wrong.end - 1);
    let found = slot(cache, slab, offset)[wrong.start];
    slab_bug(cache, format_args!("{} overwritten", part.what));
    pr_err!(
        "{first:#x}-{last:#x} @offset={}. First byte {found:#x} instead of {:#x}",
        first - slab.base(),
        part.value
    );
    print_trailer(cache, slab, offset);
    taint::add(Taint::BadPage);
    slab_fix(
        cache,
        format_args!("Restoring {} {first:#x}-{last:#x}={:#x}", part.what, part.value),
    );
    slot(cache, slab, offset)[wrong].fill(part.value);
}

/// Whether the bytes behind the last object are as they must be.
fn check_padding(cache: &'static KmemCache, slab: Slab) -> bool {
    if !cache.flags.contains(SlabFlags::POISON) {
        return true;
    }
    let len = PAGE_SIZE << slab.page().compound_order();
    let rest = len % cache.geometry.size as usize;
    let part = Part {
        what: "slab padding",
        bytes: 0..rest,
        value: POISON_INUSE,
    };
    // SAFETY: the end of the slab, behind all objects, where nobody has anything to do.
    let bytes = unsafe { slice::from_raw_parts_mut(slab.object(len - rest), rest) };
    let Some(wrong) = part.wrong(bytes) else { return true };
    let start = slab.base() + len - rest;
    let (first, last) = (start + wrong.start, start + wrong.end - 1);
    slab_err(
        cache,
        slab,
        format_args!("Padding overwritten. {first:#x}-{last:#x} @offset={}", first - slab.base()),
    );
    slab_fix(cache, format_args!("Restoring slab padding {first:#x}-{last:#x}={POISON_INUSE:#x}"));
    bytes[wrong].fill(POISON_INUSE);
    true
}

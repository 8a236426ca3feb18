//! Taking objects from a cache and giving them back.

use core::hint::assert_unchecked;
use core::ptr::NonNull;

use incipit_lib::slub::{alloc, free};

use super::cache::KmemCache;
use super::pages::{Request, Slab, cache_of, slab_of};
use super::report::{object_err, slab_fix};
use crate::mm::page::{Page, PageFlags, pfn_to_page};
use crate::mm::{Gfp, PAGE_OFFSET, PAGE_SHIFT, fault_inject};
use crate::prelude::*;

/// An object of the cache, or nothing if there is no memory. With [`Gfp::ZERO`] it is zeroed, else it holds whatever it held, or what the constructor made.
#[inline]
#[must_use]
pub fn kmem_cache_alloc(cache: &'static KmemCache, gfp: Gfp) -> Option<NonNull<u8>> {
    if fault_inject::is_armed() && fault_inject::should_failslab(gfp, cache.object_size()) {
        return None;
    }
    alloc_undisturbed(cache, gfp)
}

/// The same when nothing is made to fail.
#[inline]
pub(super) fn alloc_undisturbed(cache: &'static KmemCache, gfp: Gfp) -> Option<NonNull<u8>> {
    let object = match alloc::take(cache) {
        Some((slab, offset)) => object_at(slab, offset),
        None => refill(cache, Request { gfp, node: None })?,
    };
    Some(finish(cache, object, gfp))
}

/// The same from the memory of a node, if it has any: Linux's function of the same name.
#[must_use]
pub fn kmem_cache_alloc_node(cache: &'static KmemCache, gfp: Gfp, nid: usize) -> Option<NonNull<u8>> {
    if fault_inject::is_armed() && fault_inject::should_failslab(gfp, cache.object_size()) {
        return None;
    }
    let slab = cache.cpu.this_cpu().slab();
    let near = slab != Slab::NONE && slab.page().node() == nid;
    // If the slab has changed since, the object is from elsewhere: slower to use, and no harm.
    let taken = if near { alloc::take(cache) } else { None };
    let object = match taken {
        Some((slab, offset)) => object_at(slab, offset),
        None => refill(cache, Request { gfp, node: Some(nid) })?,
    };
    Some(finish(cache, object, gfp))
}

/// Gives an object back to its cache.
///
/// # Safety
///
/// The object must be the caller's, from this cache, and nobody may use it any more. What can be noticed of an object that is not is reported, and it is left alone.
#[inline]
pub unsafe fn kmem_cache_free(cache: &'static KmemCache, object: NonNull<u8>) {
    match slab_page(object.as_ptr()) {
        Some(page) if core::ptr::eq(cache_of(page), cache) => give(cache, page, object),
        page => wrong_cache(cache, page, object),
    }
}

/// The object at an offset of a slab.
#[inline]
fn object_at(slab: Slab, offset: usize) -> NonNull<u8> {
    let object = slab.object(offset);
    // SAFETY: a slab lies in the direct map, which does not begin at 0.
    unsafe {
        assert_unchecked(!object.is_null());
        NonNull::new_unchecked(object)
    }
}

/// Zeroes the object if that was asked for.
#[inline]
fn finish(cache: &'static KmemCache, object: NonNull<u8>, gfp: Gfp) -> NonNull<u8> {
    if gfp.contains(Gfp::ZERO) {
        // SAFETY: the object has just been taken, and has so many bytes.
        unsafe { object.write_bytes(0, cache.object_size()) };
    }
    #[cfg(CONFIG_DEBUG_KMEMLEAK)]
    crate::kmemleak::alloc(object.as_ptr(), cache.object_size(), 1, gfp);
    object
}

/// Takes an object when the CPU has none.
#[cold]
#[inline(never)]
fn refill(cache: &'static KmemCache, request: Request) -> Option<NonNull<u8>> {
    #[cfg(CONFIG_SLUB_DEBUG)]
    if super::debug::is_debugged(cache) {
        return super::debug::alloc(cache, request).map(|(slab, offset)| object_at(slab, offset));
    }
    alloc::refill(cache, request).map(|(slab, offset)| object_at(slab, offset))
}

/// Gives an object of a slab back, whose page is given.
#[inline]
pub(super) fn give(cache: &'static KmemCache, page: &'static Page, object: NonNull<u8>) {
    #[cfg(CONFIG_DEBUG_OBJECTS_FREE)]
    crate::debugobjects::check_no_obj_freed(object.as_ptr(), cache.object_size());
    #[cfg(CONFIG_DEBUG_KMEMLEAK)]
    crate::kmemleak::free(object.as_ptr());
    let slab = slab_of(page);
    if !free::give(cache, slab, slab.offset_of(object)) {
        give_slow(cache, slab, object);
    }
}

/// Gives an object back that is not of the CPU's slab, that seems free already, or that something came between.
#[cold]
#[inline(never)]
fn give_slow(cache: &'static KmemCache, slab: Slab, object: NonNull<u8>) {
    let offset = slab.offset_of(object);
    #[cfg(CONFIG_SLUB_DEBUG)]
    if super::debug::is_debugged(cache) {
        return super::debug::free(cache, slab, offset);
    }
    if free::give_slow(cache, slab, offset).is_err() {
        object_err(cache, slab, offset, format_args!("Object already free"));
        slab_fix(cache, format_args!("Object at {:#x} not freed", slab.object(offset).addr()));
    }
}

/// The page that an address lies in, if it is a slab's.
#[inline]
pub(super) fn slab_page(object: *const u8) -> Option<&'static Page> {
    page_of(object).filter(|page| page.has(PageFlags::SLAB))
}

/// The page that an address of the direct map lies in; nothing for any other address.
#[inline]
pub(super) fn page_of(object: *const u8) -> Option<&'static Page> {
    let offset = object.addr().wrapping_sub(PAGE_OFFSET) as u64;
    (offset < crate::mm::address::DIRECT_MAP_SIZE).then(|| pfn_to_page(offset >> PAGE_SHIFT))
}

/// Says that an object is of another cache, or of none, and gives it back where it belongs.
#[cold]
#[inline(never)]
fn wrong_cache(cache: &'static KmemCache, page: Option<&'static Page>, object: NonNull<u8>) {
    let Some(page) = page else {
        warn!("virt_to_cache: Object is not a Slab page!");
        return;
    };
    let owner = cache_of(page);
    #[cfg(CONFIG_SLUB_DEBUG)]
    super::debug::print_tracking(owner, slab_of(page), slab_of(page).offset_of(object));
    warn!("cache_from_obj: Wrong slab cache. {} but object is from {}", cache.name, owner.name);
    give(owner, page, object);
}

//! Memory of any size: a cache for each of a few sizes, and pages for what is larger.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use incipit_lib::slub::geometry::kmalloc::{CACHES, MAX_CACHE_SIZE, index};

use super::cache::KmemCache;
use super::objects::{self, alloc_undisturbed, kmem_cache_alloc, kmem_cache_alloc_node, page_of, slab_page};
use super::pages::cache_of;
use crate::locking::IrqSpinLock;
use crate::mm::page::{PageFlags, compound_head, page_address};
use crate::mm::page_alloc::{self, get_order};
use crate::mm::{Gfp, PAGE_SIZE, fault_inject, numa};
use crate::prelude::*;

/// Where nothing lies that has been allocated with a size of 0: Linux's `ZERO_SIZE_PTR`.
pub const ZERO_SIZE_PTR: NonNull<u8> = NonNull::without_provenance(core::num::NonZero::new(16).expect("not 0"));

/// What the caches of `kmalloc` are told apart by, besides their size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any memory.
    Normal,
    /// Memory below 16 MiB.
    Dma,
}

/// A cache for each kind and number, or null.
type Caches = [[AtomicPtr<KmemCache>; SLOTS]; 2];

const fn no_caches() -> Caches {
    [const { [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS] }; 2]
}

/// The caches.
static KMALLOC_CACHES: Caches = no_caches();

/// The same as long as nothing is made to fail, else null: those that [`kmalloc()`] takes from without a further question.
static UNDISTURBED: Caches = no_caches();

/// A power of two, so that no number is out of bounds.
const SLOTS: usize = CACHES.next_power_of_two();

/// The cache of a size, if it is there. Sizes beyond the caches' are not asked for.
#[inline]
fn cache_for(caches: &Caches, size: usize, gfp: Gfp) -> Option<&'static KmemCache> {
    let kind = if gfp.contains(Gfp::DMA) { Kind::Dma } else { Kind::Normal };
    let cache = caches[kind as usize][index(size) % SLOTS].load(Relaxed);
    // SAFETY: null, or a cache that stays for good.
    unsafe { cache.as_ref() }
}

/// Makes a cache that of a size and kind.
pub(super) fn set_cache(kind: Kind, number: usize, cache: &'static KmemCache) {
    KMALLOC_CACHES[kind as usize][number].store(ptr::from_ref(cache).cast_mut(), Relaxed);
    follow_fault_injection();
}

/// Has every [`kmalloc()`] ask whether it is to fail as long as something is made to, and none otherwise.
pub(in crate::mm) fn follow_fault_injection() {
    static ONE_AT_A_TIME: IrqSpinLock<()> = IrqSpinLock::new(());
    // Who comes last has the last word, so it must be the one who looks last, too.
    let _alone = ONE_AT_A_TIME.lock();
    let disturbed = fault_inject::is_armed();
    for (fast, cache) in UNDISTURBED.as_flattened().iter().zip(KMALLOC_CACHES.as_flattened()) {
        fast.store(if disturbed { ptr::null_mut() } else { cache.load(Relaxed) }, Relaxed);
    }
}

/// Whether the caches are there.
#[inline]
pub(super) fn is_available() -> bool {
    !KMALLOC_CACHES[0][CACHES - 1].load(Relaxed).is_null()
}

/// `size` bytes, aligned to 8, or to the size if it is a power of two. Nothing if there is no memory, which has been reported then unless the flags say otherwise.
#[inline]
#[must_use]
pub fn kmalloc(size: usize, gfp: Gfp) -> Option<NonNull<u8>> {
    if size <= MAX_CACHE_SIZE
        && let Some(cache) = cache_for(&UNDISTURBED, size, gfp)
    {
        return alloc_undisturbed(cache, gfp);
    }
    kmalloc_slow(size, gfp)
}

/// The same when something may be made to fail, or there is no cache for it.
#[cold]
#[inline(never)]
fn kmalloc_slow(size: usize, gfp: Gfp) -> Option<NonNull<u8>> {
    if size <= MAX_CACHE_SIZE
        && let Some(cache) = cache_for(&KMALLOC_CACHES, size, gfp)
    {
        return kmem_cache_alloc(cache, gfp);
    }
    kmalloc_pages(size, gfp, None)
}

/// The same, zeroed.
#[inline]
#[must_use]
pub fn kzalloc(size: usize, gfp: Gfp) -> Option<NonNull<u8>> {
    kmalloc(size, gfp | Gfp::ZERO)
}

/// The same from the memory of a node, if it has any.
#[must_use]
pub fn kmalloc_node(size: usize, gfp: Gfp, nid: usize) -> Option<NonNull<u8>> {
    if size <= MAX_CACHE_SIZE
        && let Some(cache) = cache_for(&KMALLOC_CACHES, size, gfp)
    {
        return kmem_cache_alloc_node(cache, gfp, nid);
    }
    kmalloc_pages(size, gfp, Some(nid))
}

/// What no cache has: whole pages, or nothing at all.
#[cold]
fn kmalloc_pages(size: usize, gfp: Gfp, nid: Option<usize>) -> Option<NonNull<u8>> {
    if size == 0 {
        return Some(ZERO_SIZE_PTR);
    }
    if size <= MAX_CACHE_SIZE || size > PAGE_SIZE << page_alloc::MAX_ORDER {
        return None;
    }
    let page = page_alloc::alloc_pages_node(nid.unwrap_or_else(numa::numa_node_id), gfp | Gfp::COMP, get_order(size))?;
    let block = page_address(page);
    #[cfg(CONFIG_DEBUG_KMEMLEAK)]
    crate::kmemleak::alloc(block, size, 1, gfp);
    NonNull::new(block)
}

/// Gives back what `kmalloc` or a cache gave.
///
/// # Safety
///
/// The memory must be the caller's, and nobody may use it any more. What can be noticed of memory that is not is reported, and it is left alone.
#[inline]
pub unsafe fn kfree(object: NonNull<u8>) {
    match slab_page(object.as_ptr()) {
        Some(page) => objects::give(cache_of(page), page, object),
        None => free_large(object),
    }
}

/// Gives whole pages back.
#[cold]
#[inline(never)]
fn free_large(object: NonNull<u8>) {
    if object == ZERO_SIZE_PTR {
        return;
    }
    #[cfg(CONFIG_DEBUG_KMEMLEAK)]
    crate::kmemleak::free(object.as_ptr());
    match large_page(object) {
        // SAFETY: it is the first page of a block that was allocated as a whole; the caller gives it up.
        Some(page) => unsafe { page_alloc::free_pages(page, page.compound_order()) },
        None => {
            warn!("object pointer: {object:p}");
        }
    }
}

/// The first page of what `kmalloc_pages` gave, if it was that.
fn large_page(object: NonNull<u8>) -> Option<&'static crate::mm::page::Page> {
    let page = compound_head(page_of(object.as_ptr())?);
    let allocated = page.has(PageFlags::HEAD) && !page.has(PageFlags::RESERVED) && page.refcount() != 0;
    (allocated && page_address(page) == object.as_ptr()).then_some(page)
}

/// How many bytes may be used of what `kmalloc` gave; 0 of nothing: Linux's function of the same name.
#[must_use]
pub fn ksize(object: NonNull<u8>) -> usize {
    if let Some(page) = slab_page(object.as_ptr()) {
        return cache_of(page).usable_size();
    }
    large_page(object).map_or(0, |page| PAGE_SIZE << page.compound_order())
}

/// Memory of another size with the same content, as far as both reach. The old memory is gone then; if there is none of the new size, it stays.
///
/// # Safety
///
/// As for [`kfree`].
#[must_use]
pub unsafe fn krealloc(object: NonNull<u8>, size: usize, gfp: Gfp) -> Option<NonNull<u8>> {
    let old = ksize(object);
    if size != 0 && size <= old {
        return Some(object);
    }
    let new = kmalloc(size, gfp)?;
    // SAFETY: both are valid for the smaller of the two sizes and differ; the old one is the caller's to give up.
    unsafe {
        new.copy_from_nonoverlapping(object, old.min(size));
        kfree(object);
    }
    Some(new)
}

//! Caches come and go.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed, Ordering::Release};

use incipit_lib::slub::geometry::{SlabFlags, Wish};
use incipit_lib::slub::{Geometry, Orders};

use super::cache::{CacheNode, Constructor, KmemCache};
use super::cpu::CpuSlabs;
#[cfg(CONFIG_SLUB_DEBUG)]
use super::debug::{TRACK_SIZE, allowed};
use super::limits;
use super::merge::find_mergeable;
use super::objects::{kmem_cache_alloc, kmem_cache_alloc_node};
use crate::arch::x86::cpu::masks;
use crate::locking::IrqSpinLock;
use crate::mm::page_alloc::get_order;
use crate::mm::{Gfp, numa};
use crate::prelude::*;

/// The cache of caches, and the cache of what caches have in nodes.
pub(super) static KMEM_CACHE: AtomicPtr<KmemCache> = AtomicPtr::new(ptr::null_mut());
pub(super) static KMEM_CACHE_NODE: AtomicPtr<KmemCache> = AtomicPtr::new(ptr::null_mut());

/// The first of all caches; who changes the list, or a cache's number of names, has the lock.
static SLAB_CACHES: IrqSpinLock<Option<&'static KmemCache>> = IrqSpinLock::new(None);

/// Limits of slabs' sizes.
pub(super) fn orders() -> Orders {
    let present = masks::PRESENT.weight();
    let cpus = if present > 1 { present } else { masks::nr_cpu_ids() };
    limits::orders(cpus as u32)
}

/// Bytes of a cache's description, with its pointers to nodes.
pub(super) fn description_size() -> usize {
    size_of::<KmemCache>() + numa::nr_node_ids() * size_of::<AtomicPtr<CacheNode>>()
}

/// A cache as it would be, without memory or a place.
///
/// # Errors
///
/// `EINVAL` if there can be no such objects.
pub(super) fn describe(
    name: &'static str,
    size: usize,
    align: usize,
    flags: SlabFlags,
    ctor: Option<Constructor>,
) -> Result<KmemCache, Errno> {
    let mut wish = Wish {
        size,
        align,
        flags: debugged(name, flags),
        constructed: ctor.is_some(),
        track_size: TRACK_SIZE,
    };
    if wish.flags.contains(SlabFlags::POISON) && ctor.is_none() && !flags.contains(SlabFlags::TYPESAFE_BY_RCU) {
        wish.flags |= SlabFlags::OBJECT_POISON;
    }
    #[cfg(CONFIG_SLUB_DEBUG)]
    {
        wish.flags |= super::debug::clearing(wish.flags, wish.constructed);
    }
    let mut geometry = Geometry::new(&wish, &orders()).ok_or(Errno::EINVAL)?;
    wish.flags = allowed(wish.flags, geometry.min_order > get_order(size));
    if !wish.flags.contains(SlabFlags::POISON) {
        wish.flags.remove(SlabFlags::OBJECT_POISON);
        geometry = Geometry::new(&wish, &orders()).ok_or(Errno::EINVAL)?;
    }
    let flags = wish.flags;
    let mut gfp = Gfp::empty();
    for (flag, zone) in [
        (SlabFlags::CACHE_DMA, Gfp::DMA),
        (SlabFlags::CACHE_DMA32, Gfp::DMA32),
        (SlabFlags::RECLAIM_ACCOUNT, Gfp::RECLAIMABLE),
    ] {
        if flags.contains(flag) {
            gfp |= zone;
        }
    }
    Ok(KmemCache::closed(name, geometry, flags, gfp, ctor))
}

/// The flags of a cache, with what the command line has of it checked.
#[cfg(CONFIG_SLUB_DEBUG)]
pub(super) fn debugged(name: &str, flags: SlabFlags) -> SlabFlags {
    flags | super::debug::flags_for(name)
}

/// Without debugging nothing is checked.
#[cfg(not(CONFIG_SLUB_DEBUG))]
pub(super) fn debugged(_name: &str, flags: SlabFlags) -> SlabFlags {
    flags.difference(SlabFlags::DEBUG)
}

#[cfg(not(CONFIG_SLUB_DEBUG))]
const TRACK_SIZE: u32 = 0;

#[cfg(not(CONFIG_SLUB_DEBUG))]
fn allowed(flags: SlabFlags, _grows: bool) -> SlabFlags {
    flags
}

/// Gives a cache its place, with room for its nodes behind it, all of them empty.
///
/// # Safety
///
/// The place must be an object of the cache of caches that nobody else uses, for as long as the cache is to be.
pub(super) unsafe fn settle(place: NonNull<u8>, mut cache: KmemCache) -> &'static KmemCache {
    let place = place.cast::<KmemCache>();
    // SAFETY: objects of the cache of caches have room for the pointers behind the description.
    unsafe {
        let nodes = place.add(1).cast::<AtomicPtr<CacheNode>>();
        cache.nodes = nodes.as_ptr();
        cache.node_count = numa::nr_node_ids();
        for nid in 0..cache.node_count {
            nodes.add(nid).write(AtomicPtr::new(ptr::null_mut()));
        }
        place.write(cache);
        place.as_ref()
    }
}

/// Makes a cache of objects of `size` bytes, aligned to `align` if that is not 0. The constructor is called for each object once, when its memory is new.
///
/// # Errors
///
/// `EINVAL` for a size of 0 or more than a slab can have, or an alignment that is no power of two; `ENOMEM`. With [`SlabFlags::PANIC`] either is the end.
pub fn kmem_cache_create(
    name: &'static str,
    size: usize,
    align: usize,
    flags: SlabFlags,
    ctor: Option<Constructor>,
) -> Result<&'static KmemCache, Errno> {
    crate::init::initcall::turn();
    if ctor.is_none()
        && let Some(cache) = find_mergeable(size, align, debugged(name, flags))
    {
        return Ok(cache);
    }
    let created = create(name, size, align, flags, ctor);
    if let Err(error) = created {
        if flags.contains(SlabFlags::PANIC) {
            panic!("kmem_cache_create: Failed to create slab '{name}'. Error {}", error.to_ret());
        }
        pr_warn!("kmem_cache_create({name}) failed with error {}", error.to_ret());
    }
    created
}

/// The same, without a word.
pub(super) fn create(
    name: &'static str,
    size: usize,
    align: usize,
    flags: SlabFlags,
    ctor: Option<Constructor>,
) -> Result<&'static KmemCache, Errno> {
    // SAFETY: null, or a cache that stays for good.
    let (caches, nodes) = unsafe { (KMEM_CACHE.load(Relaxed).as_ref(), KMEM_CACHE_NODE.load(Relaxed).as_ref()) };
    let (caches, nodes) = caches.zip(nodes).ok_or(Errno::ENOMEM)?;
    let mut cache = describe(name, size, align, flags, ctor)?;
    let place = kmem_cache_alloc(caches, Gfp::KERNEL).ok_or(Errno::ENOMEM)?;
    cache.cpu = CpuSlabs::new().inspect_err(|_| {
        // SAFETY: nobody else knows of the place.
        unsafe { super::kfree(place) }
    })?;
    // SAFETY: the place has just been allocated.
    let cache = unsafe { settle(place, cache) };
    for nid in numa::online_nodes() {
        let Some(node) = kmem_cache_alloc_node(nodes, Gfp::KERNEL, nid) else {
            // SAFETY: nobody else knows of the cache.
            unsafe { destroy_description(cache) };
            return Err(Errno::ENOMEM);
        };
        let node = node.cast::<CacheNode>();
        // SAFETY: objects of that cache have the size and alignment, and this one has just been allocated.
        unsafe { node.write(CacheNode::new()) };
        cache.set_node(nid, node.as_ptr());
    }
    add(cache);
    Ok(cache)
}

/// Gives back what a cache is made of.
///
/// # Safety
///
/// The cache must have no slabs, must not be on the list, and nobody may use it any more.
pub(super) unsafe fn destroy_description(cache: &'static KmemCache) {
    for (_, node) in cache.nodes() {
        // SAFETY: it was allocated for this cache alone.
        unsafe { super::kfree(NonNull::from(node).cast()) };
    }
    // SAFETY: the same; the description is last because the others are found by it.
    unsafe {
        cache.cpu.free();
        super::kfree(NonNull::from(cache).cast());
    }
}

/// Puts a cache on the list of all.
pub(super) fn add(cache: &'static KmemCache) {
    let mut first = SLAB_CACHES.lock();
    let next = first.map_or(ptr::null_mut(), |cache| ptr::from_ref(cache).cast_mut());
    cache.next.store(next, Release);
    *first = Some(cache);
}

/// Takes a cache off the list.
pub(super) fn remove(cache: &'static KmemCache) {
    let mut first = SLAB_CACHES.lock();
    let next = cache.next.load(Relaxed);
    if first.is_some_and(|first| ptr::eq(first, cache)) {
        // SAFETY: null, or a cache on the list.
        *first = unsafe { next.as_ref() };
        return;
    }
    let mut before = *first;
    while let Some(other) = before {
        if ptr::eq(other.next.load(Relaxed), cache) {
            other.next.store(next, Release);
            return;
        }
        // SAFETY: the same.
        before = unsafe { other.next.load(Relaxed).as_ref() };
    }
}

/// Calls `f` with each cache, the newest first, until it returns something. No cache comes or goes meanwhile.
pub(super) fn find_cache<R>(mut f: impl FnMut(&'static KmemCache) -> Option<R>) -> Option<R> {
    let first = SLAB_CACHES.lock();
    let mut next = *first;
    while let Some(cache) = next {
        if let Some(found) = f(cache) {
            return Some(found);
        }
        // SAFETY: null, or a cache on the list; those stay as long as the lock is held.
        next = unsafe { cache.next.load(Relaxed).as_ref() };
    }
    None
}

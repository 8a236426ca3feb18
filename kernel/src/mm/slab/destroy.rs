//! The end of a cache.

use core::sync::atomic::Ordering::Relaxed;

use incipit_lib::slub::Backend;

use super::cache::KmemCache;
use super::create::{destroy_description, remove};
use super::pages::Slab;
use super::report::slab_err;
use super::shrink::kmem_cache_shrink;
use crate::panic::ReturnAddress;
use crate::prelude::*;

/// Ends a cache, if it is nobody else's too. One that has objects in use stays, and says so: Linux's function of the same name.
///
/// # Safety
///
/// Nobody may use the cache any more.
#[inline(never)]
pub unsafe fn kmem_cache_destroy(cache: &'static KmemCache) {
    if cache.refcount.fetch_sub(1, Relaxed) != 1 {
        return;
    }
    kmem_cache_shrink(cache);
    let slabs: usize = cache.nodes().map(|(_, node)| node.slabs.load(Relaxed)).sum();
    if slabs != 0 {
        report_remaining(cache);
        warn!(
            "kmem_cache_destroy {}: Slab cache still has objects when called from {}",
            cache.name,
            ReturnAddress(crate::arch::x86::dumpstack::return_address())
        );
        // It goes on as it was, so that the objects can still be freed.
        cache.refcount.fetch_add(1, Relaxed);
        return;
    }
    remove(cache);
    // SAFETY: it has no slabs, is off the list, and the caller gives it up.
    unsafe { destroy_description(cache) };
}

/// Lists the objects that are in use, as far as slabs with objects are on lists.
fn report_remaining(cache: &'static KmemCache) {
    for (nid, _) in cache.nodes() {
        cache.with_node(nid, |lists| {
            for slab in lists.partial.iter(cache).chain(lists.full.iter(cache)) {
                slab_err(
                    cache,
                    slab,
                    format_args!("Objects remaining in {} on __kmem_cache_shutdown()", cache.name),
                );
                list_objects(cache, slab);
            }
        });
    }
}

/// Names the objects of a slab that are not on its list.
fn list_objects(cache: &'static KmemCache, slab: Slab) {
    let objects = slab.word().objects();
    for index in 0..objects {
        let offset = cache.geometry.offset_of(index);
        if !is_free(cache, slab, offset) {
            pr_err!("Object {:#x} @offset={offset}", slab.object(offset).addr());
            #[cfg(CONFIG_SLUB_DEBUG)]
            super::debug::print_tracking(cache, slab, offset);
        }
    }
}

fn is_free(cache: &'static KmemCache, slab: Slab, offset: usize) -> bool {
    let word = slab.word();
    let mut link = word.link();
    for _ in 0..word.objects() {
        match link.offset() {
            Some(at) if at == offset => return true,
            Some(at) => link = cache.link(slab, at),
            None => return false,
        }
    }
    false
}

//! Giving memory back that no object needs.

use incipit_lib::slub::{Backend, alloc, free};

use super::cache::KmemCache;
use super::create::find_cache;
use crate::prelude::*;

/// Gives the memory of the cache's empty slabs back, and has the fullest of the others used first. Says whether there are others: Linux's function of the same name.
///
/// What another CPU has at hand stays there.
pub fn kmem_cache_shrink(cache: &'static KmemCache) -> bool {
    flush(cache);
    let mut left = false;
    for (nid, _) in cache.nodes() {
        left |= free::shrink(cache, nid);
    }
    left
}

/// The same for every cache.
pub fn shrink_all() {
    find_cache(|cache| {
        kmem_cache_shrink(cache);
        None::<()>
    });
}

/// Gives up the slab that this CPU has.
pub(super) fn flush(cache: &'static KmemCache) {
    cache.with_interrupts_off(|| alloc::flush(cache));
}

/// Each CPU has slabs that it alone allocates from; one that stops gives them up, for nobody else can.
#[cpu_state(starting, name = "slub:dead", teardown = flush_all)]
pub(crate) fn slub_cpu_starting(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

/// Gives up the slabs that this CPU has.
fn flush_all(_cpu: usize) {
    find_cache(|cache| {
        flush(cache);
        None::<()>
    });
}

//! Giving memory back that no object needs.

use incipit_lib::slub::{Backend, alloc, free};

use super::cache::KmemCache;
use super::create::find_cache;
use crate::prelude::*;
use crate::smp;

/// Gives the memory of the cache's empty slabs back, and has the fullest of the others used first. Says whether there are others: Linux's function of the same name.
/// Interrupts are on, since other CPUs give up what they have at hand.
pub fn kmem_cache_shrink(cache: &'static KmemCache) -> bool {
    smp::on_each_cpu(&|| flush(cache));
    shrink(cache)
}

/// The same for every cache.
pub fn shrink_all() {
    // Before the list is held: who waits for another CPU must not have what that one may wait for.
    smp::on_each_cpu(&flush_all);
    find_cache(|cache| {
        shrink(cache);
        None::<()>
    });
}

/// Gives back what no CPU has at hand.
fn shrink(cache: &'static KmemCache) -> bool {
    let mut left = false;
    for (nid, _) in cache.nodes() {
        left |= free::shrink(cache, nid);
    }
    left
}

/// Gives up the slab that this CPU has.
fn flush(cache: &'static KmemCache) {
    cache.with_interrupts_off(|| alloc::flush(cache));
}

/// Each CPU has slabs that it alone allocates from; one that stops gives them up, for nobody else can.
#[cpu_state(starting, name = "slub:dead", teardown = slub_cpu_dead)]
pub(crate) fn slub_cpu_starting(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

fn slub_cpu_dead(_cpu: usize) {
    flush_all();
}

/// Gives up the slabs that this CPU has.
fn flush_all() {
    find_cache(|cache| {
        flush(cache);
        None::<()>
    });
}

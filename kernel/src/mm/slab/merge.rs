//! Caches that are alike share their memory: one cache with several names.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::slub::geometry::{SlabFlags, alignment};

use super::cache::KmemCache;
use super::create::find_cache;
use crate::prelude::*;

/// Whether caches are kept apart.
static NO_MERGE: AtomicBool = AtomicBool::new(!cfg!(CONFIG_SLAB_MERGE_DEFAULT));

/// `slab_nomerge`: no caches share memory, so that what goes wrong in one stays there.
#[setup("slab_nomerge")]
#[init]
fn setup_slab_nomerge(value: &'static str) -> SetupResult {
    choose(value, true)
}

/// `slab_merge`: caches that are alike share memory.
#[setup("slab_merge")]
#[init]
fn setup_slab_merge(value: &'static str) -> SetupResult {
    choose(value, false)
}

/// `slub_nomerge`: the older name of `slab_nomerge`.
#[setup("slub_nomerge")]
#[init]
fn setup_slub_nomerge(value: &'static str) -> SetupResult {
    choose(value, true)
}

/// `slub_merge`: the older name of `slab_merge`.
#[setup("slub_merge")]
#[init]
fn setup_slub_merge(value: &'static str) -> SetupResult {
    choose(value, false)
}

#[init]
fn choose(value: &str, no_merge: bool) -> SetupResult {
    if !value.is_empty() {
        return SetupResult::NotMine;
    }
    NO_MERGE.store(no_merge, Relaxed);
    SetupResult::Consumed
}

/// A cache whose objects serve for those that are asked for, now with one name more.
pub fn find_mergeable(size: usize, align: usize, flags: SlabFlags) -> Option<&'static KmemCache> {
    let possible = size != 0 && (align == 0 || align.is_power_of_two());
    if !possible || NO_MERGE.load(Relaxed) || flags.intersects(SlabFlags::NEVER_MERGE) {
        return None;
    }
    let wanted = u32::try_from(size).ok()?;
    let align = alignment(flags, u32::try_from(align).ok()?, wanted);
    let size = wanted.checked_next_multiple_of(align)?;
    find_cache(|cache| {
        let has = &cache.geometry;
        let alike = cache.ctor.is_none()
            && !cache.flags.intersects(SlabFlags::NEVER_MERGE)
            && (cache.flags ^ flags).intersection(SlabFlags::MERGE_SAME).is_empty()
            && size <= has.size
            && has.size - size < 8
            && has.size.is_multiple_of(align);
        alike.then(|| {
            cache.refcount.fetch_add(1, Relaxed);
            cache.object_size.fetch_max(wanted, Relaxed);
            cache
        })
    })
}

//! What the command line says of slabs' sizes.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit_lib::slub::Orders;

use crate::mm::page_alloc::MAX_ORDER;
use crate::prelude::*;

static MIN_ORDER: AtomicU32 = AtomicU32::new(Orders::new(1).min_order);
static MAX_SLAB_ORDER: AtomicU32 = AtomicU32::new(Orders::new(1).max_order);
static MIN_OBJECTS: AtomicU32 = AtomicU32::new(Orders::new(1).min_objects);

/// The limits for a machine of so many CPUs.
pub fn orders(cpus: u32) -> Orders {
    Orders {
        min_order: MIN_ORDER.load(Relaxed),
        max_order: MAX_SLAB_ORDER.load(Relaxed),
        min_objects: MIN_OBJECTS.load(Relaxed),
        cpus,
    }
}

/// `slub_min_order=N`: slabs have 2^N pages at least.
#[setup("slub_min_order=")]
#[init]
fn setup_slub_min_order(value: &'static str) -> SetupResult {
    if set("slub_min_order", &MIN_ORDER, value, MAX_ORDER) {
        MAX_SLAB_ORDER.fetch_max(MIN_ORDER.load(Relaxed), Relaxed);
    }
    SetupResult::Consumed
}

/// `slub_max_order=N`: slabs have more than 2^N pages only if an object does not fit.
#[setup("slub_max_order=")]
#[init]
fn setup_slub_max_order(value: &'static str) -> SetupResult {
    if set("slub_max_order", &MAX_SLAB_ORDER, value, MAX_ORDER) {
        MIN_ORDER.fetch_min(MAX_SLAB_ORDER.load(Relaxed), Relaxed);
    }
    SetupResult::Consumed
}

/// `slub_min_objects=N`: slabs are made large enough for so many objects, up to `slub_max_order=`; 0 goes by the number of CPUs.
#[setup("slub_min_objects=")]
#[init]
fn setup_slub_min_objects(value: &'static str) -> SetupResult {
    set("slub_min_objects", &MIN_OBJECTS, value, 0x7fff);
    SetupResult::Consumed
}

/// Sets a limit, at most `most`; says whether the value was a number.
#[init]
fn set(name: &str, limit: &AtomicU32, value: &str, most: u32) -> bool {
    match value.parse::<u32>() {
        Ok(number) => limit.store(number.min(most), Relaxed),
        Err(_) => pr_warn!("{name}: '{value}' is no number"),
    }
    value.parse::<u32>().is_ok()
}

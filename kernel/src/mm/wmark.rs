//! How much memory is kept free: the marks of all zones, from one number for the whole machine.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit_lib::watermark::{Watermarks, min_free_kbytes};

use super::zone::{self, Zone, ZoneType, all_zones, populated_zones};
use super::{PAGE_SHIFT, page_alloc, pageset};
use crate::prelude::*;

/// KiB that are kept free: Linux's `vm.min_free_kbytes`.
static MIN_FREE_KBYTES: AtomicU64 = AtomicU64::new(0);

/// KiB that are kept free in all zones together.
#[must_use]
pub fn kept_kbytes() -> u64 {
    MIN_FREE_KBYTES.load(Relaxed)
}

/// Sets the marks by how much memory there is: Linux's initcall of the same name.
#[initcall(postcore)]
fn init_per_zone_wmark_min() -> Result<(), Errno> {
    let lowmem: u64 = all_zones().filter(|zone| zone.kind() != ZoneType::Movable).map(Zone::managed).sum();
    MIN_FREE_KBYTES.store(min_free_kbytes(lowmem << (PAGE_SHIFT - 10)), Relaxed);
    setup_per_zone_wmarks();
    Ok(())
}

/// Gives each zone its share of [`kept_kbytes`]: Linux's function of the same name.
fn setup_per_zone_wmarks() {
    let total = page_alloc::total_ram_pages();
    for zone in populated_zones() {
        zone.set_marks(Watermarks::new(zone.managed(), total, kept_kbytes()));
        pageset::zone_set_pageset_high_and_batch(zone);
    }
    zone::setup_lowmem_reserve();
}

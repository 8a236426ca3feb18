//! `debug_pagealloc=on`: pages are not in the direct map while they are free, so that who uses one that was given back faults.
//!
//! The direct map is made of small pages then, since taking one out of a large page takes memory for a table.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::page_debug::{self, Checks};
use super::zone::populated_zones;
use super::{PAGE_SHIFT, phys_to_virt};
use crate::arch::x86::mm::set_memory::kernel_map_pages;
use crate::prelude::*;

static REQUESTED: AtomicBool = AtomicBool::new(cfg!(CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT));

/// `debug_pagealloc=on`: takes free pages out of the direct map.
#[early_param("debug_pagealloc")]
#[init]
fn early_debug_pagealloc(value: Option<&'static str>) -> Result<(), Errno> {
    REQUESTED.store(page_debug::parse(value)?, Relaxed);
    Ok(())
}

/// Whether the direct map has to be of small pages.
#[must_use]
pub fn debug_pagealloc_requested() -> bool {
    REQUESTED.load(Relaxed)
}

/// Takes all free pages out of the direct map if the command line says so: Linux's stage of the same name.
#[stage(
    after(crate::init::main::check_initrd),
    wants(super::PageExtensions),
    before(super::pageset::setup_per_cpu_pageset)
)]
#[init]
pub fn enable_debug_pagealloc() {
    if !debug_pagealloc_requested() {
        return;
    }
    page_debug::set(Checks::UNMAP, true);
    for zone in populated_zones() {
        zone.with_buddy(|buddy| buddy.for_each_block(|pfn, order| map(pfn, 1 << order, false)));
    }
    pr_info!("debug_pagealloc: free pages are not mapped");
}

/// Puts pages into the direct map, or takes them out.
pub(super) fn map(pfn: u64, pages: u64, present: bool) {
    let changed = kernel_map_pages(phys_to_virt(pfn << PAGE_SHIFT).addr(), pages as usize, present);
    warn_on_once!(changed.is_err(), "debug_pagealloc: pages cannot be mapped or unmapped");
}

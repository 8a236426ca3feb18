//! Giving pages back.

use super::bad_page::bad_page;
use super::{check, quick};
use crate::mm::page::{Page, Vmemmap, compound_head, page_to_pfn, pfn_to_page};
use crate::mm::zone::{MigrateType, Pageset, Zone, page_zone, populated_zones};
use incipit_lib::buddy::Place;
use incipit_lib::pcp::{MAX_PCP_ORDER, PerCpuPages};

/// Gives a reference to a block of this order back, and the block if it was the last: Linux's `__free_pages`.
///
/// # Safety
///
/// The caller must have a reference to the block, which was allocated with this order, and nobody may use its bytes by way of that any more.
pub unsafe fn free_pages(page: &'static Page, order: u32) {
    if order == 0 && quick::free(page) {
        return;
    }
    free_pages_slow(page, order);
}

#[inline(never)]
fn free_pages_slow(page: &'static Page, order: u32) {
    match page.refcount() {
        1 => {
            page.set_refcount(0);
            free_unref_pages(page, order);
        }
        0 => bad_page(page, "no reference is left: it was freed before"),
        _ => free_shared(page, order),
    }
}

/// Gives one of several references back.
#[cold]
fn free_shared(page: &'static Page, order: u32) {
    let compound = page.compound_order() != 0;
    if page.put_and_test() {
        free_unref_pages(page, order);
    } else if !compound {
        // Who has the other references knows of the first page only.
        let pfn = page_to_pfn(page);
        for order in (0..order).rev() {
            free_unref_pages(pfn_to_page(pfn + (1 << order)), order);
        }
    }
}

/// Gives a reference to a page, or to the compound page that it is part of, back: Linux's `put_page`.
///
/// # Safety
///
/// The caller must have a reference, and not use the bytes by way of it any more.
#[inline]
pub unsafe fn put_page(page: &'static Page) {
    let head = compound_head(page);
    if head.refcount() == 0 {
        bad_page(head, "no reference is left: it was freed before");
    } else if head.put_and_test() {
        free_unref_pages(head, head.compound_order());
    }
}

/// Puts a block that nobody has a reference to into what the CPU has at hand, or on the free lists.
#[inline]
pub(super) fn free_unref_pages(page: &'static Page, order: u32) {
    if !check::free_pages_prepare(page, order) {
        return;
    }
    let zone = page_zone(page);
    let pfn = page_to_pfn(page);
    let kind = zone.block_type(pfn);
    if order <= MAX_PCP_ORDER
        && kind != MigrateType::HighAtomic
        && let Some(set) = zone.this_cpu_pageset()
    {
        let mut pages = set.lock();
        if pages.push(Vmemmap, pfn, order, kind) {
            give_back(zone, &mut pages);
        }
    } else {
        free_one(zone, pfn, order);
    }
}

/// Puts what is too much at hand on the free lists.
#[cold]
#[inline(never)]
fn give_back(zone: &Zone, pages: &mut PerCpuPages) {
    zone.with_buddy(|buddy| pages.give_back(Vmemmap, |pfn, order| buddy.free(pfn, order, Place::Head)));
}

/// Puts a block on the free lists.
#[inline(never)]
fn free_one(zone: &Zone, pfn: u64, order: u32) {
    zone.with_buddy(|buddy| buddy.free(pfn, order, Place::Head));
}

fn drain(zone: &Zone, set: &Pageset) {
    let mut pages = set.lock();
    if pages.count() != 0 {
        zone.with_buddy(|buddy| pages.drain(Vmemmap, |pfn, order| buddy.free(pfn, order, Place::Head)));
    }
}

/// Puts all that CPUs have at hand on the free lists, where it can become larger blocks: Linux's function of the same name.
pub fn drain_all_pages() {
    for zone in populated_zones() {
        zone.pagesets().for_each(|set| drain(zone, set));
    }
}

/// Puts all that a CPU has at hand on the free lists: it is gone.
pub(in crate::mm) fn drain_pages(cpu: usize) {
    for zone in populated_zones() {
        if let Some(set) = zone.pageset(cpu) {
            drain(zone, set);
        }
    }
}

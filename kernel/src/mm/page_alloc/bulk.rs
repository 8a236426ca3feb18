//! Many single pages at once: what the CPU has at hand changes hands under one lock, and what is the same for all pages is looked at once.

use core::sync::atomic::Ordering::Relaxed;

use super::{GFP_ALLOWED_MASK, Gfp, Limit, alloc_page, alloc_pages_node, check, free_pages, kind_of};
use crate::mm::page::{Page, Vmemmap, page_to_pfn, pfn_to_page};
use crate::mm::zone::{Mark, MigrateType, Zone, ZoneRef, node, page_zone};
use crate::mm::{numa, page_debug};
use incipit_lib::buddy::Place;
use incipit_lib::watermark::watermark_ok;

/// How many pages change hands under one lock.
const AT_ONCE: usize = 64;

/// Fills `pages` from the front with a page each, from node `nid` if one is named, and returns how many there are: Linux's `alloc_pages_bulk_array`. Fewer than all if
/// memory runs out, which is not reported.
pub fn alloc_pages_bulk(gfp: Gfp, nid: Option<usize>, pages: &mut [Option<&'static Page>]) -> usize {
    let gfp = gfp | Gfp::NOWARN;
    if !check::may_allocate(gfp, 0) {
        return 0;
    }
    let mut filled = 0;
    for places in pages.chunks_mut(AT_ONCE) {
        let at_hand = alloc_at_hand(nid.unwrap_or_else(numa::numa_node_id), gfp, places);
        filled += at_hand;
        for place in &mut places[at_hand..] {
            *place = match nid {
                Some(nid) => alloc_pages_node(nid, gfp, 0),
                None => alloc_page(gfp),
            };
            if place.is_none() {
                return filled;
            }
            filled += 1;
        }
    }
    filled
}

/// Fills places from the front with pages of the first zone that has so many above its limit, and says how many. The rest is for who allocates page by page.
fn alloc_at_hand(nid: usize, gfp: Gfp, places: &mut [Option<&'static Page>]) -> usize {
    let gfp = gfp & Gfp::from_bits_retain(GFP_ALLOWED_MASK.load(Relaxed));
    let Some(node) = node(nid) else { return 0 };
    let highest = gfp.zone();
    let wanted = places.len() as u64;
    let has_enough = |zone: &Zone| {
        let (mark, reserve) = (zone.mark(Mark::Low) + wanted, zone.lowmem_reserve(highest));
        watermark_ok(zone.free(), 0, mark, reserve, zone.highatomic(), Limit::FIRST.access)
    };
    let usable = |zone: &&ZoneRef| zone.kind <= highest && (!gfp.contains(Gfp::THISNODE) || zone.zone.node() == nid);
    let first = node.zonelist().iter().filter(usable).find(|zone| has_enough(zone.zone));
    let Some(zone) = first.map(|first| first.zone) else { return 0 };
    let taken = take_from(zone, kind_of(gfp), places);
    // Not under the lock: this may take long, and report.
    if check::is_special(gfp) {
        for page in places[..taken].iter().flatten() {
            check::prep_new_page(page, 0, gfp);
        }
    }
    taken
}

/// Fills places with pages that this CPU has at hand of a zone, or that the zone has free.
fn take_from(zone: &Zone, kind: MigrateType, places: &mut [Option<&'static Page>]) -> usize {
    let Some(set) = zone.this_cpu_pageset() else { return 0 };
    let wanted = places.len();
    let mut places = places.iter_mut();
    let mut hand_out = |pfn| {
        if let Some(place) = places.next() {
            let page = pfn_to_page(pfn);
            page.set_refcount(1);
            page.private.store(0, Relaxed);
            *place = Some(page);
        }
    };
    let mut at_hand = set.lock();
    let mut taken = 0;
    loop {
        taken += at_hand.pop_many(Vmemmap, kind, (wanted - taken) as u32, &mut hand_out) as usize;
        if taken == wanted {
            return taken;
        }
        let refilled = zone.with_buddy(|buddy| at_hand.refill(Vmemmap, 0, kind, || buddy.alloc(0, kind)));
        let Some(pfn) = refilled else { return taken };
        hand_out(pfn);
        taken += 1;
    }
}

/// Gives back single pages: Linux's `release_pages`.
///
/// # Safety
///
/// As for [`free_pages`], for each of them.
pub unsafe fn free_pages_bulk(pages: &[&'static Page]) {
    for pages in pages.chunks(AT_ONCE) {
        let mut rest = pages;
        while let Some((&first, behind)) = rest.split_first() {
            rest = match put_back(page_zone(first), rest) {
                0 => {
                    // SAFETY: passed on.
                    unsafe { free_pages(first, 0) };
                    behind
                }
                done => &rest[done..],
            };
        }
    }
}

/// Puts pages among those that this CPU has at hand of a zone, up to the first that this is not so simple for, and says how many.
fn put_back(zone: &Zone, pages: &[&'static Page]) -> usize {
    let Some(set) = zone.this_cpu_pageset().filter(|_| !page_debug::is_active()) else {
        return 0;
    };
    let plain_word = set.plain_word();
    let mut at_hand = set.lock();
    let is_simple = |page: &'static Page| {
        let (pfn, plain) = (page_to_pfn(page), page.is_plain_single(plain_word));
        plain
            .then(|| (pfn, zone.block_type(pfn)))
            .filter(|(_, kind)| *kind != MigrateType::HighAtomic)
    };
    for (done, &page) in pages.iter().enumerate() {
        let Some((pfn, kind)) = is_simple(page) else { return done };
        page.set_refcount(0);
        if at_hand.push(Vmemmap, pfn, 0, kind) {
            zone.with_buddy(|buddy| at_hand.give_back(Vmemmap, |pfn, order| buddy.free(pfn, order, Place::Head)));
        }
    }
    pages.len()
}

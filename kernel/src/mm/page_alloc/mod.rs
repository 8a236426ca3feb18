//! The page allocator: pages of 4 KiB in blocks of powers of two, from the zones of the nodes.
//!
//! An allocation says by its [`Gfp`] where its pages may lie, what may be done to get them and what they are for. It goes through the zones of its node's list until one has
//! enough above its mark; small blocks come from what the CPU has at hand of the zone ([`incipit_lib::pcp`]), others from its free lists ([`incipit_lib::buddy`]). What happens when no
//! zone has enough is in `slowpath`. May be called from anywhere once `mem_init` has run, with interrupts on or off.
//!
//! Each allocated block has one reference in its first page, and is gone when that is given back.

mod bad_page;
mod bulk;
mod check;
mod exact;
mod free;
mod quick;
mod reserve;
mod slowpath;
mod tests;

pub use bad_page::dump_page;
pub use bulk::{alloc_pages_bulk, free_pages_bulk};
pub use exact::{alloc_aligned, alloc_pages_exact, free_pages_exact, get_order, split_page};
pub(super) use free::drain_pages;
pub use free::{drain_all_pages, free_pages, put_page};
pub(super) use quick::open as open_quick_path;
pub use reserve::free_reserved_area;
pub(super) use reserve::{alloc_memblock, free_memblock};
pub use tests::without_free_pages;

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

pub use incipit_lib::buddy::MAX_ORDER;
pub use incipit_lib::gfp::Gfp;
use incipit_lib::pcp::{MAX_PCP_ORDER, PerCpuPages};
use incipit_lib::watermark::{Access, watermark_ok};

#[cfg(CONFIG_NUMA)]
use super::mempolicy;
use super::page::{Page, Vmemmap, page_address, page_to_pfn, pfn_to_page};
use super::zone::{Mark, MigrateType, Zone, ZoneRef, ZoneType, all_zones, node};
use super::{PAGE_SIZE, zone};
use crate::arch::x86::mm::builder::nr_page_tables;
use crate::prelude::*;

/// The page allocator gives pages.
#[capability]
pub struct PageAllocator;

/// Whether [`alloc_pages`] has pages to give.
static AVAILABLE: AtomicBool = AtomicBool::new(false);

/// What allocations may do as yet: Linux's variable of the same name.
static GFP_ALLOWED_MASK: AtomicU32 = AtomicU32::new(GFP_BOOT_MASK.bits());

/// While the boot has only one thread nobody can be waited for.
const GFP_BOOT_MASK: Gfp = Gfp::all().difference(Gfp::RECLAIM.union(Gfp::IO).union(Gfp::FS));

/// Lets allocations sleep and do all that they ask for from here on: Linux does so when there is more than one thread.
#[stage(after(crate::time::time_init), before(crate::console::console_init))]
#[init]
pub fn gfp_allowed_mask() {
    GFP_ALLOWED_MASK.store(u32::MAX, Relaxed);
}

/// Whether there is a page allocator: `mem_init` has run.
#[inline]
#[must_use]
pub fn is_available() -> bool {
    AVAILABLE.load(Relaxed)
}

/// Opens the page allocator.
pub(super) fn set_available() {
    AVAILABLE.store(true, Relaxed);
}

/// An allocation, taken apart.
#[derive(Clone, Copy)]
struct Request {
    gfp: Gfp,
    order: u32,
    /// The highest zone it may come from.
    highest: ZoneType,
    kind: MigrateType,
}

/// How far down a zone's pages may be taken.
#[derive(Clone, Copy)]
struct Limit {
    /// The mark that must stay free; none for who frees memory with what it gets.
    mark: Option<Mark>,
    access: Access,
}

impl Limit {
    /// That of the first try.
    const FIRST: Limit = Limit {
        mark: Some(Mark::Low),
        access: Access::NONE,
    };
}

/// 2^`order` pages that lie side by side, aligned to their size, from the node of this CPU or the nearest that has them. `None` if there are none, which has been reported then unless
/// [`Gfp::NOWARN`] says otherwise.
///
/// With [`Gfp::ZERO`] they are zeroed, else they hold what they held.
#[must_use]
#[cfg_attr(CONFIG_DEBUG_ATOMIC_SLEEP, track_caller)]
pub fn alloc_pages(gfp: Gfp, order: u32) -> Option<&'static Page> {
    if order == 0
        && let Some(page) = quick::alloc(gfp)
    {
        return Some(page);
    }
    alloc_pages_of_policy(gfp, order)
}

/// From the node whose turn it is.
#[inline(never)]
#[cfg_attr(CONFIG_DEBUG_ATOMIC_SLEEP, track_caller)]
fn alloc_pages_of_policy(gfp: Gfp, order: u32) -> Option<&'static Page> {
    #[cfg(CONFIG_NUMA)]
    let nid = mempolicy::policy_node();
    #[cfg(not(CONFIG_NUMA))]
    let nid = super::numa::numa_node_id();
    alloc_pages_node(nid, gfp, order)
}

/// One page.
#[inline]
#[must_use]
#[cfg_attr(CONFIG_DEBUG_ATOMIC_SLEEP, track_caller)]
pub fn alloc_page(gfp: Gfp) -> Option<&'static Page> {
    alloc_pages(gfp, 0)
}

/// The same from node `nid`, if it has them; with [`Gfp::THISNODE`] from there or not at all.
#[must_use]
#[cfg_attr(CONFIG_DEBUG_ATOMIC_SLEEP, track_caller)]
pub fn alloc_pages_node(nid: usize, gfp: Gfp, order: u32) -> Option<&'static Page> {
    let gfp = gfp & Gfp::from_bits_retain(GFP_ALLOWED_MASK.load(Relaxed));
    let request = Request {
        gfp,
        order,
        highest: gfp.zone(),
        kind: kind_of(gfp),
    };
    if !check::may_allocate(gfp, order) {
        return None;
    }
    let zones = node(nid)?.zonelist();
    let page = get_page_from_freelist(zones, nid, request, Limit::FIRST).or_else(|| slowpath::alloc_pages_slowpath(zones, nid, request))?;
    check::prep_new_page(page, order, gfp);
    Some(page)
}

/// What is to become of pages that are asked for so.
#[inline]
fn kind_of(gfp: Gfp) -> MigrateType {
    if zone::mobility_grouping() {
        gfp.migrate_type()
    } else {
        MigrateType::Unmovable
    }
}

/// The first zone of the list that has the pages above its limit gives them: Linux's function of the same name. Inline, so that the first try, whose limit is known, is as short as may be.
#[inline(always)]
fn get_page_from_freelist(zones: &[ZoneRef], nid: usize, request: Request, limit: Limit) -> Option<&'static Page> {
    for &ZoneRef { kind, zone } in zones {
        if kind > request.highest || (request.gfp.contains(Gfp::THISNODE) && zone.node() != nid) {
            continue;
        }
        if let Some(mark) = limit.mark {
            let (mark, reserve) = (zone.mark(mark), zone.lowmem_reserve(request.highest));
            if !watermark_ok(zone.free(), request.order, mark, reserve, zone.highatomic(), limit.access) {
                continue;
            }
        }
        if let Some(pfn) = rmqueue(zone, request, limit) {
            return Some(pfn_to_page(pfn));
        }
    }
    None
}

/// Takes a block from a zone.
#[inline]
fn rmqueue(zone: &Zone, request: Request, limit: Limit) -> Option<u64> {
    if request.order <= MAX_PCP_ORDER
        && let Some(set) = zone.this_cpu_pageset()
    {
        let mut pages = set.lock();
        if let Some(pfn) = pages.pop(Vmemmap, request.order, request.kind) {
            return Some(pfn);
        }
        return refill(zone, &mut pages, request);
    }
    rmqueue_buddy(zone, request, limit)
}

/// Takes a batch from a zone's free lists for the CPU to have at hand, and the first block of it.
#[cold]
#[inline(never)]
fn refill(zone: &Zone, pages: &mut PerCpuPages, request: Request) -> Option<u64> {
    zone.with_buddy(|buddy| pages.refill(Vmemmap, request.order, request.kind, || buddy.alloc(request.order, request.kind)))
}

/// Takes a block from a zone's free lists.
#[inline(never)]
fn rmqueue_buddy(zone: &Zone, request: Request, limit: Limit) -> Option<u64> {
    zone.with_buddy(|buddy| {
        let reserved = limit
            .access
            .harder
            .then(|| buddy.alloc_of(request.order, MigrateType::HighAtomic))
            .flatten();
        reserved.or_else(|| buddy.alloc(request.order, request.kind))
    })
}

/// Pages in all free lists, without those that CPUs have at hand.
#[must_use]
pub fn nr_free_pages() -> u64 {
    all_zones().map(Zone::free).sum()
}

/// Pages that nobody has, those at hand of CPUs included.
#[must_use]
pub fn total_free_pages() -> u64 {
    all_zones().map(|zone| zone.free() + zone.free_at_hand()).sum()
}

/// Free pages, and those that nobody gives back because they will be used again: tables of the kernel's addresses, and what checkers keep of traces. What all who
/// allocate and free leave as it was.
#[must_use]
pub fn free_pages_and_kept() -> u64 {
    #[cfg(CONFIG_STACKDEPOT)]
    let traces = (crate::stackdepot::stats().1 / super::PAGE_SIZE) as u64;
    #[cfg(not(CONFIG_STACKDEPOT))]
    let traces = 0;
    total_free_pages() + traces + nr_page_tables() as u64
}

/// Pages that the page allocator has got in all: Linux's `totalram_pages`.
#[must_use]
pub fn total_ram_pages() -> u64 {
    all_zones().map(Zone::managed).sum()
}

/// Pages that are given back when it is dropped.
#[derive(Debug)]
pub struct Pages {
    page: &'static Page,
    order: u32,
}

impl Pages {
    /// Allocates 2^`order` pages.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there are none.
    pub fn new(gfp: Gfp, order: u32) -> Result<Pages, Errno> {
        let page = alloc_pages(gfp, order).ok_or(Errno::ENOMEM)?;
        Ok(Pages { page, order })
    }

    /// The first page.
    #[must_use]
    pub fn page(&self) -> &'static Page {
        self.page
    }

    /// Their bytes, in the direct map.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        page_address(self.page)
    }

    /// How many bytes they have.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        PAGE_SIZE << self.order
    }

    /// Keeps them from being given back, and returns the first.
    #[must_use]
    pub fn leak(self) -> &'static Page {
        let page = self.page;
        core::mem::forget(self);
        page
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: they were allocated with this order, and are nobody else's.
        unsafe { free_pages(self.page, self.order) };
    }
}

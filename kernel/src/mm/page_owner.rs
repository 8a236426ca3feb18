//! `page_owner=on`: who has each page, and who had it before.

mod command;

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::page::{Page, PageFlags, pfn_to_page};
use super::page_debug::{self, Checks};
use super::zone::{MigrateType, Zone, page_zone, populated_zones};
use super::{Gfp, page_ext, sparse};
use crate::panic::task;
use crate::prelude::*;
use crate::stackdepot::{self, Handle};
use crate::time;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// `page_owner=on`: remembers where each page was allocated, and where it was given back last.
#[early_param("page_owner")]
#[init]
fn early_page_owner(value: Option<&'static str>) -> Result<(), Errno> {
    REQUESTED.store(page_debug::parse(value)?, Relaxed);
    Ok(())
}

/// Whether the command line asks for it.
pub(super) fn is_requested() -> bool {
    REQUESTED.load(Relaxed)
}

/// What is remembered of a page. Who has the page writes it, and anybody may read it.
#[derive(Debug, Default)]
pub struct PageOwner {
    /// Where it was allocated, 0 if that is not known.
    handle: AtomicU32,
    /// Where it was given back last, 0 for never.
    free_handle: AtomicU32,
    gfp: AtomicU32,
    pid: AtomicU32,
    /// The order of the block that it was allocated in, with [`ALLOCATED`] while it is.
    order: AtomicU32,
    ts_nsec: AtomicU64,
    free_ts_nsec: AtomicU64,
}

/// Marks [`PageOwner::order`] of a page that somebody has.
const ALLOCATED: u32 = 1 << 31;

impl PageOwner {
    fn set(&self, order: u32, gfp: Gfp, handle: u32) {
        self.handle.store(handle, Relaxed);
        self.gfp.store(gfp.bits(), Relaxed);
        self.pid.store(task::pid(), Relaxed);
        self.order.store(order | ALLOCATED, Relaxed);
        self.ts_nsec.store(time::sched_clock(), Relaxed);
    }

    fn reset(&self, handle: u32) {
        self.free_handle.store(handle, Relaxed);
        self.order.fetch_and(!ALLOCATED, Relaxed);
        self.free_ts_nsec.store(time::sched_clock(), Relaxed);
    }

    fn order(&self) -> u32 {
        self.order.load(Relaxed) & !ALLOCATED
    }

    /// Whether somebody has the page.
    #[must_use]
    pub fn is_allocated(&self) -> bool {
        self.order.load(Relaxed) & ALLOCATED != 0
    }

    /// Where the page was allocated, if that is known.
    #[must_use]
    pub fn allocated_at(&self) -> Option<Handle> {
        Handle::from_number(self.handle.load(Relaxed))
    }

    /// Where it was given back last, if it ever was.
    #[must_use]
    pub fn freed_at(&self) -> Option<Handle> {
        Handle::from_number(self.free_handle.load(Relaxed))
    }
}

fn frames(pfn: u64, order: u32) -> impl Iterator<Item = &'static PageOwner> {
    (pfn..pfn + (1 << order)).filter_map(page_ext::lookup)
}

/// The trace of whoever called the page allocator, 0 if there is no room for it.
fn trace() -> u32 {
    stackdepot::save_here(2).map_or(0, Handle::get)
}

/// Remembers who gets a block.
pub(super) fn set_page_owner(pfn: u64, order: u32, gfp: Gfp) {
    let handle = trace();
    frames(pfn, order).for_each(|owner| owner.set(order, gfp, handle));
}

/// Remembers who gives it back.
pub(super) fn reset_page_owner(pfn: u64, order: u32) {
    let handle = trace();
    frames(pfn, order).for_each(|owner| owner.reset(handle));
}

/// From here on pages are remembered; those that somebody has by now have no trace.
#[init]
pub(super) fn init() {
    for zone in populated_zones() {
        let mut early = 0;
        for pfn in zone.spanned() {
            let Some(page) = owned_page(pfn, zone) else { continue };
            if page.refcount() != 0
                && let Some(owner) = page_ext::lookup(pfn)
            {
                owner.set(0, Gfp::empty(), 0);
                early += 1;
            }
        }
        pr_info!(
            "Node {}, zone {:>8}: page owner found early allocated {early} pages",
            zone.node(),
            zone.kind()
        );
    }
    page_debug::set(Checks::OWNER, true);
}

/// The page of a frame if it is of this zone and the page allocator's.
fn owned_page(pfn: u64, zone: &Zone) -> Option<&'static Page> {
    let page = sparse::pfn_valid(pfn).then(|| pfn_to_page(pfn))?;
    let mine = page.node() == zone.node() && page.zone() == zone.kind();
    (mine && !page.has(PageFlags::RESERVED)).then_some(page)
}

/// Says who has a page, or had it last: Linux's `__dump_page_owner`.
pub(super) fn dump_page_owner(pfn: u64, page: &Page) {
    let Some(owner) = page_ext::lookup(pfn) else { return };
    if !page_debug::checks().contains(Checks::OWNER) {
        return;
    }
    let state = if owner.is_allocated() { "allocated" } else { "freed" };
    pr_alert!("page_owner tracks the page as {state}");
    pr_alert!(
        "page last allocated via order {}, migratetype {}, gfp_mask {}, pid {}, tgid {}, ts {}, free_ts {}",
        owner.order(),
        block_type(pfn, page),
        Gfp::from_bits_retain(owner.gfp.load(Relaxed)),
        owner.pid.load(Relaxed),
        owner.pid.load(Relaxed),
        owner.ts_nsec.load(Relaxed),
        owner.free_ts_nsec.load(Relaxed)
    );
    match owner.allocated_at() {
        Some(handle) => handle.print(Level::Alert, " "),
        None => pr_alert!("page_owner allocation stack trace missing"),
    }
    match owner.freed_at() {
        Some(handle) => {
            pr_alert!("page last free stack trace:");
            handle.print(Level::Alert, " ");
        }
        None => pr_alert!("page_owner free stack trace missing"),
    }
}

fn block_type(pfn: u64, page: &Page) -> MigrateType {
    page_zone(page).block_type(pfn)
}

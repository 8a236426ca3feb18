//! The way of most pages: a single one for the kernel itself, from what the CPU has at hand of the zone that it asks first, and back there.
//!
//! What is at hand is off the free lists already, so that no mark of the zone has to be looked at. Everything that is not as usual takes the long way: flags that ask for
//! more, pages that are watched or made to fail, nodes that take turns, a list that is empty or full, a caller who must not sleep and says that it may. So there is nothing to call here.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Gfp;
#[cfg(CONFIG_NUMA)]
use crate::mm::mempolicy::{self, Policy};
use crate::mm::page::{Page, Vmemmap, page_to_pfn, pfn_to_page};
use crate::mm::zone::{MigrateType, Pageset, ZoneType, node};
use crate::mm::{fault_inject, numa, page_debug};
use crate::preempt;
use crate::prelude::*;
use crate::{arch::x86::cpu::masks, percpu::PerCpu};

/// Flags of an allocation that asks for more than a page of any zone.
const SPECIAL: Gfp = Gfp::DMA
    .union(Gfp::DMA32)
    .union(Gfp::MOVABLE)
    .union(Gfp::RECLAIMABLE)
    .union(Gfp::ZERO)
    .union(Gfp::COMP)
    .union(Gfp::THISNODE);

/// What this CPU has at hand of the first zone of its node's list: the address of a [`Pageset`], 0 for none.
#[percpu(read_mostly)]
static HOME: AtomicUsize = AtomicUsize::new(0);

/// Opens the way for all CPUs.
#[init]
pub fn open() {
    for cpu in masks::POSSIBLE.iter() {
        let first = |nid| node(nid)?.zonelist().iter().find(|zone| zone.kind <= ZoneType::Normal);
        let set = first(numa::cpu_to_node(cpu)).and_then(|first| first.zone.pageset(cpu));
        set_home(&HOME, cpu, set);
    }
}

fn set_home(home: &'static PerCpu<AtomicUsize>, cpu: usize, set: Option<&'static Pageset>) {
    if let Some(home) = home.per_cpu(cpu) {
        home.store(set.map_or(0, |set| core::ptr::from_ref(set).expose_provenance()), Relaxed);
    }
}

#[inline]
fn home() -> Option<&'static Pageset> {
    let set = core::ptr::with_exposed_provenance::<Pageset>(HOME.this_cpu_read());
    // SAFETY: 0 or a page set of `open`, which stays.
    unsafe { set.as_ref() }
}

/// A page, if it is to be had this way.
#[inline]
pub fn alloc(gfp: Gfp) -> Option<&'static Page> {
    if gfp.intersects(SPECIAL) || page_debug::is_active() || fault_inject::is_armed() {
        return None;
    }
    if !preempt::may_sleep() && gfp.allows_blocking() {
        return None;
    }
    #[cfg(CONFIG_NUMA)]
    if mempolicy::policy() != Policy::Local {
        return None;
    }
    let pfn = home()?.lock().pop(Vmemmap, 0, MigrateType::Unmovable)?;
    let page = pfn_to_page(pfn);
    page.set_refcount(1);
    page.private.store(0, Relaxed);
    Some(page)
}

/// Takes a page back that may go this way; `false` if it may not, and nothing was done.
#[inline]
pub fn free(page: &'static Page) -> bool {
    let Some(set) = home() else { return false };
    if !page.is_plain_single(set.plain_word()) || page_debug::is_active() {
        return false;
    }
    let pfn = page_to_pfn(page);
    let kind = set.zone().block_type(pfn);
    if kind == MigrateType::HighAtomic {
        return false;
    }
    let mut pages = set.lock();
    if pages.is_full() {
        return false;
    }
    page.set_refcount(0);
    let _ = pages.push(Vmemmap, pfn, 0, kind);
    true
}

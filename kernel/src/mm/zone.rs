//! Nodes and their zones: whose pages are whose, how many are free, and how many must stay so.
//!
//! A [`Node`] exists for each node of the machine from [`free_area_init`] on and for good, with all its [`Zone`]s, of which some have no memory. What a zone spans is said by
//! [`super::zone_limits`]; pages come into it in `mem_init`. Who allocates goes through [`super::page_alloc`].

mod node;
mod pageset;

use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, Ordering::Relaxed};

use incipit_lib::buddy::{self, Buddy, PAGEBLOCK_ORDER, PAGEBLOCK_PAGES};
use incipit_lib::watermark::Watermarks;
pub use incipit_lib::zone::{MAX_NR_ZONES, MigrateType, ZoneType};

pub(super) use node::setup_lowmem_reserve;
pub use node::{Node, ZoneRef, all_zones, free_area_init, node, node_data, page_zone, populated_zones};
pub use pageset::Pageset;

use super::page::Vmemmap;
use super::{memblock, phys_to_virt, zone_limits};
use crate::arch::x86::cpu::masks;
use crate::locking::IrqSpinLock;
use crate::percpu;
use crate::prelude::*;

/// Which of a zone's marks an allocation must leave: Linux's `ALLOC_WMARK_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mark {
    /// What only who cannot wait gets.
    Min,
    /// What the first try leaves.
    Low,
    /// What is left when nobody is short of memory.
    High,
}

/// Memory of one kind in one node.
pub struct Zone {
    kind: ZoneType,
    node: usize,
    spanned: Range<u64>,
    present: u64,
    managed: AtomicU64,
    /// As many as `buddy` says, for who does not have its lock.
    free: AtomicU64,
    marks: [AtomicU64; 3],
    lowmem_reserve: [AtomicU64; MAX_NR_ZONES],
    /// Pages in blocks kept for who cannot wait.
    highatomic: AtomicU64,
    /// One for each CPU; null before there are any.
    pagesets: AtomicPtr<Pageset>,
    block_types: &'static [AtomicU8],
    buddy: IrqSpinLock<Buddy<Vmemmap>>,
}

/// Whether pages are kept apart by their type: there is enough memory for that.
static MOBILITY_GROUPING: AtomicBool = AtomicBool::new(true);

/// Whether pages are kept apart by their type.
#[inline]
#[must_use]
pub fn mobility_grouping() -> bool {
    MOBILITY_GROUPING.load(Relaxed)
}

/// Keeps pages of all types together from the beginning: Linux's `page_group_by_mobility_disabled`. To be called before `mem_init`.
#[init]
pub fn disable_mobility_grouping() {
    MOBILITY_GROUPING.store(false, Relaxed);
    all_zones().for_each(|zone| zone.with_buddy(Buddy::disable_grouping));
}

/// A zone without memory. It is copied to where a zone is to be and then told what it is, so that none, of more than a KiB each, ever lies on the stack.
#[initdata]
static EMPTY: Zone = Zone {
    kind: ZoneType::Dma,
    node: 0,
    spanned: 0..0,
    present: 0,
    managed: AtomicU64::new(0),
    free: AtomicU64::new(0),
    marks: [const { AtomicU64::new(0) }; 3],
    lowmem_reserve: [const { AtomicU64::new(0) }; MAX_NR_ZONES],
    highatomic: AtomicU64::new(0),
    pagesets: AtomicPtr::new(ptr::null_mut()),
    block_types: &[],
    buddy: IrqSpinLock::new(Buddy::empty(Vmemmap)),
};

impl Zone {
    /// Makes the zone of this kind of node `nid` in its place, without a page as yet.
    ///
    /// # Safety
    ///
    /// `place` must be memory for a zone that nobody uses.
    #[init]
    unsafe fn make_at(place: *mut Zone, nid: usize, kind: ZoneType) -> Result<(), Errno> {
        let extent = zone_limits::zone_extent(nid, kind);
        let block_types = new_block_types(nid, buddy::pageblocks(&extent.spanned))?;
        // SAFETY: the caller gives the place. What is copied is a zone that nobody has ever used, so that nothing in it depends on where it lies.
        let zone = unsafe {
            ptr::copy_nonoverlapping(&raw const EMPTY, place, 1);
            &mut *place
        };
        zone.kind = kind;
        zone.node = nid;
        zone.present = extent.present;
        zone.block_types = block_types;
        zone.with_buddy(|buddy| buddy.span(extent.spanned.clone(), block_types));
        zone.spanned = extent.spanned;
        Ok(())
    }

    /// Its kind.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> ZoneType {
        self.kind
    }

    /// The number of its node.
    #[must_use]
    pub fn node(&self) -> usize {
        self.node
    }

    /// From its first page frame to the one behind its last; holes may be between them, and pages of other zones.
    #[must_use]
    pub fn spanned(&self) -> Range<u64> {
        self.spanned.clone()
    }

    /// Pages that are memory.
    #[must_use]
    pub fn present(&self) -> u64 {
        self.present
    }

    /// Pages that are, or were, the page allocator's.
    #[must_use]
    pub fn managed(&self) -> u64 {
        self.managed.load(Relaxed)
    }

    /// Pages that are free, without those that CPUs have at hand.
    #[inline]
    #[must_use]
    pub fn free(&self) -> u64 {
        self.free.load(Relaxed)
    }

    /// Pages that CPUs have at hand.
    #[must_use]
    pub fn free_at_hand(&self) -> u64 {
        self.pagesets().map(|set| u64::from(set.lock().count())).sum()
    }

    /// Free pages that one CPU has at hand.
    pub fn free_at_hand_of(&self, cpu: usize) -> u64 {
        self.pageset(cpu).map_or(0, |set| u64::from(set.lock().count()))
    }

    /// Pages in blocks kept for who cannot wait.
    #[inline]
    #[must_use]
    pub fn highatomic(&self) -> u64 {
        self.highatomic.load(Relaxed)
    }

    /// Keeps the page block around one of its pages for who cannot wait, unless there are enough: Linux's `reserve_highatomic_pageblock`.
    pub(super) fn reserve_highatomic(&self, pfn: u64) {
        self.with_buddy(|buddy| {
            let most = self.managed() / 100 + PAGEBLOCK_PAGES;
            if self.highatomic() < most && buddy.reserve_highatomic(pfn) {
                self.highatomic.fetch_add(PAGEBLOCK_PAGES, Relaxed);
            }
        });
    }

    /// Gives a page block that is kept for who cannot wait to `kind`; `false` if there is none with a free page.
    pub(super) fn unreserve_highatomic(&self, kind: MigrateType) -> bool {
        self.with_buddy(|buddy| {
            let given = buddy.unreserve_highatomic(kind);
            if given {
                self.highatomic.store(self.highatomic().saturating_sub(PAGEBLOCK_PAGES), Relaxed);
            }
            given
        })
    }

    /// One of its marks, in pages.
    #[inline]
    #[must_use]
    pub fn mark(&self, mark: Mark) -> u64 {
        self.marks[mark as usize].load(Relaxed)
    }

    /// Pages that it keeps from allocations that could have come from a zone as high as `highest`.
    #[inline]
    #[must_use]
    pub fn lowmem_reserve(&self, highest: ZoneType) -> u64 {
        self.lowmem_reserve[highest as usize].load(Relaxed)
    }

    /// The type of the page block around a page frame, which may change at any time.
    #[inline]
    #[must_use]
    pub fn block_type(&self, pfn: u64) -> MigrateType {
        let block = (pfn >> PAGEBLOCK_ORDER) - (self.spanned.start >> PAGEBLOCK_ORDER);
        self.block_types
            .get(block as usize)
            .map_or(MigrateType::Movable, |kind| MigrateType::from_bits(kind.load(Relaxed).into()))
    }

    /// How many page blocks of each type it has that begin in its span.
    #[must_use]
    pub fn block_counts(&self) -> [u64; MigrateType::ALL.len()] {
        let mut counts = [0; MigrateType::ALL.len()];
        for pfn in self.spanned.clone().step_by(PAGEBLOCK_PAGES as usize) {
            counts[self.block_type(pfn) as usize] += 1;
        }
        counts
    }

    /// How many free blocks of each order it has.
    #[must_use]
    pub fn free_blocks(&self) -> [u64; buddy::ORDERS] {
        self.with_buddy(|buddy| core::array::from_fn(|order| buddy.blocks(order as u32)))
    }

    /// How many free blocks of each order it has for one type.
    #[must_use]
    pub fn free_blocks_of(&self, kind: MigrateType) -> [u64; buddy::ORDERS] {
        self.with_buddy(|buddy| core::array::from_fn(|order| buddy.list(order as u32, kind).len()))
    }

    /// Calls `f` with its free pages, under its lock.
    #[inline]
    pub(super) fn with_buddy<R>(&self, f: impl FnOnce(&mut Buddy<Vmemmap>) -> R) -> R {
        let mut buddy = self.buddy.lock();
        let result = f(&mut buddy);
        self.free.store(buddy.free_pages(), Relaxed);
        result
    }

    /// Adds pages to those that it manages.
    pub(super) fn add_managed(&self, pages: u64) {
        self.managed.fetch_add(pages, Relaxed);
    }

    pub(super) fn set_marks(&self, marks: Watermarks) {
        for (mark, pages) in self.marks.iter().zip([marks.min, marks.low, marks.high]) {
            mark.store(pages, Relaxed);
        }
    }

    /// What this CPU has at hand of it.
    #[inline]
    pub(super) fn this_cpu_pageset(&self) -> Option<&'static Pageset> {
        let sets = self.pagesets.load(Relaxed);
        // SAFETY: not null, it is `set_pagesets`' array, with an element for each CPU that there may be.
        (!sets.is_null()).then(|| unsafe { &*sets.add(percpu::smp_processor_id()) })
    }

    /// What all CPUs have at hand of it.
    pub(super) fn pagesets(&self) -> impl Iterator<Item = &'static Pageset> {
        let sets = self.pagesets.load(Relaxed);
        let count = if sets.is_null() { 0 } else { masks::nr_cpu_ids() };
        // SAFETY: as in `this_cpu_pageset`.
        (0..count).map(move |cpu| unsafe { &*sets.add(cpu) })
    }

    /// What one CPU has at hand of it.
    pub(super) fn pageset(&self, cpu: usize) -> Option<&'static Pageset> {
        self.pagesets().nth(cpu)
    }

    /// Gives the CPUs something to have pages at hand in.
    ///
    /// # Safety
    ///
    /// `sets` must be an array with an element for each possible CPU, for good.
    pub(super) unsafe fn set_pagesets(&self, sets: *mut Pageset) {
        self.pagesets.store(sets, Relaxed);
    }
}

/// Room for the types of page blocks.
#[init]
fn new_block_types(nid: usize, count: usize) -> Result<&'static [AtomicU8], Errno> {
    if count == 0 {
        return Ok(&[]);
    }
    let place = memblock::alloc_node(count as u64, 64, nid)?;
    let place = phys_to_virt(place.0);
    // SAFETY: the memory was just allocated with that size, stays, and holds bytes for which every value is valid.
    unsafe {
        place.write_bytes(0, count);
        Ok(core::slice::from_raw_parts(place.cast::<AtomicU8>(), count))
    }
}

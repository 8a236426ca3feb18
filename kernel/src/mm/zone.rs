//! Nodes and their zones: whose pages are whose, how many are free, and how many must stay so.
//!
//! A [`Node`] exists for each node of the machine from [`free_area_init`] on and for good, with all its [`Zone`]s, of which some have no memory. What a zone spans is said by
//! [`super::zone_limits`]; pages come into it in `mem_init`. Who allocates goes through [`super::page_alloc`].

use core::ops::{Deref, DerefMut, Range};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, Ordering::Relaxed};

use incipit_lib::buddy::{self, Buddy, PAGEBLOCK_ORDER, PAGEBLOCK_PAGES};
use incipit_lib::pcp::PerCpuPages;
use incipit_lib::watermark::{LOWMEM_RESERVE_RATIO, Watermarks, lowmem_reserve};
pub use incipit_lib::zone::{MAX_NR_ZONES, MigrateType, ZoneType};
use spin::Once;

use super::numa::{self, MAX_NUMNODES};
use super::page::{Page, Vmemmap};
use super::{memblock, phys_to_virt, zone_limits};
use crate::arch::x86::cpu::masks;
use crate::irq::{IrqGuard, IrqMutex};
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

/// The pages of a zone that a CPU has at hand.
#[repr(align(64))]
pub struct Pageset {
    pages: spin::Mutex<PerCpuPages>,
    zone: &'static Zone,
    zone_id: u64,
}

/// The right to change what is at hand, with interrupts off.
pub(super) struct AtHand<'a> {
    // Dropped in this order: an interrupt between the two would wait for a lock that its own CPU holds.
    pages: spin::MutexGuard<'a, PerCpuPages>,
    _interrupts_off: IrqGuard,
}

impl Pageset {
    pub(super) const fn new(zone: &'static Zone) -> Pageset {
        Pageset {
            pages: spin::Mutex::new(PerCpuPages::new()),
            zone,
            zone_id: Page::zone_id_of(zone.kind, zone.node),
        }
    }

    /// Waits for the lock, which another CPU has only while it takes everything back. It is held for so short that nobody need be told not to sleep, so the preemption count
    /// stays as it is.
    #[inline]
    pub(super) fn lock(&self) -> AtHand<'_> {
        let interrupts_off = IrqGuard::new();
        AtHand {
            pages: self.pages.lock(),
            _interrupts_off: interrupts_off,
        }
    }

    /// What the pages have as [`Page::zone_id`].
    #[inline]
    pub(super) fn zone_id(&self) -> u64 {
        self.zone_id
    }

    /// The zone that the pages are of.
    #[inline]
    pub(super) fn zone(&self) -> &'static Zone {
        self.zone
    }
}

impl Deref for AtHand<'_> {
    type Target = PerCpuPages;

    #[inline]
    fn deref(&self) -> &PerCpuPages {
        &self.pages
    }
}

impl DerefMut for AtHand<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut PerCpuPages {
        &mut self.pages
    }
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
    buddy: IrqMutex<Buddy<Vmemmap>>,
}

/// A node: memory, and the order in which allocations go through all memory from here.
pub struct Node {
    nid: usize,
    zones: [Zone; MAX_NR_ZONES],
    zonelist: Once<&'static [ZoneRef]>,
}

/// A zone in a list of those that an allocation may come from.
#[derive(Clone, Copy)]
pub struct ZoneRef {
    /// Its kind, as it has it itself.
    pub kind: ZoneType,
    /// The zone.
    pub zone: &'static Zone,
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

static NODES: [AtomicPtr<Node>; MAX_NUMNODES] = [const { AtomicPtr::new(ptr::null_mut()) }; MAX_NUMNODES];

/// The node of this number, if there is one.
#[inline]
#[must_use]
pub fn node(nid: usize) -> Option<&'static Node> {
    let node = NODES.get(nid)?.load(Relaxed);
    // SAFETY: either null or what `free_area_init` made, which stays.
    unsafe { node.as_ref() }
}

/// The node of this number: Linux's `NODE_DATA`.
///
/// # Panics
///
/// If there is no such node, or not yet.
#[inline]
#[must_use]
pub fn node_data(nid: usize) -> &'static Node {
    node(nid).expect("an online node")
}

/// All zones that have pages, by node and kind: Linux's `for_each_populated_zone`.
pub fn populated_zones() -> impl Iterator<Item = &'static Zone> {
    all_zones().filter(|zone| zone.present != 0)
}

/// All zones, those without memory, too.
pub fn all_zones() -> impl Iterator<Item = &'static Zone> {
    numa::online_nodes().filter_map(node).flat_map(|node| node.zones.iter())
}

/// The zone that a page belongs to.
#[inline]
#[must_use]
pub fn page_zone(page: &Page) -> &'static Zone {
    &node_data(page.node()).zones[page.zone() as usize]
}

impl Node {
    /// Its number.
    #[must_use]
    pub fn nid(&self) -> usize {
        self.nid
    }

    /// Its zones, the lowest first.
    #[must_use]
    pub fn zones(&self) -> &[Zone; MAX_NR_ZONES] {
        &self.zones
    }

    /// The zones that an allocation from this node may come from, in the order in which they are tried; of all kinds, so that those above what was asked for are to be
    /// skipped. Empty before `build_all_zonelists`.
    #[inline]
    #[must_use]
    pub fn zonelist(&self) -> &'static [ZoneRef] {
        self.zonelist.get().copied().unwrap_or(&[])
    }

    /// Sets the order in which allocations from this node go through all memory. The first one stays.
    pub fn set_zonelist(&self, zones: &'static [ZoneRef]) {
        self.zonelist.call_once(|| zones);
    }
}

impl Zone {
    #[init]
    fn new(nid: usize, kind: ZoneType) -> Result<Zone, Errno> {
        let extent = zone_limits::zone_extent(nid, kind);
        let block_types = new_block_types(nid, buddy::pageblocks(&extent.spanned))?;
        Ok(Zone {
            kind,
            node: nid,
            present: extent.present,
            managed: AtomicU64::new(0),
            free: AtomicU64::new(0),
            marks: Default::default(),
            lowmem_reserve: Default::default(),
            highatomic: AtomicU64::new(0),
            pagesets: AtomicPtr::new(ptr::null_mut()),
            block_types,
            buddy: IrqMutex::new(Buddy::new(Vmemmap, extent.spanned.clone(), block_types)),
            spanned: extent.spanned,
        })
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

/// Keeps in each zone what allocations that can have memory elsewhere are not to take: Linux's `setup_per_zone_lowmem_reserve`.
pub(super) fn setup_lowmem_reserve() {
    for node in numa::online_nodes().filter_map(node) {
        let managed = node.zones.each_ref().map(Zone::managed);
        let reserve = lowmem_reserve(managed, LOWMEM_RESERVE_RATIO);
        for (zone, row) in node.zones.iter().zip(reserve) {
            for (kept, pages) in zone.lowmem_reserve.iter().zip(row) {
                kept.store(pages, Relaxed);
            }
        }
    }
}

/// Makes the nodes with their zones, all without a page as yet: Linux's function of the same name.
///
/// # Panics
///
/// Without memory for them the boot cannot go on.
#[init]
pub fn free_area_init() {
    for nid in numa::online_nodes() {
        match new_node(nid) {
            Ok(node) => NODES[nid].store(node, Relaxed),
            Err(error) => panic!("free_area_init: no memory for node {nid} ({error})"),
        }
    }
}

#[init]
fn new_node(nid: usize) -> Result<*mut Node, Errno> {
    let [dma, dma32, normal, movable] = ZoneType::ALL.map(|kind| Zone::new(nid, kind));
    let node = Node {
        nid,
        zones: [dma?, dma32?, normal?, movable?],
        zonelist: Once::new(),
    };
    let place = memblock::alloc_node(size_of::<Node>() as u64, align_of::<Node>() as u64, nid)?;
    let place = phys_to_virt(place.0).cast::<Node>();
    // SAFETY: the memory was just allocated for it.
    unsafe { place.write(node) };
    Ok(place)
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

//! The buddy system: free pages of one zone in blocks of powers of two, by what their surroundings are used for.
//!
//! A block of order `n` is 2^`n` pages that begin at a multiple of it; its buddy is the block that together with it makes one of order `n + 1`. What is known of a free
//! block stands in its first [`Page`]: the type [`PageType::Buddy`], its order, and the links of its list. Nothing here touches the pages' bytes, takes a lock or knows
//! what a page is used for while it is allocated.
//!
//! Blocks lie in lists by [`MigrateType`], that of the page block ([`PAGEBLOCK_ORDER`]) around them, so that what stays for ever does not end up scattered over
//! memory. When a type has nothing left it takes from another as `fallback` says (Linux's `mm/page_alloc.c`).

mod fallback;
mod list;

pub use list::PageList;

use core::ops::Range;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::page::{MemMap, Page, PageType};
use crate::zone::{MIGRATE_TYPES, MigrateType};

/// The order of the largest blocks: 4 MiB.
pub const MAX_ORDER: u32 = 10;
/// How many orders there are.
pub const ORDERS: usize = MAX_ORDER as usize + 1;
/// The order of a page block, whose pages are best used for one kind of thing: 2 MiB, as large as a large page.
pub const PAGEBLOCK_ORDER: u32 = 9;
/// Pages of a page block.
pub const PAGEBLOCK_PAGES: u64 = 1 << PAGEBLOCK_ORDER;

/// How many page blocks a zone that spans these page frames has a part in: as many bytes [`Buddy::new`] wants.
#[must_use]
pub const fn pageblocks(span: &Range<u64>) -> usize {
    (span.end.div_ceil(PAGEBLOCK_PAGES) - span.start / PAGEBLOCK_PAGES) as usize
}

/// Where a freed block goes in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is handed out next: it may still be in the cache.
    Head,
    /// It is handed out last.
    Tail,
}

/// The free pages of a zone.
#[derive(Debug)]
pub struct Buddy<M> {
    map: M,
    span: Range<u64>,
    /// The page frame that the first of `blocks` begins with.
    base: u64,
    blocks: &'static [AtomicU8],
    lists: [[PageList; MIGRATE_TYPES]; ORDERS],
    free: u64,
    grouping: bool,
}

impl<M: MemMap> Buddy<M> {
    /// A zone that spans nothing.
    pub const fn empty(map: M) -> Self {
        Self {
            map,
            span: 0..0,
            base: 0,
            blocks: &[],
            lists: [const { [const { PageList::new() }; MIGRATE_TYPES] }; ORDERS],
            free: 0,
            grouping: true,
        }
    }

    /// A zone without free pages that [spans](Self::span) these page frames.
    pub fn new(map: M, span: Range<u64>, blocks: &'static [AtomicU8]) -> Self {
        let mut zone = Self::empty(map);
        zone.span(span, blocks);
        zone
    }

    /// Says which page frames a zone without free pages spans. `blocks` has the type of each page block, [`pageblocks`] of them, all [`MigrateType::Movable`] from now on; they
    /// may be read by others at any time, and are changed by this only.
    pub fn span(&mut self, span: Range<u64>, blocks: &'static [AtomicU8]) {
        debug_assert!(self.free == 0 && blocks.len() >= pageblocks(&span));
        for block in blocks {
            block.store(MigrateType::Movable as u8, Relaxed);
        }
        self.base = span.start / PAGEBLOCK_PAGES * PAGEBLOCK_PAGES;
        self.span = span;
        self.blocks = blocks;
    }

    /// Keeps blocks of all types together, as [`MigrateType::Unmovable`], since there is too little memory to keep them apart: Linux's `page_group_by_mobility_disabled`.
    pub fn disable_grouping(&mut self) {
        self.grouping = false;
        for block in self.blocks {
            block.store(MigrateType::Unmovable as u8, Relaxed);
        }
    }

    /// Free pages.
    #[inline]
    pub const fn free_pages(&self) -> u64 {
        self.free
    }

    /// The free blocks of an order and type.
    #[inline]
    pub const fn list(&self, order: u32, kind: MigrateType) -> &PageList {
        &self.lists[order as usize][kind as usize]
    }

    /// How many free blocks of an order there are, whatever their type.
    pub fn blocks(&self, order: u32) -> u64 {
        self.lists[order as usize].iter().map(PageList::len).sum()
    }

    /// The type of the page block around a page frame of the zone.
    #[inline]
    pub fn block_type(&self, pfn: u64) -> MigrateType {
        let block = ((pfn - self.base) >> PAGEBLOCK_ORDER) as usize;
        self.blocks
            .get(block)
            .map_or(MigrateType::Movable, |kind| MigrateType::from_bits(kind.load(Relaxed).into()))
    }

    /// Sets the type of the page block around a page frame.
    pub fn set_block_type(&self, pfn: u64, kind: MigrateType) {
        let block = ((pfn - self.base) >> PAGEBLOCK_ORDER) as usize;
        if let Some(byte) = self.blocks.get(block) {
            byte.store(kind as u8, Relaxed);
        }
    }

    fn page(&self, pfn: u64) -> &'static Page {
        self.map.page(pfn)
    }

    fn add(&mut self, pfn: u64, order: u32, kind: MigrateType, place: Place) {
        let page = self.page(pfn);
        page.private.store(u64::from(order), Relaxed);
        page.index.store(kind as u64, Relaxed);
        page.set_type(Some(PageType::Buddy));
        let list = &mut self.lists[order as usize][kind as usize];
        match place {
            Place::Head => list.push_head(self.map, pfn),
            Place::Tail => list.push_tail(self.map, pfn),
        }
    }

    /// Takes a free block off its list, which need not be that of its page block's type.
    fn delete(&mut self, pfn: u64, order: u32) {
        let page = self.page(pfn);
        let kind = MigrateType::from_bits(page.index.load(Relaxed));
        self.lists[order as usize][kind as usize].remove(self.map, pfn);
        page.set_type(None);
    }

    /// The order of the free block that begins at a page frame, if one does.
    pub fn order_of(&self, pfn: u64) -> Option<u32> {
        let page = self.page(pfn);
        page.is_type(PageType::Buddy).then(|| page.private.load(Relaxed) as u32)
    }

    /// Whether the block at `buddy` is free, of this order, and in the zone of `page`.
    #[inline]
    fn is_free_block(page: &Page, buddy: &Page, order: u32) -> bool {
        buddy.is_type(PageType::Buddy) && buddy.private.load(Relaxed) == u64::from(order) && page.zone_id() == buddy.zone_id()
    }

    /// Takes a block back and joins it with its buddies for as long as they are free, too: Linux's `__free_one_page`. The caller has it, and it is a block of this zone.
    #[inline]
    pub fn free(&mut self, pfn: u64, order: u32, place: Place) {
        self.free_as(pfn, order, self.block_type(pfn), place);
    }

    /// The same for a block whose type is known.
    pub fn free_as(&mut self, mut pfn: u64, mut order: u32, kind: MigrateType, place: Place) {
        self.free += 1 << order;
        while order < MAX_ORDER {
            let buddy = pfn ^ 1 << order;
            if !Self::is_free_block(self.page(pfn), self.page(buddy), order) {
                break;
            }
            let buddy_kind = if order < PAGEBLOCK_ORDER { kind } else { self.block_type(buddy) };
            if kind != buddy_kind && (kind == MigrateType::HighAtomic || buddy_kind == MigrateType::HighAtomic) {
                break;
            }
            self.delete(buddy, order);
            pfn &= buddy;
            order += 1;
        }
        self.add(pfn, order, kind, place);
    }

    /// Takes back all pages of a range, in blocks as large as they can be, for the first time: Linux's `__free_pages_memory`.
    pub fn free_range(&mut self, range: Range<u64>) {
        let mut pfn = range.start;
        while pfn < range.end {
            let aligned = if pfn == 0 { MAX_ORDER } else { pfn.trailing_zeros().min(MAX_ORDER) };
            let order = aligned.min((range.end - pfn).ilog2());
            self.free(pfn, order, Place::Tail);
            pfn += 1 << order;
        }
    }

    /// Hands out a block of 2^`order` pages, preferably from among those of its type: Linux's `__rmqueue`.
    #[inline]
    pub fn alloc(&mut self, order: u32, kind: MigrateType) -> Option<u64> {
        let kind = if self.grouping { kind } else { MigrateType::Unmovable };
        self.alloc_of(order, kind).or_else(|| self.alloc_fallback(order, kind))
    }

    /// Hands out a block from the smallest one of its type that holds it, and gives the rest of that back: Linux's `__rmqueue_smallest`.
    #[inline]
    pub fn alloc_of(&mut self, order: u32, kind: MigrateType) -> Option<u64> {
        for current in order..=MAX_ORDER {
            if let Some(pfn) = self.lists[current as usize][kind as usize].first() {
                self.delete(pfn, current);
                self.split(pfn, order, current, kind);
                self.free -= 1 << order;
                return Some(pfn);
            }
        }
        None
    }

    /// Keeps the first 2^`low` pages of a block that is on no list, and puts the rest on the lists: Linux's `expand`.
    #[inline]
    fn split(&mut self, pfn: u64, low: u32, high: u32, kind: MigrateType) {
        for order in (low..high).rev() {
            self.add(pfn + (1 << order), order, kind, Place::Head);
        }
    }

    /// Visits the first frame and the order of each free block.
    pub fn for_each_block(&self, mut visit: impl FnMut(u64, u32)) {
        for order in 0..=MAX_ORDER {
            for kind in MigrateType::ALL {
                self.list(order, kind).iter(self.map).for_each(|pfn| visit(pfn, order));
            }
        }
    }

    /// Takes a free page out of the block around it, whatever its order; `false` if it is not free: Linux's `take_page_off_buddy`.
    pub fn take(&mut self, pfn: u64) -> bool {
        for order in 0..=MAX_ORDER {
            let head = pfn & !((1 << order) - 1);
            if head < self.span.start || self.order_of(head) != Some(order) {
                continue;
            }
            let kind = self.block_type(head);
            self.delete(head, order);
            let mut start = head;
            for half in (0..order).rev() {
                let upper = start + (1 << half);
                let rest = if pfn < upper { upper } else { start };
                start = if pfn < upper { start } else { upper };
                self.add(rest, half, kind, Place::Head);
            }
            self.free -= 1;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests;

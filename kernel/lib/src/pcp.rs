//! Free pages that one CPU has at hand, so that most allocations take no lock of a zone: Linux's per-CPU page sets.
//!
//! A list for each small order and each type; what was freed last is handed out first, since its bytes may still be in the cache. When a list is empty, as many blocks as make a
//! batch are taken from the zone, and when there are too many in all lists, a batch goes back, those first that have lain longest.

use crate::buddy::PageList;
use crate::page::MemMap;
use crate::zone::MigrateType;

/// The largest order that is kept at hand: Linux's `PAGE_ALLOC_COSTLY_ORDER`.
pub const MAX_PCP_ORDER: u32 = 3;
/// Types that are kept at hand: all but [`MigrateType::HighAtomic`].
const TYPES: usize = 3;
const LISTS: usize = TYPES * (MAX_PCP_ORDER as usize + 1);

/// The free pages of one zone that one CPU has at hand.
#[derive(Debug)]
pub struct PerCpuPages {
    /// Pages in all lists.
    count: u32,
    high: u32,
    batch: u32,
    /// The list that gives back next.
    next: u32,
    lists: [PageList; LISTS],
}

/// The list of blocks of an order and type; types that are not kept at hand are treated as what can be moved, as Linux does.
#[inline]
const fn list_of(order: u32, kind: MigrateType) -> usize {
    let kind = if matches!(kind, MigrateType::HighAtomic) {
        MigrateType::Movable
    } else {
        kind
    };
    order as usize * TYPES + kind as usize
}

impl PerCpuPages {
    /// Nothing at hand, and nothing to be kept: every block goes right back to the zone.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            count: 0,
            high: 0,
            batch: 1,
            next: 0,
            lists: [const { PageList::new() }; LISTS],
        }
    }

    /// Keeps up to `high` pages from now on, and moves `batch` at once.
    pub const fn set_limits(&mut self, high: u32, batch: u32) {
        self.high = high;
        self.batch = if batch == 0 { 1 } else { batch };
    }

    /// Pages at hand.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// How many are kept.
    #[must_use]
    pub const fn high(&self) -> u32 {
        self.high
    }

    /// How many are moved at once.
    #[must_use]
    pub const fn batch(&self) -> u32 {
        self.batch
    }

    /// Whether one more would be too many.
    #[inline]
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.count + 1 >= self.high
    }

    /// Hands out a block that is at hand. Always inline: nearly every allocation of a page is this, with order and type known.
    #[inline(always)]
    pub fn pop(&mut self, map: impl MemMap, order: u32, kind: MigrateType) -> Option<u64> {
        let pfn = self.lists[list_of(order, kind)].pop_head(map)?;
        self.count -= 1 << order;
        Some(pfn)
    }

    /// Hands out up to `count` single pages that are at hand to `each`, and says how many it were.
    #[inline]
    pub fn pop_many(&mut self, map: impl MemMap, kind: MigrateType, count: u32, each: impl FnMut(u64)) -> u32 {
        let popped = self.lists[list_of(0, kind)].pop_heads(map, count.into(), each) as u32;
        self.count -= popped;
        popped
    }

    /// Takes a block back; `true` if there are too many now, and [`give_back`](Self::give_back) is to be called.
    #[inline]
    #[must_use]
    pub fn push(&mut self, map: impl MemMap, pfn: u64, order: u32, kind: MigrateType) -> bool {
        self.lists[list_of(order, kind)].push_head(map, pfn);
        self.count += 1 << order;
        self.count >= self.high
    }

    /// Fills an empty list from what `take` hands out, and hands out the first block of it. `take` is asked for blocks of this order until there is a batch or it has none left.
    pub fn refill(&mut self, map: impl MemMap, order: u32, kind: MigrateType, mut take: impl FnMut() -> Option<u64>) -> Option<u64> {
        let first = take()?;
        let wanted = if self.high == 0 { 1 } else { (self.batch >> order).max(2) };
        for _ in 1..wanted {
            let Some(pfn) = take() else { break };
            // Behind what came first, so that they are handed out by address as they came.
            self.lists[list_of(order, kind)].push_tail(map, pfn);
            self.count += 1 << order;
        }
        Some(first)
    }

    /// Gives a batch, or all that are too many, back to whom `give` hands it, with its order; from all lists in turn, the oldest block of each first.
    pub fn give_back(&mut self, map: impl MemMap, give: impl FnMut(u64, u32)) {
        let over = self.count.saturating_sub(self.high);
        self.give_back_pages(map, self.batch.max(over), give);
    }

    /// Gives all back.
    pub fn drain(&mut self, map: impl MemMap, give: impl FnMut(u64, u32)) {
        self.give_back_pages(map, self.count, give);
    }

    fn give_back_pages(&mut self, map: impl MemMap, pages: u32, mut give: impl FnMut(u64, u32)) {
        let target = self.count.saturating_sub(pages);
        while self.count > target {
            let list = self.next as usize % LISTS;
            self.next = self.next.wrapping_add(1) % LISTS as u32;
            if let Some(pfn) = self.lists[list].pop_tail(map) {
                let order = (list / TYPES) as u32;
                self.count -= 1 << order;
                give(pfn, order);
            }
        }
    }
}

impl Default for PerCpuPages {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;

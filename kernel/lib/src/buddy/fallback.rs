//! What a type takes when it has no block of its own left.
//!
//! It takes from the largest block of another type, and the page block around it with as much of its free pages as may be, so that the two types are mixed in as few
//! page blocks as possible (Linux's `__rmqueue_fallback`).

use core::ops::Range;

use super::{Buddy, MAX_ORDER, PAGEBLOCK_ORDER, PAGEBLOCK_PAGES, Place};
use crate::page::MemMap;
use crate::zone::MigrateType;

/// Whom a type takes from, in order.
const fn others(kind: MigrateType) -> [MigrateType; 2] {
    match kind {
        MigrateType::Unmovable => [MigrateType::Reclaimable, MigrateType::Movable],
        MigrateType::Movable => [MigrateType::Reclaimable, MigrateType::Unmovable],
        MigrateType::Reclaimable | MigrateType::HighAtomic => [MigrateType::Unmovable, MigrateType::Movable],
    }
}

/// Whether a type that takes a block of this order takes more than it needs (Linux's `can_steal_fallback`).
const fn steals(order: u32, kind: MigrateType) -> bool {
    order >= PAGEBLOCK_ORDER / 2 || matches!(kind, MigrateType::Unmovable | MigrateType::Reclaimable)
}

impl<M: MemMap> Buddy<M> {
    /// Hands out a block of another type: Linux's `__rmqueue_fallback`.
    #[cold]
    pub(super) fn alloc_fallback(&mut self, order: u32, kind: MigrateType) -> Option<u64> {
        let donor = |current| {
            Some((
                current,
                others(kind).into_iter().find(|other| !self.list(current, *other).is_empty())?,
            ))
        };
        let (mut current, mut other) = (order..=MAX_ORDER).rev().find_map(donor)?;
        if !steals(current, kind) {
            // What can be moved takes no more than it needs, and breaks no large block for it.
            (current, other) = (order..=MAX_ORDER).find_map(donor)?;
        }
        let pfn = self.list(current, other).first()?;
        self.take_over(pfn, current, kind);
        self.alloc_of(order, kind)
    }

    /// Puts a free block, and the free pages around it if that pays, on the lists of `kind`: Linux's `steal_suitable_fallback`.
    fn take_over(&mut self, pfn: u64, order: u32, kind: MigrateType) {
        if order >= PAGEBLOCK_ORDER {
            self.set_block_types(pfn..pfn + (1 << order), kind);
            self.give(pfn, order, kind);
        } else if steals(order, kind) {
            // Where most of a page block is free, it changes sides as a whole. Else those that are in use go back to the old side one day.
            if self.move_block(pfn, kind) >= PAGEBLOCK_PAGES / 2 {
                self.set_block_type(pfn, kind);
            }
        } else {
            self.give(pfn, order, kind);
        }
    }

    /// Puts a free block on the list of `kind`.
    fn give(&mut self, pfn: u64, order: u32, kind: MigrateType) {
        self.delete(pfn, order);
        self.add(pfn, order, kind, Place::Head);
    }

    fn set_block_types(&mut self, range: Range<u64>, kind: MigrateType) {
        for block in range.step_by(PAGEBLOCK_PAGES as usize) {
            self.set_block_type(block, kind);
        }
    }

    /// Keeps the page block around a page, with what of it is free, for who cannot wait; `false` if it is kept already, or types are not kept apart: Linux's `reserve_highatomic_pageblock`.
    pub fn reserve_highatomic(&mut self, pfn: u64) -> bool {
        if !self.grouping || self.block_type(pfn) == MigrateType::HighAtomic {
            return false;
        }
        self.set_block_type(pfn, MigrateType::HighAtomic);
        self.move_block(pfn, MigrateType::HighAtomic);
        true
    }

    /// Gives one of those page blocks to `kind`; `false` if none of them has a free page: Linux's `unreserve_highatomic_pageblock`.
    pub fn unreserve_highatomic(&mut self, kind: MigrateType) -> bool {
        let Some(pfn) = (0..=MAX_ORDER).find_map(|order| self.list(order, MigrateType::HighAtomic).first()) else {
            return false;
        };
        self.set_block_type(pfn, kind);
        self.move_block(pfn, kind);
        true
    }

    /// Puts all free blocks of the page block around `pfn` on the lists of `kind`, and returns how many pages they have: Linux's `move_freepages_block`.
    pub(super) fn move_block(&mut self, pfn: u64, kind: MigrateType) -> u64 {
        let start = pfn & !(PAGEBLOCK_PAGES - 1);
        let end = (start + PAGEBLOCK_PAGES).min(self.span.end);
        let zone = self.page(pfn).zone_id();
        let mut pfn = start.max(self.span.start);
        let mut moved = 0;
        while pfn < end {
            // A page block that zones share has pages of others.
            let mine = self.page(pfn).zone_id() == zone;
            match self.order_of(pfn).filter(|_| mine) {
                Some(order) => {
                    self.give(pfn, order, kind);
                    moved += 1 << order;
                    pfn += 1 << order;
                }
                None => pfn += 1,
            }
        }
        moved
    }
}

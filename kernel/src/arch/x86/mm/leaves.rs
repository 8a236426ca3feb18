//! Going through the entries that map a range of addresses: what changes page tables and what looks at them share this walk.

use core::ops::Range;

use super::pgtable::{Entry, Level, PTRS_PER_TABLE, Table, walk};

/// The entry at which the walk for an address ends: it maps a page, or is not present.
#[derive(Clone, Copy)]
pub struct Leaf {
    /// The first address that the entry is for.
    pub address: usize,
    /// Where in the tables it stands, and so how much it maps.
    pub level: Level,
    table: &'static Table,
    index: usize,
}

impl Leaf {
    /// The entry of the tables in use that `address` depends on.
    #[must_use]
    pub fn of(address: usize) -> Leaf {
        let (table, index, level) = walk(address);
        Leaf {
            address: address & !(level.size() - 1),
            level,
            table,
            index,
        }
    }

    /// The entry's value.
    #[must_use]
    pub fn entry(&self) -> Entry {
        self.table.get(self.index)
    }

    /// Gives the entry another value.
    ///
    /// # Safety
    ///
    /// As for [`Table::set`].
    pub unsafe fn set(&self, entry: Entry) {
        // SAFETY: passed on.
        unsafe { self.table.set(self.index, entry) };
    }

    /// The address behind the last one that the entry is for.
    #[must_use]
    pub fn end(&self) -> usize {
        self.address.saturating_add(self.level.size())
    }

    /// This leaf and those behind it in its table up to the address `end`, as far as nothing but leaves can stand there.
    fn with_neighbours(self, end: usize) -> impl Iterator<Item = Leaf> {
        let wanted = (end - self.address).div_ceil(self.level.size());
        let count = if self.level == Level::Pte {
            wanted.min(PTRS_PER_TABLE - self.index)
        } else {
            1
        };
        (0..count).map(move |number| Leaf {
            address: self.address + number * self.level.size(),
            index: self.index + number,
            ..self
        })
    }
}

/// The entries of the tables in use that the addresses of `range` depend on, in order; where nothing is mapped those that say so. The first and the last may
/// reach beyond the range.
///
/// The way from the top is gone once for each table of small pages, and the iterator is fastest from inside (`for_each`, `any`).
pub fn leaves(range: Range<usize>) -> impl Iterator<Item = Leaf> {
    let mut next = range.start;
    let firsts = core::iter::from_fn(move || {
        if next >= range.end {
            return None;
        }
        let first = Leaf::of(next);
        let table_end = (first.address | (Level::Pmd.size() - 1)).saturating_add(1);
        next = if first.level == Level::Pte { table_end } else { first.end() };
        Some(first)
    });
    firsts.flat_map(move |first| first.with_neighbours(range.end))
}

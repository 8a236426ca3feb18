//! Going through the entries that map a range of addresses, one after the other: what changes page tables and what looks at them share this walk.

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

    /// The leaf behind this one. As long as it stands in the same table, the way from the top need not be gone again.
    fn next(&self) -> Leaf {
        let index = self.index + 1;
        if index < PTRS_PER_TABLE {
            let entry = self.table.get(index);
            if !entry.is_present() || entry.is_leaf(self.level) {
                return Leaf {
                    address: self.end(),
                    index,
                    ..*self
                };
            }
        }
        Leaf::of(self.end())
    }
}

/// The entries of the tables in use that the addresses of a range depend on, in order; where nothing is mapped those that say so.
///
/// The first and the last may reach beyond the range. A change behind the entry that came last is seen.
pub struct Leaves {
    last: Option<Leaf>,
    range: Range<usize>,
}

/// The leaves of `range`.
#[must_use]
pub fn leaves(range: Range<usize>) -> Leaves {
    Leaves { last: None, range }
}

impl Iterator for Leaves {
    type Item = Leaf;

    #[inline]
    fn next(&mut self) -> Option<Leaf> {
        let reached = self.last.map_or(self.range.start, |last| last.end());
        if reached >= self.range.end {
            return None;
        }
        self.last = Some(self.last.map_or_else(|| Leaf::of(reached), |last| last.next()));
        self.last
    }
}

//! Whether all of RAM is cached: what is left of write-back ranges when uncachable ones are taken out (Linux's `mtrr_trim_uncached_memory`).

use core::ops::Range;

use super::{Extent, MIB, MemoryType, Mtrrs};

/// What the registers leave of RAM.
#[derive(Debug)]
pub enum Coverage<'a> {
    /// Nothing is to be done: the registers do not count, or memory that no range has is cached anyway, or there are ranges of kinds that firmware does not use for
    /// RAM, so that somebody else has been at work.
    NotConcerned,
    /// No range is write-back: the registers of a virtual machine that nobody has filled in.
    Blank,
    /// Only what these ranges hold is cached.
    Ranges(Cached<'a>),
}

/// Memory that is cached by write-back ranges.
#[derive(Debug)]
pub struct Cached<'a> {
    mtrrs: &'a Mtrrs,
    /// Memory above 4 GiB that AMD's processors cache without a range, up to this address.
    top_of_memory: u64,
}

impl Mtrrs {
    /// What the registers leave of RAM. `tom2` is the end of the memory above 4 GiB that the processor caches by itself, if it does.
    #[must_use]
    pub fn coverage(&self, tom2: Option<u64>) -> Coverage<'_> {
        if !self.enabled() || self.default_type() != MemoryType::UNCACHABLE {
            return Coverage::NotConcerned;
        }
        let is = |kind| self.extents().any(|extent| extent.kind == kind);
        if !is(MemoryType::WRITE_BACK) {
            return Coverage::Blank;
        }
        let usual = [MemoryType::WRITE_BACK, MemoryType::UNCACHABLE];
        if self.extents().any(|extent| !usual.contains(&extent.kind)) {
            return Coverage::NotConcerned;
        }
        Coverage::Ranges(Cached {
            mtrrs: self,
            top_of_memory: tom2.unwrap_or(0),
        })
    }

    fn extents(&self) -> impl Iterator<Item = Extent> {
        self.ranges().iter().filter_map(|range| range.extent(self.phys_bits))
    }
}

impl Cached<'_> {
    /// The ranges below `end` that are not cached, in order.
    pub fn gaps(&self, end: u64) -> impl Iterator<Item = Range<u64>> {
        let mut at = 0;
        core::iter::from_fn(move || {
            while at < end && self.is_cached(at) {
                at = self.next_border(at, end);
            }
            let start = at;
            while at < end && !self.is_cached(at) {
                at = self.next_border(at, end);
            }
            (start < at).then_some(start..at)
        })
    }

    fn is_cached(&self, address: u64) -> bool {
        let of = |kind| self.of_kind(kind).any(|range| range.contains(&address));
        of(MemoryType::WRITE_BACK) && !of(MemoryType::UNCACHABLE)
    }

    /// The ranges of a kind. The first MiB is what its own registers say; an uncachable range there does not count where these do.
    fn of_kind(&self, kind: MemoryType) -> impl Iterator<Item = Range<u64>> {
        const FOUR_GIB: u64 = 1 << 32;
        let cut = kind == MemoryType::UNCACHABLE && self.mtrrs.fixed_enabled();
        let by_itself = (kind == MemoryType::WRITE_BACK).then_some(FOUR_GIB..self.top_of_memory);
        let extents = self.mtrrs.extents().filter(move |extent| extent.kind == kind);
        let ranges = extents.map(move |extent| {
            let start = if cut { extent.base.max(MIB) } else { extent.base };
            start..extent.base.saturating_add(extent.size)
        });
        ranges.chain(by_itself).filter(|range| !range.is_empty())
    }

    /// The next address behind `at` where a range begins or ends, or `end`.
    fn next_border(&self, at: u64, end: u64) -> u64 {
        let kinds = [MemoryType::WRITE_BACK, MemoryType::UNCACHABLE].into_iter();
        let ranges = kinds.flat_map(|kind| self.of_kind(kind));
        let borders = ranges.flat_map(|range| [range.start, range.end]);
        borders.filter(|&border| border > at).fold(end, u64::min)
    }
}

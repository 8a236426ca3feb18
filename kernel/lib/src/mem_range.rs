//! How a range of physical memory is mapped: which parts of it by pages of which size. Linux's `split_mem_range`.

use core::fmt;
use core::ops::Range;

/// A size of pages that the processor maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageSize {
    /// 4 KiB.
    Small,
    /// 2 MiB.
    Large,
    /// 1 GiB.
    Huge,
}

impl PageSize {
    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            PageSize::Small => 4 << 10,
            PageSize::Large => 2 << 20,
            PageSize::Huge => 1 << 30,
        }
    }

    const fn larger(self) -> Option<PageSize> {
        match self {
            PageSize::Small => Some(PageSize::Large),
            PageSize::Large => Some(PageSize::Huge),
            PageSize::Huge => None,
        }
    }
}

impl fmt::Display for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PageSize::Small => "4k",
            PageSize::Large => "2M",
            PageSize::Huge => "1G",
        })
    }
}

/// The parts of a range, in order, each with the size of its pages; iterator of [`split_mem_range`].
#[derive(Debug, Clone)]
pub struct Parts {
    rest: Range<u64>,
    largest: PageSize,
}

/// Splits a range of whole small pages into parts that pages of one size map. Each part has the largest pages, up to `largest`, that lie wholly within the range where it is.
#[must_use]
pub fn split_mem_range(range: Range<u64>, largest: PageSize) -> Parts {
    let small = PageSize::Small.bytes();
    debug_assert!(range.start.is_multiple_of(small) && range.end.is_multiple_of(small));
    Parts { rest: range, largest }
}

impl Parts {
    /// The first page of this size that lies wholly within the rest.
    fn first(&self, size: PageSize) -> Option<u64> {
        let start = self.rest.start.checked_next_multiple_of(size.bytes())?;
        (size <= self.largest && start.checked_add(size.bytes())? <= self.rest.end).then_some(start)
    }
}

impl Iterator for Parts {
    type Item = (Range<u64>, PageSize);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.rest.start;
        let here = |size: &PageSize| self.first(*size) == Some(start);
        let size = [PageSize::Huge, PageSize::Large, PageSize::Small].into_iter().find(here)?;
        let larger = size.larger().and_then(|larger| self.first(larger));
        let end = larger.unwrap_or(self.rest.end / size.bytes() * size.bytes());
        self.rest.start = end;
        Some((start..end, size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;

    fn parts(range: Range<u64>, largest: PageSize) -> Vec<(Range<u64>, PageSize)> {
        split_mem_range(range, largest).collect()
    }

    #[test]
    fn ends_that_are_not_aligned_have_smaller_pages() {
        use PageSize::{Huge, Large, Small};
        let range = GIB - 2 * MIB - 4 * KIB..3 * GIB + 4 * MIB + 8 * KIB;
        assert_eq!(
            parts(range.clone(), Huge),
            [
                (GIB - 2 * MIB - 4 * KIB..GIB - 2 * MIB, Small),
                (GIB - 2 * MIB..GIB, Large),
                (GIB..3 * GIB, Huge),
                (3 * GIB..3 * GIB + 4 * MIB, Large),
                (3 * GIB + 4 * MIB..3 * GIB + 4 * MIB + 8 * KIB, Small),
            ]
        );
        assert_eq!(
            parts(range.clone(), Large),
            [
                (GIB - 2 * MIB - 4 * KIB..GIB - 2 * MIB, Small),
                (GIB - 2 * MIB..3 * GIB + 4 * MIB, Large),
                (3 * GIB + 4 * MIB..3 * GIB + 4 * MIB + 8 * KIB, Small),
            ]
        );
        assert_eq!(parts(range.clone(), Small), [(range, Small)]);
    }

    #[test]
    fn what_no_large_page_fits_into_is_one_part_or_none() {
        assert_eq!(parts(MIB..3 * MIB, PageSize::Huge), [(MIB..3 * MIB, PageSize::Small)]);
        assert_eq!(parts(MIB..MIB, PageSize::Huge), []);
        let end = u64::MAX - 4 * KIB + 1;
        assert_eq!(parts(end - 4 * KIB..end, PageSize::Huge), [(end - 4 * KIB..end, PageSize::Small)]);
    }

    proptest! {
        #[test]
        fn parts_are_whole_pages_one_after_the_other_and_the_largest_that_fit(
            start in 0..2_000_000_u64, pages in 0..2_000_000_u64,
            largest in prop_oneof![Just(PageSize::Small), Just(PageSize::Large), Just(PageSize::Huge)],
        ) {
            let range = start * 4 * KIB..(start + pages) * 4 * KIB;
            let mut at = range.start;
            let mut before = vec![];
            for (part, size) in split_mem_range(range.clone(), largest) {
                prop_assert_eq!(part.start, at);
                prop_assert!(part.start < part.end && size <= largest);
                prop_assert!(part.start.is_multiple_of(size.bytes()) && part.end.is_multiple_of(size.bytes()));
                if let Some(larger) = size.larger().filter(|larger| *larger <= largest) {
                    let first = part.start.next_multiple_of(larger.bytes());
                    prop_assert!(first + larger.bytes() > part.end.min(range.end), "a larger page fits into {:x?}", part);
                }
                prop_assert!(before.last() != Some(&size), "two parts of one size");
                before.push(size);
                at = part.end;
            }
            prop_assert_eq!(at, range.end);
            prop_assert!(before.len() <= 5);
        }
    }
}

//! Free ranges, and taking from them.

use super::{Memblock, MemblockError, Region, RegionFlags};
use core::ops::Range;

/// Memory that is not reserved, by address; iterator of [`Memblock::free_ranges`].
#[derive(Clone, Debug)]
pub struct FreeRanges<'a> {
    memory: &'a [Region],
    reserved: &'a [Region],
    /// Everything below has been dealt with.
    from: u64,
    /// Only memory of this node, if one is named.
    nid: Option<usize>,
    /// Nothing that has one of these flags.
    without: RegionFlags,
}

impl Iterator for FreeRanges<'_> {
    type Item = Range<u64>;

    fn next(&mut self) -> Option<Range<u64>> {
        while let [region, rest @ ..] = self.memory {
            let start = self.from.max(region.base);
            let elsewhere = self.nid.is_some() && region.nid() != self.nid;
            if start >= region.end() || elsewhere || region.flags & self.without != RegionFlags::NONE {
                self.memory = rest;
                continue;
            }
            match self.reserved {
                [taken, rest @ ..] if taken.end() <= start => self.reserved = rest,
                [taken, ..] if taken.base <= start => self.from = taken.end(),
                reserved => {
                    let end = reserved.first().map_or(region.end(), |taken| taken.base);
                    self.from = end.min(region.end());
                    return Some(start..self.from);
                }
            }
        }
        None
    }
}

impl<const N: usize> Memblock<N> {
    /// The first page is never allocated, so that no allocation has address 0.
    const FIRST: u64 = 0x1000;

    /// Memory that may be mapped and is not reserved, by address (`for_each_free_mem_range`).
    pub fn free_ranges(&self) -> FreeRanges<'_> {
        self.free_ranges_of(None)
    }

    /// The same, but only of node `nid` if one is named.
    pub fn free_ranges_of(&self, nid: Option<usize>) -> FreeRanges<'_> {
        FreeRanges {
            memory: self.memory.as_slice(),
            reserved: self.reserved.as_slice(),
            from: 0,
            nid,
            without: RegionFlags::NOMAP,
        }
    }

    /// The same of all nodes, from an address on: the first range begins there if that is free.
    pub fn free_ranges_from(&self, from: u64) -> FreeRanges<'_> {
        FreeRanges {
            memory: &self.memory.as_slice()[self.memory.first_ending_after(from)..],
            reserved: &self.reserved.as_slice()[self.reserved.first_ending_after(from)..],
            from,
            ..self.free_ranges()
        }
    }

    /// Finds `size` free bytes aligned to `align` within `start..end` and below the current limit:
    /// the highest such place, or the lowest when allocation goes
    /// [upwards](Self::set_bottom_up) (`memblock_find_in_range`). Nothing is reserved.
    ///
    /// # Errors
    ///
    /// [`MemblockError::NoMemory`] or [`MemblockError::BadRequest`].
    pub fn find_in_range(&self, size: u64, align: u64, start: u64, end: u64) -> Result<u64, MemblockError> {
        self.find_in_range_of(size, align, start, end, None)
    }

    /// The same, but only in memory of node `nid` if one is named (`memblock_find_in_range_node`).
    ///
    /// # Errors
    ///
    /// As [`find_in_range`](Self::find_in_range).
    pub fn find_in_range_of(&self, size: u64, align: u64, start: u64, end: u64, nid: Option<usize>) -> Result<u64, MemblockError> {
        if size == 0 || !align.is_power_of_two() {
            return Err(MemblockError::BadRequest { size, align });
        }
        let (start, end) = (start.max(Self::FIRST), end.min(self.current_limit));
        let place = match self.bottom_up {
            None => self.places(size, align, start, end, nid).last().map(|(_, highest)| highest),
            Some(from) => {
                let mut above = self.places(size, align, start.max(from), end, nid);
                let mut anywhere = self.places(size, align, start, end, nid);
                above.next().or_else(|| anywhere.next()).map(|(lowest, _)| lowest)
            }
        };
        place.ok_or(MemblockError::NoMemory { size, align })
    }

    /// The lowest and the highest place for an allocation in each free range that has one.
    fn places(&self, size: u64, align: u64, start: u64, end: u64, nid: Option<usize>) -> impl Iterator<Item = (u64, u64)> {
        let mut ranges = self.free_ranges_of(nid);
        if self.spare_hotplug {
            ranges.without = ranges.without | RegionFlags::HOTPLUG;
        }
        ranges.filter_map(move |range| {
            let (start, end) = (range.start.max(start), range.end.min(end));
            let last = end.checked_sub(size)? & !(align - 1);
            let first = start.checked_next_multiple_of(align)?;
            (first <= last).then_some((first, last))
        })
    }

    /// Allocates as [`find_in_range`](Self::find_in_range) finds: the place is reserved.
    ///
    /// # Errors
    ///
    /// Those of [`find_in_range`](Self::find_in_range), and [`MemblockError::Full`].
    pub fn alloc_range(&mut self, size: u64, align: u64, start: u64, end: u64) -> Result<u64, MemblockError> {
        let place = self.find_in_range(size, align, start, end)?;
        self.reserve(place, size)?;
        Ok(place)
    }

    /// Allocates anywhere below the current limit (`memblock_phys_alloc`).
    ///
    /// # Errors
    ///
    /// As [`alloc_range`](Self::alloc_range).
    pub fn alloc(&mut self, size: u64, align: u64) -> Result<u64, MemblockError> {
        self.alloc_range(size, align, 0, u64::MAX)
    }

    /// Allocates memory of node `nid`, or of any if that has none left (`memblock_alloc_try_nid`).
    ///
    /// # Errors
    ///
    /// As [`alloc_range`](Self::alloc_range).
    pub fn alloc_node(&mut self, size: u64, align: u64, nid: usize) -> Result<u64, MemblockError> {
        let place = match self.find_in_range_of(size, align, 0, u64::MAX, Some(nid)) {
            Err(MemblockError::NoMemory { .. }) => self.find_in_range(size, align, 0, u64::MAX)?,
            found => found?,
        };
        self.reserve(place, size)?;
        Ok(place)
    }
}

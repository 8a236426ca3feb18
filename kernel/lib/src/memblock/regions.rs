//! A sorted list of ranges that do not overlap.
//!
//! Neighbours that touch and have the same flags are always one region.

use super::MemblockError;
use core::ops::{BitAnd, BitOr, Not};

/// What is special about a region, as Linux numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegionFlags(pub u32);

impl RegionFlags {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// May be unplugged.
    pub const HOTPLUG: Self = Self(1);
    /// Mirrored memory.
    pub const MIRROR: Self = Self(2);
    /// Not to be put into the direct map, nor allocated.
    pub const NOMAP: Self = Self(4);
    /// Memory that a driver manages.
    pub const DRIVER_MANAGED: Self = Self(8);

    /// Whether all of these flags are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for RegionFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for RegionFlags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for RegionFlags {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// One range; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its first address.
    pub base: u64,
    /// Its size in bytes.
    pub size: u64,
    /// What is special about it.
    pub flags: RegionFlags,
}

impl Region {
    const EMPTY: Self = Self {
        base: 0,
        size: 0,
        flags: RegionFlags::NONE,
    };

    const fn new(base: u64, end: u64, flags: RegionFlags) -> Self {
        Self {
            base,
            size: end - base,
            flags,
        }
    }

    /// The first address past it.
    pub const fn end(&self) -> u64 {
        self.base + self.size
    }
}

/// The list; room for `N` regions.
#[derive(Clone, Debug)]
pub struct Regions<const N: usize> {
    name: &'static str,
    regions: [Region; N],
    len: usize,
}

impl<const N: usize> Regions<N> {
    pub(super) const fn new(name: &'static str) -> Self {
        Self {
            name,
            regions: [Region::EMPTY; N],
            len: 0,
        }
    }

    /// `memory` or `reserved`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The regions, by address.
    pub fn as_slice(&self) -> &[Region] {
        &self.regions[..self.len]
    }

    /// The regions, by address.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Region> + '_ {
        self.as_slice().iter().copied()
    }

    /// How many regions there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes in all regions together.
    pub fn total_size(&self) -> u64 {
        self.iter().map(|region| region.size).sum()
    }

    /// The region that `addr` lies in.
    pub fn find(&self, addr: u64) -> Option<Region> {
        let at = self.first_ending_after(addr);
        self.as_slice().get(at).copied().filter(|region| region.base <= addr)
    }

    /// Whether all of the range lies in one region. (Regions that touch differ in flags; as in
    /// Linux, a range across two of them counts as not covered.)
    pub fn covers(&self, base: u64, size: u64) -> bool {
        let end = base.saturating_add(size);
        self.find(base).is_some_and(|region| end <= region.end())
    }

    /// Whether any of the range lies in a region.
    pub fn overlaps(&self, base: u64, size: u64) -> bool {
        let end = base.saturating_add(size);
        let first = self.as_slice().get(self.first_ending_after(base));
        base < end && first.is_some_and(|region| region.base < end)
    }

    /// Index of the first region that ends after `addr`.
    fn first_ending_after(&self, addr: u64) -> usize {
        self.as_slice().partition_point(|region| region.end() <= addr)
    }

    /// The holes of `base..end` between the regions, each with the index at which a region filling
    /// it would stand.
    fn holes(&self, base: u64, end: u64) -> impl Iterator<Item = (usize, u64, u64)> + '_ {
        let first = self.first_ending_after(base);
        let mut start = base;
        (first..=self.len)
            .map_while(move |at| {
                let next = self.as_slice().get(at).copied();
                let hole = (at, start, next.map_or(end, |next| next.base.min(end)));
                let open = start < end;
                start = next.map_or(end, |next| next.end());
                open.then_some(hole)
            })
            .filter(|(_, start, end)| start < end)
    }

    fn first_hole(&self, base: u64, end: u64) -> Option<(usize, u64, u64)> {
        self.holes(base, end).next()
    }

    /// Whether a region from `start` to `end` with these flags, put at index `at`, becomes one with
    /// the region before it, and with the one after it.
    fn joins(&self, at: usize, start: u64, end: u64, flags: RegionFlags) -> (bool, bool) {
        let before = at.checked_sub(1).map(|at| self.regions[at]);
        let after = self.as_slice().get(at);
        (
            before.is_some_and(|before| before.end() == start && before.flags == flags),
            after.is_some_and(|after| after.base == end && after.flags == flags),
        )
    }

    /// Adds what of the range is not there yet.
    pub(super) fn add(&mut self, base: u64, size: u64, flags: RegionFlags) -> Result<(), MemblockError> {
        let end = base.saturating_add(size);
        let mut len = self.len;
        for (at, start, end) in self.holes(base, end) {
            let (before, after) = self.joins(at, start, end, flags);
            len = len + 1 - usize::from(before) - usize::from(after);
            if len > N {
                return Err(MemblockError::Full(self.name));
            }
        }
        // Filling one hole moves what follows it, so the next one is looked for anew.
        let mut from = base;
        while let Some((at, start, hole_end)) = self.first_hole(from, end) {
            self.fill(at, start, hole_end, flags);
            from = hole_end;
        }
        Ok(())
    }

    fn fill(&mut self, at: usize, start: u64, end: u64, flags: RegionFlags) {
        match self.joins(at, start, end, flags) {
            (false, false) => self.insert(at, Region::new(start, end, flags)),
            (true, false) => self.regions[at - 1].size += end - start,
            (false, true) => {
                let after = &mut self.regions[at];
                *after = Region::new(start, after.end(), flags);
            }
            (true, true) => {
                self.regions[at - 1] = Region::new(self.regions[at - 1].base, self.regions[at].end(), flags);
                self.delete(at);
            }
        }
    }

    /// Puts a region in at `at`; there must be room.
    fn insert(&mut self, at: usize, region: Region) {
        self.regions.copy_within(at..self.len, at + 1);
        self.regions[at] = region;
        self.len += 1;
    }

    fn delete(&mut self, at: usize) {
        self.regions.copy_within(at + 1..self.len, at);
        self.len -= 1;
    }

    /// Whether `addr` lies inside a region, so that a boundary there would split it.
    fn splits(&self, addr: u64) -> bool {
        self.find(addr).is_some_and(|region| region.base < addr)
    }

    /// Splits the region that `addr` lies inside; there must be room.
    fn split(&mut self, addr: u64) {
        if self.splits(addr) {
            let at = self.first_ending_after(addr);
            let whole = self.regions[at];
            self.regions[at] = Region::new(whole.base, addr, whole.flags);
            self.insert(at + 1, Region::new(addr, whole.end(), whole.flags));
        }
    }

    /// Takes the range out.
    pub(super) fn remove(&mut self, base: u64, size: u64) -> Result<(), MemblockError> {
        let end = base.saturating_add(size);
        if base == end {
            return Ok(());
        }
        // Only a hole inside one region makes one more of them.
        if self.splits(base) && self.find(base) == self.find(end) {
            if self.len == N {
                return Err(MemblockError::Full(self.name));
            }
            self.split(base);
        }
        let mut at = self.first_ending_after(base);
        while let Some(region) = self.as_slice().get(at).copied() {
            if region.base >= end {
                break;
            }
            if region.base < base {
                self.regions[at] = Region::new(region.base, base, region.flags);
                at += 1;
            } else if region.end() > end {
                self.regions[at] = Region::new(end, region.end(), region.flags);
                break;
            } else {
                self.delete(at);
            }
        }
        Ok(())
    }

    /// Sets or clears flags on what of the range is there.
    pub(super) fn mark(&mut self, base: u64, size: u64, flags: RegionFlags, set: bool) -> Result<(), MemblockError> {
        let end = base.saturating_add(size);
        if base == end {
            return Ok(());
        }
        if self.len + usize::from(self.splits(base)) + usize::from(self.splits(end)) > N {
            return Err(MemblockError::Full(self.name));
        }
        self.split(base);
        self.split(end);
        let regions = &mut self.regions[..self.len];
        for region in regions.iter_mut().filter(|region| base <= region.base && region.base < end) {
            region.flags = if set { region.flags | flags } else { region.flags & !flags };
        }
        self.merge();
        Ok(())
    }

    /// Makes neighbours that touch and have the same flags one region.
    fn merge(&mut self) {
        let mut kept = 0;
        for at in 0..self.len {
            let region = self.regions[at];
            match self.regions[..kept].last_mut() {
                Some(last) if last.end() == region.base && last.flags == region.flags => {
                    last.size += region.size;
                }
                _ => {
                    self.regions[kept] = region;
                    kept += 1;
                }
            }
        }
        self.len = kept;
    }

    /// Takes out everything from `end` on.
    pub(super) fn truncate(&mut self, end: u64) {
        self.len = self.as_slice().partition_point(|region| region.base < end);
        if let Some(last) = self.regions[..self.len].last_mut() {
            *last = Region::new(last.base, last.end().min(end), last.flags);
        }
    }
}

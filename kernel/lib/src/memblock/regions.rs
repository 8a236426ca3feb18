//! A sorted list of ranges that do not overlap.
//!
//! Neighbours that touch, have the same flags and are of the same node are always one region.

use super::{List, MemblockError};
use core::num::NonZero;
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
    /// One more than the number of its node, so that a list that nobody has filled is all zeros.
    node: Option<NonZero<u32>>,
}

impl Region {
    /// What a list has in places that are not in use; all zeros.
    pub const EMPTY: Self = Self {
        base: 0,
        size: 0,
        flags: RegionFlags::NONE,
        node: None,
    };

    const fn new(base: u64, end: u64, flags: RegionFlags) -> Self {
        Self {
            base,
            size: end - base,
            flags,
            node: None,
        }
    }

    /// The same but for its bounds.
    const fn resized(self, base: u64, end: u64) -> Self {
        Self {
            base,
            size: end - base,
            ..self
        }
    }

    /// The node that it belongs to; `None` as long as nobody has said so.
    pub fn nid(&self) -> Option<usize> {
        self.node.map(|node| node.get() as usize - 1)
    }

    /// Whether it and `other` would be one region if they touched.
    fn is_like(&self, other: &Self) -> bool {
        self.flags == other.flags && self.node == other.node
    }

    /// The first address past it.
    pub const fn end(&self) -> u64 {
        self.base + self.size
    }
}

/// The list; room for `N` regions, or for more since it was moved.
#[derive(Debug)]
pub struct Regions<const N: usize> {
    list: List,
    first: [Region; N],
    larger: Option<&'static mut [Region]>,
    len: usize,
}

impl<const N: usize> Regions<N> {
    pub(super) const fn new(list: List) -> Self {
        Self {
            list,
            first: [Region::EMPTY; N],
            larger: None,
            len: 0,
        }
    }

    /// Which of the two it is.
    pub fn list(&self) -> List {
        self.list
    }

    /// All places, in use or not.
    fn places(&self) -> &[Region] {
        self.larger.as_deref().unwrap_or(&self.first)
    }

    /// All places, in use or not.
    fn places_mut(&mut self) -> &mut [Region] {
        self.larger.as_deref_mut().unwrap_or(&mut self.first)
    }

    /// How many regions there is room for.
    pub fn capacity(&self) -> usize {
        self.places().len()
    }

    /// Moves the list into an array that is larger, and returns the one that it was in, unless that is its own first one.
    pub(super) fn move_to(&mut self, array: &'static mut [Region]) -> Option<&'static mut [Region]> {
        array[..self.len].copy_from_slice(self.as_slice());
        self.larger.replace(array)
    }

    /// The regions, by address.
    pub fn as_slice(&self) -> &[Region] {
        &self.places()[..self.len]
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
    pub(super) fn first_ending_after(&self, addr: u64) -> usize {
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

    /// Whether `new`, put at index `at`, becomes one with the region before it, and with the one
    /// after it.
    fn joins(&self, at: usize, new: &Region) -> (bool, bool) {
        let before = at.checked_sub(1).map(|at| self.as_slice()[at]);
        let after = self.as_slice().get(at);
        (
            before.is_some_and(|before| before.end() == new.base && before.is_like(new)),
            after.is_some_and(|after| after.base == new.end() && after.is_like(new)),
        )
    }

    /// Adds what of the range is not there yet.
    pub(super) fn add(&mut self, base: u64, size: u64, flags: RegionFlags) -> Result<(), MemblockError> {
        let end = base.saturating_add(size);
        let mut len = self.len;
        for (at, start, end) in self.holes(base, end) {
            let (before, after) = self.joins(at, &Region::new(start, end, flags));
            len = len + 1 - usize::from(before) - usize::from(after);
            if len > self.capacity() {
                return Err(MemblockError::Full(self.list));
            }
        }
        // Filling one hole moves what follows it, so the next one is looked for anew.
        let mut from = base;
        while let Some((at, start, hole_end)) = self.first_hole(from, end) {
            self.fill(at, Region::new(start, hole_end, flags));
            from = hole_end;
        }
        Ok(())
    }

    fn fill(&mut self, at: usize, new: Region) {
        match self.joins(at, &new) {
            (false, false) => self.insert(at, new),
            (true, false) => self.places_mut()[at - 1].size += new.size,
            (false, true) => {
                let after = &mut self.places_mut()[at];
                *after = new.resized(new.base, after.end());
            }
            (true, true) => {
                let places = self.places_mut();
                places[at - 1] = new.resized(places[at - 1].base, places[at].end());
                self.delete(at);
            }
        }
    }

    /// Puts a region in at `at`; there must be room.
    fn insert(&mut self, at: usize, region: Region) {
        let len = self.len;
        let places = self.places_mut();
        places.copy_within(at..len, at + 1);
        places[at] = region;
        self.len += 1;
    }

    fn delete(&mut self, at: usize) {
        let len = self.len;
        self.places_mut().copy_within(at + 1..len, at);
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
            let whole = self.as_slice()[at];
            self.places_mut()[at] = whole.resized(whole.base, addr);
            self.insert(at + 1, whole.resized(addr, whole.end()));
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
            if self.len == self.capacity() {
                return Err(MemblockError::Full(self.list));
            }
            self.split(base);
        }
        let mut at = self.first_ending_after(base);
        while let Some(region) = self.as_slice().get(at).copied() {
            if region.base >= end {
                break;
            }
            if region.base < base {
                self.places_mut()[at] = region.resized(region.base, base);
                at += 1;
            } else if region.end() > end {
                self.places_mut()[at] = region.resized(end, region.end());
                break;
            } else {
                self.delete(at);
            }
        }
        Ok(())
    }

    /// Sets or clears flags on what of the range is there.
    pub(super) fn mark(&mut self, base: u64, size: u64, flags: RegionFlags, set: bool) -> Result<(), MemblockError> {
        self.change(base, size, |region| {
            region.flags = if set { region.flags | flags } else { region.flags & !flags };
        })
    }

    /// Says which node what of the range is there belongs to.
    pub(super) fn set_node(&mut self, base: u64, size: u64, nid: usize) -> Result<(), MemblockError> {
        let node = u32::try_from(nid).ok().and_then(|nid| NonZero::new(nid.wrapping_add(1)));
        self.change(base, size, |region| region.node = node)
    }

    /// Changes what of the range is there.
    fn change(&mut self, base: u64, size: u64, change: impl Fn(&mut Region)) -> Result<(), MemblockError> {
        let end = base.saturating_add(size);
        if base == end {
            return Ok(());
        }
        if self.len + usize::from(self.splits(base)) + usize::from(self.splits(end)) > self.capacity() {
            return Err(MemblockError::Full(self.list));
        }
        self.split(base);
        self.split(end);
        let len = self.len;
        let regions = self.places_mut()[..len].iter_mut();
        regions.filter(|region| base <= region.base && region.base < end).for_each(change);
        self.merge();
        Ok(())
    }

    /// Makes neighbours that touch and are alike one region.
    fn merge(&mut self) {
        let len = self.len;
        let places = self.places_mut();
        let mut kept = 0;
        for at in 0..len {
            let region = places[at];
            match places[..kept].last_mut() {
                Some(last) if last.end() == region.base && last.is_like(&region) => {
                    last.size += region.size;
                }
                _ => {
                    places[kept] = region;
                    kept += 1;
                }
            }
        }
        self.len = kept;
    }

    /// Takes out everything from `end` on.
    pub(super) fn truncate(&mut self, end: u64) {
        self.len = self.as_slice().partition_point(|region| region.base < end);
        let len = self.len;
        if let Some(last) = self.places_mut()[..len].last_mut() {
            *last = last.resized(last.base, last.end().min(end));
        }
    }
}

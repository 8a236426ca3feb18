//! Numbers that stand for something: Linux's `idr`.
//!
//! The lowest free number of a range is handed out, or the next one behind the last, and leads to what was stored under it. The numbers live in an [`XArray`]
//! that knows its free indices; what it says about readers without a lock counts here, too.

use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::errno::Errno;
use crate::xarray::{Entry, Found, NoMemory, Nodes, XArray};

/// Numbers, and what they stand for.
#[derive(Debug)]
pub struct Idr {
    array: XArray,
    /// Where the next cyclic allocation begins to look.
    next: AtomicU32,
}

impl From<NoMemory> for Errno {
    fn from(_: NoMemory) -> Self {
        Errno::ENOMEM
    }
}

impl Idr {
    /// Nothing has a number.
    #[must_use]
    pub const fn new() -> Idr {
        Idr {
            array: XArray::tracking_free(),
            next: AtomicU32::new(0),
        }
    }

    /// Stores `entry` under the lowest free number of `range`: Linux's `idr_alloc`.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if no number is free, `ENOMEM` without memory for a node; nothing has changed then.
    #[inline]
    pub fn alloc<N: Nodes>(&self, nodes: &N, range: RangeInclusive<u32>, entry: Entry) -> Result<u32, Errno> {
        let (start, end) = (*range.start() as usize, *range.end() as usize);
        let index = self.array.find_free(nodes, start, end).ok_or(Errno::ENOSPC)?;
        self.array.put_anywhere(nodes, index, entry.word())?;
        Ok(index as u32)
    }

    /// Stores `entry` under the first free number of `range` behind the last that this gave, from the start again if there is none: Linux's `idr_alloc_cyclic`.
    ///
    /// # Errors
    ///
    /// As for [`Idr::alloc`].
    pub fn alloc_cyclic<N: Nodes>(&self, nodes: &N, range: RangeInclusive<u32>, entry: Entry) -> Result<u32, Errno> {
        let next = self.next.load(Relaxed).max(*range.start());
        let id = match self.alloc(nodes, next..=*range.end(), entry) {
            Err(Errno::ENOSPC) if next > *range.start() => self.alloc(nodes, *range.start()..=next - 1, entry),
            other => other,
        }?;
        self.next.store(id.wrapping_add(1), Relaxed);
        Ok(id)
    }

    /// What `id` stands for: Linux's `idr_find`.
    #[inline]
    pub fn find<N: Nodes>(&self, nodes: &N, id: u32) -> Option<Entry> {
        self.array.load(nodes, id as usize)
    }

    /// Lets `id` stand for something else, and returns what it stood for.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it stood for nothing.
    pub fn replace<N: Nodes>(&self, nodes: &N, id: u32, entry: Entry) -> Result<Entry, Errno> {
        self.find(nodes, id).ok_or(Errno::ENOENT)?;
        self.array.store(nodes, id as usize, entry)?.ok_or(Errno::ENOENT)
    }

    /// Makes `id` free, and returns what it stood for: Linux's `idr_remove`.
    #[inline]
    pub fn remove<N: Nodes>(&self, nodes: &N, id: u32) -> Option<Entry> {
        self.array.remove_anywhere(nodes, id as usize)
    }

    /// The lowest number from `id` on that stands for something: Linux's `idr_get_next`.
    pub fn next<N: Nodes>(&self, nodes: &N, id: u32) -> Option<(u32, Entry)> {
        let Found { index, entry, .. } = self.array.find(nodes, id as usize, u32::MAX as usize)?;
        Some((index as u32, entry))
    }

    /// All numbers that stand for something, in order, with what they stand for.
    pub fn iter<'a, N: Nodes>(&'a self, nodes: &'a N) -> impl Iterator<Item = (u32, Entry)> {
        let all = self.array.iter(nodes, 0, u32::MAX as usize, None);
        all.map(|found| (found.index as u32, found.entry))
    }

    /// Whether no number stands for anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.array.is_empty()
    }

    /// Makes all numbers free: Linux's `idr_destroy`.
    pub fn clear<N: Nodes>(&self, nodes: &N) {
        self.array.clear(nodes);
    }
}

impl Default for Idr {
    fn default() -> Self {
        Idr::new()
    }
}

#[cfg(test)]
mod tests;

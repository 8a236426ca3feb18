//! A list of pages, linked by page frame number through the pages themselves.

use core::sync::atomic::Ordering::Relaxed;

use crate::page::MemMap;

/// No page: what stands behind the last one and before the first.
const NONE: u64 = u64::MAX;

/// A list of pages. Its owner owns the links of the pages on it.
#[derive(Debug, Clone, Copy)]
pub struct PageList {
    first: u64,
    last: u64,
    len: u64,
}

impl PageList {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: NONE,
            last: NONE,
            len: 0,
        }
    }

    /// How many pages are on it.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether none is.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// The first page frame.
    #[inline]
    #[must_use]
    pub const fn first(&self) -> Option<u64> {
        if self.first == NONE { None } else { Some(self.first) }
    }

    /// Puts a page that is on no list in front.
    #[inline(always)]
    pub fn push_head(&mut self, map: impl MemMap, pfn: u64) {
        let page = map.page(pfn);
        page.next.store(self.first, Relaxed);
        page.prev.store(NONE, Relaxed);
        if self.first == NONE {
            self.last = pfn;
        } else {
            map.page(self.first).prev.store(pfn, Relaxed);
        }
        self.first = pfn;
        self.len += 1;
    }

    /// Puts a page that is on no list at the end.
    #[inline]
    pub fn push_tail(&mut self, map: impl MemMap, pfn: u64) {
        let page = map.page(pfn);
        page.next.store(NONE, Relaxed);
        page.prev.store(self.last, Relaxed);
        if self.last == NONE {
            self.first = pfn;
        } else {
            map.page(self.last).next.store(pfn, Relaxed);
        }
        self.last = pfn;
        self.len += 1;
    }

    /// Takes the first page away.
    #[inline(always)]
    pub fn pop_head(&mut self, map: impl MemMap) -> Option<u64> {
        let pfn = self.first()?;
        let next = map.page(pfn).next.load(Relaxed);
        if next == NONE {
            self.last = NONE;
        } else {
            map.page(next).prev.store(NONE, Relaxed);
        }
        self.first = next;
        self.len -= 1;
        Some(pfn)
    }

    /// Takes up to `count` pages away from the front, calls `each` with one after the other, and says how many it were.
    #[inline]
    pub fn pop_heads(&mut self, map: impl MemMap, count: u64, mut each: impl FnMut(u64)) -> u64 {
        let count = count.min(self.len);
        let mut first = self.first;
        for _ in 0..count {
            let pfn = first;
            first = map.page(pfn).next.load(Relaxed);
            each(pfn);
        }
        if first == NONE {
            self.last = NONE;
        } else {
            map.page(first).prev.store(NONE, Relaxed);
        }
        self.first = first;
        self.len -= count;
        count
    }

    /// Takes the last page away.
    #[inline]
    pub fn pop_tail(&mut self, map: impl MemMap) -> Option<u64> {
        let pfn = self.last;
        if pfn == NONE {
            return None;
        }
        self.remove(map, pfn);
        Some(pfn)
    }

    /// Takes a page that is on this list away.
    #[inline]
    pub fn remove(&mut self, map: impl MemMap, pfn: u64) {
        let page = map.page(pfn);
        let (next, prev) = (page.next.load(Relaxed), page.prev.load(Relaxed));
        if prev == NONE {
            self.first = next;
        } else {
            map.page(prev).next.store(next, Relaxed);
        }
        if next == NONE {
            self.last = prev;
        } else {
            map.page(next).prev.store(prev, Relaxed);
        }
        self.len -= 1;
    }

    /// The page frames on it, from the first on. The list must not change meanwhile.
    pub fn iter<M: MemMap>(&self, map: M) -> impl Iterator<Item = u64> + use<M> {
        core::iter::successors(self.first(), move |pfn| {
            Some(map.page(*pfn).next.load(Relaxed)).filter(|next| *next != NONE)
        })
    }
}

impl Default for PageList {
    fn default() -> Self {
        Self::new()
    }
}

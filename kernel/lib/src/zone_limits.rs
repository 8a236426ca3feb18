//! Which page frames a zone of a node spans, and how many of them are memory.
//!
//! A zone is memory that a kind of request may have: devices of old reach 16 MiB, others 4 GiB, and what of a node is kept for pages that can be moved lies at its end.
//! Frames are numbers here; the zones themselves, with their lists, are the page allocator's.

mod movable;

pub use movable::{Amount, Starts};

use core::ops::Range;

use crate::zone::ZoneType;

/// Where memory below 16 MiB ends (Linux's `MAX_DMA_PFN`).
pub const MAX_DMA_PFN: u64 = 16 << (20 - 12);
/// Where memory below 4 GiB ends (Linux's `MAX_DMA32_PFN`).
pub const MAX_DMA32_PFN: u64 = 1 << (32 - 12);

/// A run of memory and the node that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRange {
    /// Page frames.
    pub pfns: Range<u64>,
    /// Their node.
    pub nid: usize,
}

/// What a zone of a node spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneExtent {
    /// From the first frame of memory to the one behind the last; empty if the zone has none.
    pub spanned: Range<u64>,
    /// How many of the frames are memory: what is left are holes.
    pub present: u64,
}

impl ZoneExtent {
    /// How many frames it spans.
    #[must_use]
    pub const fn spanned_pages(&self) -> u64 {
        self.spanned.end - self.spanned.start
    }

    /// How many frames are no memory.
    #[must_use]
    pub const fn absent(&self) -> u64 {
        self.spanned_pages() - self.present
    }

    /// Its memory without what the array of its pages takes, at `size` bytes each of pages of `page_size`: Linux's `calc_memmap_size`, by which a zone with large holes has no pages for them.
    #[must_use]
    pub const fn without_memmap(&self, size: u64, page_size: u64) -> u64 {
        let sparse = self.spanned_pages() > self.present + (self.present >> 4);
        let pages = if sparse { self.present } else { self.spanned_pages() };
        self.present.saturating_sub((pages * size).div_ceil(page_size))
    }
}

/// The frames that each kind of zone may have, whatever the node (Linux's `arch_zone_lowest_possible_pfn` and its counterpart).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneLimits {
    /// The first frame of memory.
    start: u64,
    /// The frame behind the last one of each kind but `Movable`.
    ends: [u64; 3],
}

impl ZoneLimits {
    /// Limits of a machine whose memory begins at frame `start` and ends before frame `end`.
    #[must_use]
    pub fn new(start: u64, end: u64) -> Self {
        let clip = |limit: u64| limit.clamp(start, end.max(start));
        Self {
            start,
            ends: [clip(MAX_DMA_PFN), clip(MAX_DMA32_PFN), clip(end)],
        }
    }

    /// The frames of a kind; empty if this machine has none, and for [`ZoneType::Movable`], which has a place of its own on each node.
    #[must_use]
    pub fn of(&self, zone: ZoneType) -> Range<u64> {
        match zone {
            ZoneType::Dma => self.start..self.ends[0],
            ZoneType::Dma32 => self.ends[0]..self.ends[1],
            ZoneType::Normal => self.ends[1]..self.ends[2],
            ZoneType::Movable => 0..0,
        }
    }

    /// The kind that frame `pfn` of memory belongs to on a node that keeps frames from `movable` on for pages that can be moved, and the frame where that kind ends.
    #[must_use]
    pub fn zone_of(&self, pfn: u64, movable: Option<u64>) -> (ZoneType, u64) {
        let movable = movable.unwrap_or(u64::MAX);
        if pfn >= movable {
            return (ZoneType::Movable, u64::MAX);
        }
        let below = ZoneType::ALL.into_iter().zip(self.ends).find(|(_, end)| pfn < *end);
        let (zone, end) = below.unwrap_or((ZoneType::Normal, u64::MAX));
        (zone, end.min(movable))
    }

    /// What `zone` of node `nid` spans, memory being `ranges` in order. Frames from `movable` on are kept for pages that can be moved, if that is said.
    pub fn extent(&self, zone: ZoneType, nid: usize, movable: Option<u64>, ranges: impl Iterator<Item = NodeRange>) -> ZoneExtent {
        let mut extent = ZoneExtent::default();
        for range in ranges.filter(|range| range.nid == nid) {
            self.for_each_zone(&range, movable, |of, pfns| {
                if of == zone {
                    if extent.present == 0 {
                        extent.spanned.start = pfns.start;
                    }
                    extent.present += pfns.end - pfns.start;
                    extent.spanned.end = pfns.end;
                }
            });
        }
        extent
    }

    /// Cuts a run of memory where zones end.
    fn for_each_zone(&self, range: &NodeRange, movable: Option<u64>, mut visit: impl FnMut(ZoneType, Range<u64>)) {
        let mut start = range.pfns.start;
        while start < range.pfns.end {
            let (zone, end) = self.zone_of(start, movable);
            let end = end.min(range.pfns.end);
            visit(zone, start..end);
            start = end;
        }
    }

    /// Visits every frame that has a page, once and in order, in pieces of one node and one zone that are memory or a hole.
    ///
    /// `memory` is in order, `populated` are the runs of frames with pages ([`crate::sparse::populated`]), `movable` says for a node from which frame on pages must be
    /// movable. A hole belongs to the zone behind it, and the last one to that before it, as in Linux.
    pub fn for_each_piece(
        &self,
        memory: impl Iterator<Item = NodeRange>,
        populated: &[Range<u64>],
        movable: impl Fn(usize) -> Option<u64>,
        mut visit: impl FnMut(Piece),
    ) {
        let holes = |pfns: Range<u64>, nid, zone, visit: &mut dyn FnMut(Piece)| {
            let first = populated.partition_point(|run| run.end <= pfns.start);
            for run in populated[first..].iter().take_while(|run| run.start < pfns.end) {
                let pfns = run.start.max(pfns.start)..run.end.min(pfns.end);
                visit(Piece {
                    pfns,
                    nid,
                    zone,
                    present: false,
                });
            }
        };
        let mut last = None;
        let mut done = 0;
        for range in memory {
            self.for_each_zone(&range, movable(range.nid), |zone, pfns| {
                let nid = range.nid;
                if done < pfns.start {
                    holes(done..pfns.start, nid, zone, &mut visit);
                }
                done = pfns.end;
                last = Some((nid, zone));
                visit(Piece {
                    pfns,
                    nid,
                    zone,
                    present: true,
                });
            });
        }
        if let Some((nid, zone)) = last {
            holes(done..u64::MAX, nid, zone, &mut visit);
        }
    }
}

/// Frames that have pages, all of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The frames.
    pub pfns: Range<u64>,
    /// Their node.
    pub nid: usize,
    /// Their zone.
    pub zone: ZoneType,
    /// Whether they are memory.
    pub present: bool,
}

#[cfg(test)]
mod tests;

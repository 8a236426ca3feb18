//! How much memory is kept back, and from whom.
//!
//! Below its `low` mark a zone is short of memory, and from `min` on it gives pages only to who cannot wait or frees memory with them. Besides, a zone keeps some from those
//! who could have had memory of a higher zone, since there are others who cannot. The numbers are those of Linux 6.1 (`mm/page_alloc.c`).

use crate::zone::MAX_NR_ZONES;

/// Pages per KiB, as a shift.
const KIB_SHIFT: u32 = 2;

/// `min_free_kbytes` of a machine with so much memory for the kernel, in KiB: four times the square root.
#[must_use]
pub const fn min_free_kbytes(lowmem_kbytes: u64) -> u64 {
    let root = (lowmem_kbytes * 16).isqrt();
    match root {
        0..128 => 128,
        128..=262_144 => root,
        _ => 262_144,
    }
}

/// The marks of a zone, in pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watermarks {
    /// What is left for who may take from the reserves.
    pub min: u64,
    /// Where memory begins to be freed in the background.
    pub low: u64,
    /// Where that ends.
    pub high: u64,
}

/// `watermark_scale_factor` by default: a thousandth of the zone, in units of 1/10000.
pub const WATERMARK_SCALE_FACTOR: u64 = 10;

impl Watermarks {
    /// The marks of a zone of `managed` pages, on a machine that has `total` of them and keeps `min_free_kbytes` free.
    #[must_use]
    pub const fn new(managed: u64, total: u64, min_free_kbytes: u64) -> Self {
        let min = if total == 0 {
            0
        } else {
            ((min_free_kbytes >> KIB_SHIFT) as u128 * managed as u128 / total as u128) as u64
        };
        let scaled = managed / 10_000 * WATERMARK_SCALE_FACTOR + managed % 10_000 * WATERMARK_SCALE_FACTOR / 10_000;
        let step = if min / 4 > scaled { min / 4 } else { scaled };
        Self {
            min,
            low: min + step,
            high: min + 2 * step,
        }
    }
}

/// `lowmem_reserve_ratio` by default, a part of each zone.
pub const LOWMEM_RESERVE_RATIO: [u64; MAX_NR_ZONES] = [256, 256, 32, 0];

/// What the zones of a node keep from allocations that could have been met in a higher zone: `[zone][highest zone of the allocation]`, in pages.
#[must_use]
pub fn lowmem_reserve(managed: [u64; MAX_NR_ZONES], ratio: [u64; MAX_NR_ZONES]) -> [[u64; MAX_NR_ZONES]; MAX_NR_ZONES] {
    let mut reserve = [[0; MAX_NR_ZONES]; MAX_NR_ZONES];
    for (zone, row) in reserve.iter_mut().enumerate() {
        let mut above = 0;
        for highest in zone + 1..MAX_NR_ZONES {
            above += managed[highest];
            if ratio[zone] != 0 && managed[zone] != 0 {
                row[highest] = above / ratio[zone];
            }
        }
    }
    reserve
}

/// How far into the reserves an allocation may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Half of what is below the mark: `__GFP_HIGH`.
    pub high: bool,
    /// A quarter of the rest, and the blocks kept for it: it cannot wait.
    pub harder: bool,
}

impl Access {
    /// Not at all.
    pub const NONE: Self = Self {
        high: false,
        harder: false,
    };
}

/// Whether 2^`order` of `free` pages may be had, if `mark` is to stay free besides what the zone keeps from this allocation, `reserve`, and `atomic` pages in blocks kept for those who cannot
/// wait: Linux's `__zone_watermark_ok`, but for the search for a large enough block.
#[inline]
#[must_use]
pub const fn watermark_ok(free: u64, order: u32, mark: u64, reserve: u64, atomic: u64, access: Access) -> bool {
    let mut min = mark;
    if access.high {
        min -= min / 2;
    }
    let mut unusable = (1 << order) - 1;
    if access.harder {
        min -= min / 4;
    } else {
        unusable += atomic;
    }
    free.saturating_sub(unusable) > min + reserve
}

/// Pages that a CPU's set moves at once, for a zone of `managed` pages: Linux's `zone_batchsize`. 0 counts as 1.
#[must_use]
pub const fn batch_size(managed: u64) -> u32 {
    let quarter = match (managed >> 10) as u32 {
        pages @ 0..256 => pages / 4,
        _ => 64,
    };
    let batch = if quarter == 0 { 1 } else { quarter };
    let wide = batch + batch / 2;
    (1 << wide.ilog2()) - 1
}

/// Pages that a CPU's set keeps, for a zone whose `low` mark is so high and that so many CPUs take from: Linux's `zone_highsize`.
#[must_use]
pub const fn high_size(low: u64, cpus: u64, batch: u32) -> u32 {
    let share = match low.checked_div(cpus) {
        Some(share) => share,
        None => low,
    };
    let least = (batch as u64) << 2;
    (if share > least { share } else { least }) as u32
}

#[cfg(test)]
mod tests;

//! `/proc/meminfo`: all memory in a few lines, those of Linux for what there is.

use core::fmt::{self, Write};

use super::PAGE_SHIFT;
use super::page_alloc::{nr_free_pages, total_ram_pages};
use super::zone::{Mark, Zone, ZoneType, populated_zones};

/// KiB of so many pages.
pub(super) const fn kib(pages: u64) -> u64 {
    pages << (PAGE_SHIFT - 10)
}

/// Pages that no ordinary allocation gets: Linux's `totalreserve_pages`.
#[must_use]
pub fn total_reserve_pages() -> u64 {
    let kept = |zone: &Zone| {
        let above = ZoneType::ALL[zone.kind() as usize..]
            .iter()
            .map(|highest| zone.lowmem_reserve(*highest));
        let lowmem = above.max().unwrap_or(0);
        (lowmem + zone.mark(Mark::High)).min(zone.managed())
    };
    populated_zones().map(kept).sum()
}

/// Pages that can be had without freeing any: Linux's `si_mem_available`.
#[must_use]
pub fn available_pages() -> u64 {
    nr_free_pages().saturating_sub(total_reserve_pages())
}

/// Writes the text.
///
/// # Errors
///
/// Those of `out`.
pub fn meminfo(out: &mut dyn Write) -> fmt::Result {
    let lines = [
        ("MemTotal:", total_ram_pages()),
        ("MemFree:", nr_free_pages()),
        ("MemAvailable:", available_pages()),
    ];
    for (name, pages) in lines {
        writeln!(out, "{name:<15} {:>8} kB", kib(pages))?;
    }
    Ok(())
}

//! `/proc/meminfo`: all memory in a few lines, those of Linux for what there is.

use core::fmt::{self, Write};

use super::kstack::stack_bytes;
use super::page_alloc::{nr_free_pages, total_ram_pages};
use super::slab::nr_slab_pages;
use super::vmalloc::{self, VMALLOC_END, VMALLOC_START};
use super::zone::{Mark, Zone, ZoneType, populated_zones};
use super::{PAGE_OFFSET, PAGE_SHIFT};
use crate::arch::x86::mm::builder::nr_page_tables;
use crate::arch::x86::mm::leaves::leaves;
use crate::arch::x86::mm::pgtable::Level;
use crate::arch::x86::setup::max_pfn;
use crate::percpu;

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
    let [reclaimable, unreclaimable] = nr_slab_pages().map(|pages| pages as u64);
    let pages = [
        ("MemTotal:", total_ram_pages()),
        ("MemFree:", nr_free_pages()),
        ("MemAvailable:", available_pages()),
        ("Slab:", reclaimable + unreclaimable),
        ("SReclaimable:", reclaimable),
        ("SUnreclaim:", unreclaimable),
        ("KernelStack:", (stack_bytes() >> PAGE_SHIFT) as u64),
        ("PageTables:", nr_page_tables() as u64),
        ("VmallocTotal:", ((VMALLOC_END - VMALLOC_START) >> PAGE_SHIFT) as u64),
        ("VmallocUsed:", vmalloc::nr_pages() as u64),
        ("VmallocChunk:", 0),
        ("Percpu:", (percpu::bytes() >> PAGE_SHIFT) as u64),
    ];
    for (name, pages) in pages {
        writeln!(out, "{name:<15} {:>8} kB", kib(pages))?;
    }
    for (name, level) in [
        ("DirectMap4k:", Level::Pte),
        ("DirectMap2M:", Level::Pmd),
        ("DirectMap1G:", Level::Pud),
    ] {
        writeln!(out, "{name:<15} {:>8} kB", direct_map_bytes(level) >> 10)?;
    }
    Ok(())
}

/// Bytes of the direct map that pages of a size map, as far as there is memory.
fn direct_map_bytes(level: Level) -> usize {
    let end = PAGE_OFFSET + ((max_pfn() as usize) << PAGE_SHIFT);
    let mapped = leaves(PAGE_OFFSET..end).filter(|leaf| leaf.level == level && leaf.entry().is_present());
    mapped.map(|leaf| leaf.level.size()).sum()
}

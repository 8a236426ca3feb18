//! The page allocator in words: `/proc/buddyinfo`, `/proc/pagetypeinfo` and `/proc/zoneinfo`, as Linux's `mm/vmstat.c` writes them.

#[cfg(CONFIG_KDB)]
mod command;

use core::fmt::{self, Write};

use incipit_lib::buddy::{PAGEBLOCK_ORDER, PAGEBLOCK_PAGES};

use super::page_alloc::MAX_ORDER;
use super::zone::{Mark, MigrateType, Zone, ZoneType, all_zones, populated_zones};

/// Free blocks of each order, by zone.
///
/// # Errors
///
/// Those of `out`.
pub fn buddyinfo(out: &mut dyn Write) -> fmt::Result {
    for zone in populated_zones() {
        write!(out, "Node {}, zone {:>8} ", zone.node(), zone.kind())?;
        for blocks in zone.free_blocks() {
            write!(out, "{blocks:>6} ")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Free blocks of each type and order, and page blocks of each type, by zone.
///
/// # Errors
///
/// Those of `out`.
pub fn pagetypeinfo(out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "Page block order: {PAGEBLOCK_ORDER}\nPages per block:  {PAGEBLOCK_PAGES}\n")?;
    write!(out, "{:<43} ", "Free pages count per migrate type at order")?;
    for order in 0..=MAX_ORDER {
        write!(out, "{order:>6} ")?;
    }
    writeln!(out)?;
    for zone in populated_zones() {
        for kind in MigrateType::ALL {
            write!(out, "Node {:>4}, zone {:>8}, type {kind:>12} ", zone.node(), zone.kind())?;
            for blocks in zone.free_blocks_of(kind) {
                write!(out, "{blocks:>6} ")?;
            }
            writeln!(out)?;
        }
    }
    write!(out, "\n{:<23}", "Number of blocks type ")?;
    for kind in MigrateType::ALL {
        write!(out, "{kind:>12} ")?;
    }
    writeln!(out)?;
    for zone in populated_zones() {
        write!(out, "Node {}, zone {:>8} ", zone.node(), zone.kind())?;
        for blocks in zone.block_counts() {
            write!(out, "{blocks:>12} ")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// All numbers of each zone, those without memory, too.
///
/// # Errors
///
/// Those of `out`.
pub fn zoneinfo(out: &mut dyn Write) -> fmt::Result {
    all_zones().try_for_each(|zone| show_zone(zone, out))
}

fn show_zone(zone: &Zone, out: &mut dyn Write) -> fmt::Result {
    write!(out, "Node {}, zone {:>8}", zone.node(), zone.kind())?;
    let spanned = zone.spanned();
    let lines = [
        ("min     ", zone.mark(Mark::Min)),
        ("low     ", zone.mark(Mark::Low)),
        ("high    ", zone.mark(Mark::High)),
        ("spanned ", spanned.end - spanned.start),
        ("present ", zone.present()),
        ("managed ", zone.managed()),
    ];
    write!(out, "\n  pages free     {}", zone.free())?;
    for (name, pages) in lines {
        write!(out, "\n        {name} {pages}")?;
    }
    write!(out, "\n        protection: (")?;
    for (index, highest) in ZoneType::ALL.into_iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(out, "{separator}{}", zone.lowmem_reserve(highest))?;
    }
    writeln!(out, ")")?;
    if zone.present() == 0 {
        return Ok(());
    }
    writeln!(out, "      nr_free_pages {}\n  pagesets", zone.free())?;
    for (cpu, set) in zone.pagesets().enumerate() {
        let pages = set.lock();
        writeln!(
            out,
            "    cpu: {cpu}\n              count: {}\n              high:  {}\n              batch: {}",
            pages.count(),
            pages.high(),
            pages.batch()
        )?;
    }
    writeln!(out, "  start_pfn:           {}", spanned.start)
}

//! What each zone of each node spans: asked by whoever makes the zones, and said in the log.
//!
//! The rules are [`incipit_lib::zone_limits`]'s; memblock says what is memory.

#![expect(
    clippy::disallowed_types,
    reason = "lists too large for the stack, which nodes and zones cannot be made without"
)]

use alloc::boxed::Box;

use incipit_lib::memblock::RegionFlags;
use incipit_lib::zone::ZoneType;
use incipit_lib::zone_limits::{Amount, Starts};
pub use incipit_lib::zone_limits::{NodeRange, Piece, ZoneExtent, ZoneLimits};

use spin::Once;

use super::page::Page;
use super::{PAGE_SHIFT, PAGE_SIZE, memblock, numa, sparse};
use crate::locking::SpinLock;
use crate::prelude::*;

/// Memory in runs of page frames of one node, in order.
pub fn node_ranges() -> impl Iterator<Item = NodeRange> {
    node_ranges_of(RegionFlags::NONE)
}

/// The memory that has these flags.
fn node_ranges_of(flags: RegionFlags) -> impl Iterator<Item = NodeRange> {
    let memory = memblock::memory().filter(move |region| region.flags.contains(flags));
    memory.map(|region| NodeRange {
        pfns: region.base >> PAGE_SHIFT..region.end() >> PAGE_SHIFT,
        nid: region.nid().unwrap_or(0),
    })
}

/// The frames that each kind of zone may have on this machine.
#[must_use]
pub fn limits() -> ZoneLimits {
    let (start, end) = memblock::bounds();
    ZoneLimits::new(start >> PAGE_SHIFT, end >> PAGE_SHIFT)
}

/// What a zone of a node spans.
#[must_use]
pub fn zone_extent(nid: usize, zone: ZoneType) -> ZoneExtent {
    limits().extent(zone, nid, movable_start(nid), node_ranges())
}

/// Pages of memory without those that the array of pages itself takes: what tables are sized by before there is a page allocator. Linux's variable of the same name, and the "Total
/// pages" of its log.
#[must_use]
pub fn nr_kernel_pages() -> u64 {
    let zones = numa::online_nodes().flat_map(|nid| ZoneType::ALL.map(|zone| zone_extent(nid, zone)));
    zones
        .map(|extent| extent.without_memmap(size_of::<Page>() as u64, PAGE_SIZE as u64))
        .sum()
}

/// What the command line asks for.
static WANTED: SpinLock<Wanted> = SpinLock::new(Wanted {
    kernelcore: None,
    movablecore: None,
    by_node: false,
});

#[derive(Clone, Copy)]
struct Wanted {
    kernelcore: Option<Amount>,
    movablecore: Option<Amount>,
    by_node: bool,
}

/// From which frame on each node's pages must be movable, once that is known.
static MOVABLE: Once<Box<Starts>> = Once::new();

/// `kernelcore=512M` or `30%`: at least so much of memory is for pages that cannot be moved, spread evenly over the nodes; the rest is kept for those that can.
#[early_param("kernelcore")]
#[init]
fn cmdline_parse_kernelcore(value: Option<&'static str>) -> Result<(), Errno> {
    WANTED.lock().kernelcore = Some(amount(value)?);
    Ok(())
}

/// `movablecore=512M` or `30%`: so much of memory is kept for pages that can be moved, unless `kernelcore=` leaves less.
#[early_param("movablecore")]
#[init]
fn cmdline_parse_movablecore(value: Option<&'static str>) -> Result<(), Errno> {
    WANTED.lock().movablecore = Some(amount(value)?);
    Ok(())
}

/// Whether memory that can be unplugged is kept for pages that can be moved.
#[cfg(CONFIG_NUMA)]
#[init]
#[must_use]
pub fn movable_node_is_enabled() -> bool {
    WANTED.lock().by_node
}

/// `movable_node`: memory that can be unplugged is kept for pages that can be moved.
#[early_param("movable_node")]
#[init]
fn cmdline_parse_movable_node(_: Option<&'static str>) -> Result<(), Errno> {
    WANTED.lock().by_node = true;
    Ok(())
}

#[init]
fn amount(value: Option<&'static str>) -> Result<Amount, Errno> {
    value.and_then(|text| Amount::parse(text.as_bytes())).ok_or(Errno::EINVAL)
}

/// Decides which memory is kept for pages that can be moved: Linux's `find_zone_movable_pfns_for_nodes`.
#[init]
pub(super) fn find_movable() {
    let wanted = *WANTED.lock();
    let starts = match wanted {
        Wanted { by_node: true, .. } => ZoneLimits::hotplug_starts(node_ranges_of(RegionFlags::HOTPLUG), node_ranges),
        Wanted {
            kernelcore: None,
            movablecore: None,
            ..
        } => return,
        Wanted {
            kernelcore, movablecore, ..
        } => limits().movable_starts(kernelcore, movablecore, node_ranges),
    };
    MOVABLE.call_once(|| Box::new(starts));
}

/// From which frame on a node's pages must be movable; `None` if they need not.
#[must_use]
pub fn movable_start(nid: usize) -> Option<u64> {
    MOVABLE.get()?.get(nid).copied().flatten()
}

/// Visits every frame that has a page, once and in order, in pieces of one node and zone that are memory or a hole: what sets the pages up.
pub fn for_each_piece(visit: impl FnMut(Piece)) {
    limits().for_each_piece(node_ranges(), sparse::populated(), movable_start, visit);
}

/// Says where zones and nodes are, as Linux does: the lines of its `free_area_init`.
#[init]
pub(super) fn print() {
    let page = PAGE_SIZE as u64;
    let limits = limits();
    pr_info!("Zone ranges:");
    for zone in [ZoneType::Dma, ZoneType::Dma32, ZoneType::Normal] {
        let range = limits.of(zone);
        if range.is_empty() {
            pr_info!("  {:<8} empty", zone.name());
        } else {
            pr_info!(
                "  {:<8} [mem {:#018x}-{:#018x}]",
                zone.name(),
                range.start * page,
                range.end * page - 1
            );
        }
    }
    pr_info!("Movable zone start for each node");
    for nid in numa::online_nodes() {
        if let Some(start) = movable_start(nid) {
            pr_info!("  Node {nid}: {:#018x}", start * page);
        }
    }
    pr_info!("Early memory node ranges");
    for NodeRange { pfns, nid } in node_ranges() {
        pr_info!("  node {nid:3}: [mem {:#018x}-{:#018x}]", pfns.start * page, pfns.end * page - 1);
    }
    for nid in numa::online_nodes() {
        let own = || node_ranges().filter(|range| range.nid == nid);
        match (own().next(), own().last()) {
            (Some(first), Some(last)) => pr_info!(
                "Initmem setup node {nid} [mem {:#018x}-{:#018x}]",
                first.pfns.start * page,
                last.pfns.end * page - 1
            ),
            _ => pr_info!("Initmem setup node {nid} as memoryless"),
        }
    }
    print_holes();
}

/// Says how many frames have a page and are no memory, hole by hole.
#[init]
fn print_holes() {
    let mut hole: Option<Piece> = None;
    let mut frames = 0;
    let say = |hole: Option<Piece>, frames| {
        if let Some(Piece { nid, zone, .. }) = hole {
            pr_info!("On node {nid}, zone {}: {frames} pages in unavailable ranges", zone.name());
        }
    };
    for_each_piece(|piece| {
        if piece.present {
            say(hole.take(), core::mem::take(&mut frames));
        } else {
            frames += piece.pfns.end - piece.pfns.start;
            hole = Some(piece);
        }
    });
    say(hole, frames);
}

#[ktest]
fn the_zones_have_all_memory() {
    let (memory, _) = memblock::totals();
    let zones = numa::online_nodes().flat_map(|nid| ZoneType::ALL.map(|zone| zone_extent(nid, zone).present));
    assert_eq!(zones.sum::<u64>() << PAGE_SHIFT, memory);
}

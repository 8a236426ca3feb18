//! Physical memory until the page allocator owns it: Linux's memblock, one for the kernel, behind a lock.
//!
//! The algorithm is [`incipit_lib::memblock`]'s. Before `setup_arch` has added memory nothing can be allocated; from then on allocations go top-down below
//! [`set_current_limit`], so that what is allocated is mapped. A list that is full is moved to where there is more room (`grow`). Who asks for memory when there is
//! slab is served, but told that the time of memblock is over.

mod grow;

use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::memblock::Memblock;
pub use incipit_lib::memblock::Region;
#[cfg(CONFIG_NUMA)]
use incipit_lib::memblock::RegionFlags;

pub use grow::allow_resize;
use grow::with_room;

use super::{PAGE_SHIFT, PAGE_SIZE, page_alloc, sections, slab};
use crate::locking::IrqSpinLock;
use crate::prelude::*;

/// Regions of each kind before a list grows: Linux's `INIT_MEMBLOCK_REGIONS`.
const REGIONS: usize = crate::config::CONFIG_INIT_MEMBLOCK_REGIONS as usize;

static MEMBLOCK: IrqSpinLock<Memblock<REGIONS>> = IrqSpinLock::new(Memblock::new());

/// Whether the lists are printed once they are complete.
static DEBUG: AtomicBool = AtomicBool::new(false);

/// An address in physical memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhysAddr(pub u64);

/// Adds memory.
///
/// # Errors
///
/// `ENOMEM` if there are too many regions to remember.
pub fn add(base: u64, size: u64) -> Result<(), Errno> {
    with_room(0..0, |memblock| memblock.add(base, size))
}

/// Keeps a range from being allocated, whether it is memory or not.
///
/// # Errors
///
/// `ENOMEM` if there are too many regions to remember.
pub fn reserve(base: u64, size: u64) -> Result<(), Errno> {
    with_room(base..base.saturating_add(size), |memblock| memblock.reserve(base, size))
}

/// Gives a range back: to the page allocator, if it is there already.
///
/// # Errors
///
/// `ENOMEM` if there are too many regions to remember.
pub fn free(base: u64, size: u64) -> Result<(), Errno> {
    if page_alloc::is_available() {
        page_alloc::free_memblock(base, size);
    }
    with_room(0..0, |memblock| memblock.free(base, size))
}

/// Notes that a range is not reserved any more: the page allocator has it.
pub(super) fn forget_reserved(base: u64, size: u64) {
    let forgotten = with_room(0..0, |memblock| memblock.free(base, size));
    // The list only says what was reserved at the end of the boot, and for that nobody relies on it.
    if let Err(error) = forgotten {
        pr_debug!("memblock: {size:#x} bytes at {base:#x} stay listed as reserved ({error})");
    }
}

/// Allocates `size` bytes aligned to `align`, a power of two, in memory that the direct map has. They hold whatever they held.
///
/// # Errors
///
/// `ENOMEM` if there is no such memory; `EINVAL` for a size of 0 or an alignment that is no power of two.
#[track_caller]
pub fn alloc(size: u64, align: u64) -> Result<PhysAddr, Errno> {
    if is_over() {
        return page_alloc::alloc_memblock(size, align).map(PhysAddr);
    }
    with_room(0..0, |memblock| memblock.alloc(size, align)).map(PhysAddr)
}

/// Whether memory is the page allocator's. Who asks here for some of it when there is slab is reported, once, as in Linux.
#[track_caller]
fn is_over() -> bool {
    warn_on_once!(
        slab::slab_is_available(),
        "memblock is asked for memory that the page allocator has"
    );
    page_alloc::is_available()
}

/// Allocates `size` bytes aligned to `align` within `start..end`, for as long as memory is not the page allocator's.
///
/// # Errors
///
/// As for [`alloc()`].
#[track_caller]
pub fn alloc_range(size: u64, align: u64, start: u64, end: u64) -> Result<PhysAddr, Errno> {
    if is_over() {
        return Err(Errno::ENOMEM);
    }
    with_room(0..0, |memblock| memblock.alloc_range(size, align, start, end)).map(PhysAddr)
}

/// Allocates `size` bytes aligned to `align` in memory of node `nid`, or elsewhere if that has none left.
///
/// # Errors
///
/// As for [`alloc()`].
#[track_caller]
pub fn alloc_node(size: u64, align: u64, nid: usize) -> Result<PhysAddr, Errno> {
    if is_over() {
        return page_alloc::alloc_memblock(size, align).map(PhysAddr);
    }
    with_room(0..0, |memblock| memblock.alloc_node(size, align, nid)).map(PhysAddr)
}

/// Takes memory away, as if it had never been there.
///
/// # Errors
///
/// `ENOMEM` if there are too many regions to remember.
pub fn remove(base: u64, size: u64) -> Result<(), Errno> {
    with_room(base..base.saturating_add(size), |memblock| memblock.remove(base, size))
}

/// Says that the memory in a range belongs to node `nid`.
///
/// # Errors
///
/// `ENOMEM` if there are too many regions to remember.
pub fn set_node(base: u64, size: u64, nid: usize) -> Result<(), Errno> {
    with_room(0..0, |memblock| memblock.set_node(base, size, nid))
}

/// Says that the memory in a range can be unplugged.
///
/// # Errors
///
/// `ENOMEM` if there are too many regions to remember.
#[cfg(CONFIG_NUMA)]
pub fn mark_hotplug(base: u64, size: u64) -> Result<(), Errno> {
    with_room(0..0, |memblock| memblock.mark(base, size, RegionFlags::HOTPLUG, true))
}

/// Says that all memory belongs to node 0, which joins what differs in nothing else.
#[init]
pub fn set_all_to_node_0() {
    let joined = MEMBLOCK.lock().set_node(0, u64::MAX, 0);
    // No region is split, so no entry of the list is needed.
    debug_assert!(joined.is_ok());
}

/// Memory is allocated only below `limit` from now on: what the page tables in use map.
pub fn set_current_limit(limit: u64) {
    MEMBLOCK.lock().set_current_limit(limit);
}

/// Memory is allocated upwards from the end of the image on from now on, and nothing of what can be unplugged: before anybody knows what can be, the memory near the image
/// is the least likely to go.
#[init]
pub fn stay_near_the_image() {
    let image = sections::kallsyms();
    let mut memblock = MEMBLOCK.lock();
    memblock.set_bottom_up(Some(image.phys() + image.len() as u64));
    memblock.spare_hotplug();
}

/// Memory is allocated downwards again, as at first.
#[init]
pub fn go_top_down() {
    MEMBLOCK.lock().set_bottom_up(None);
}

/// The regions of memory, in order.
///
/// The lock is held only while a region is looked up, so the caller may allocate meanwhile.
pub fn memory() -> impl Iterator<Item = Region> {
    (0..).map_while(|index| MEMBLOCK.lock().memory().as_slice().get(index).copied())
}

/// The regions of memory of node `nid`, in order.
pub fn memory_of(nid: usize) -> impl Iterator<Item = Region> {
    memory().filter(move |region| region.nid() == Some(nid))
}

/// The regions that are free, in order, each of one node. Each is looked up anew, so that one that is taken meanwhile is left out.
pub fn free_ranges() -> impl Iterator<Item = Range<u64>> {
    let mut from = 0;
    core::iter::from_fn(move || {
        let memblock = MEMBLOCK.lock();
        let next = memblock.free_ranges_from(from).next()?;
        from = next.end;
        Some(next)
    })
}

/// The first address of memory, and the one behind the last.
#[must_use]
pub fn bounds() -> (u64, u64) {
    let memblock = MEMBLOCK.lock();
    (memblock.start_of_dram(), memblock.end_of_dram())
}

/// The node of page frame `pfn`, or of the memory before it if it is none.
#[must_use]
pub fn nid_of(pfn: u64) -> usize {
    let addr = pfn << PAGE_SHIFT;
    let memblock = MEMBLOCK.lock();
    let regions = memblock.memory().as_slice();
    let after = regions.partition_point(|region| region.base <= addr);
    let region = regions.get(after.saturating_sub(1));
    region.and_then(Region::nid).unwrap_or(0)
}

/// The regions that are taken, in order; one that is taken meanwhile may be missed or seen twice.
pub fn reserved() -> impl Iterator<Item = Region> {
    (0..).map_while(|index| MEMBLOCK.lock().reserved().as_slice().get(index).copied())
}

/// Bytes of memory, and bytes of what is taken.
#[must_use]
pub fn totals() -> (u64, u64) {
    let memblock = MEMBLOCK.lock();
    (memblock.memory().total_size(), memblock.reserved().total_size())
}

/// Takes away the parts of pages at the ends of regions: Linux's `memblock_trim_memory`.
#[init]
pub fn trim() {
    let page = PAGE_SIZE as u64;
    let mut memblock = MEMBLOCK.lock();
    let mut index = 0;
    while let Some(&region) = memblock.memory().as_slice().get(index) {
        let start = region.base.next_multiple_of(page);
        let end = region.end() / page * page;
        // Taking away ends needs no slot, so neither can fail.
        let trimmed = if start >= end {
            memblock.remove(region.base, region.size)
        } else {
            index += 1;
            memblock
                .remove(region.base, start - region.base)
                .and(memblock.remove(end, region.end() - end))
        };
        debug_assert!(trimmed.is_ok());
    }
}

/// `memblock=debug`: prints what is memory and what of it is reserved, once that is known.
#[early_param("memblock")]
#[init]
fn early_memblock(value: Option<&'static str>) -> Result<(), Errno> {
    DEBUG.store(value.is_some_and(|value| value.split(',').any(|word| word == "debug")), Relaxed);
    Ok(())
}

/// Prints the lists if `memblock=debug` asked for it: Linux's `memblock_dump_all`.
#[init]
pub fn dump_all() {
    if crate::printk::ENABLED && DEBUG.load(Relaxed) {
        let memblock = MEMBLOCK.lock();
        for line in memblock.dump() {
            pr_info!("{line}");
        }
    }
}

mod tests;

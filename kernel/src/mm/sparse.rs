//! The array of all `struct page`s, as far as there is memory for them to stand for: Linux's sparse memory with a virtual memory map.
//!
//! The array is one range of addresses, [`VMEMMAP_START`] for frame 0; only where frames are memory, or share a granule with some, are there pages behind it
//! ([`incipit_lib::sparse`]). They are mapped once, from the memory of the node that they are about where it has some, and stay. Nothing is written here: whoever sets the pages up writes
//! all of each.

use core::ops::Range;

use incipit_lib::sparse;
use spin::Once;

use super::page::{Page, VMEMMAP_START};
use super::slab::KVec;
use super::{PAGE_SHIFT, PAGE_SIZE, memblock, zone, zone_limits};
use crate::arch::x86::mm::builder::{Mapping, PageTables};
use crate::arch::x86::mm::pgtable::{Flags, Level};
use crate::prelude::*;

/// The runs of frames that have pages, in order.
static POPULATED: Once<KVec<Range<u64>>> = Once::new();

/// The runs of frames that have pages, in order and apart from each other; none before `paging_init`.
#[must_use]
pub fn populated() -> &'static [Range<u64>] {
    POPULATED.get().map_or(&[], |runs| runs)
}

/// Whether there is a `struct page` for a frame. The frame may still be a hole.
#[must_use]
pub fn pfn_valid(pfn: u64) -> bool {
    sparse::contains(populated(), pfn)
}

/// Gives every frame of memory its page, and says where zones and nodes are: Linux's stage of the same name, as far as it is not `init_mem_mapping`'s.
#[stage(
    after(crate::arch::x86::setup::setup_arch),
    wants(crate::mm::FirmwareMemory),
    before(crate::init::command_line::setup_command_line)
)]
#[init]
pub fn paging_init() {
    if let Err(error) = sparse_init() {
        panic!("sparse_init: no memory for the list of frames that have pages ({error})");
    }
    zone_limits::find_movable();
    zone_limits::print();
    zone::free_area_init();
}

/// Maps the pages of all memory. What there is not enough memory for is given up, with a line about it.
#[init]
fn sparse_init() -> Result<(), Errno> {
    let memory = || zone_limits::node_ranges().map(|range| (range.pfns, range.nid));
    let mut runs: KVec<Range<u64>> = KVec::new();
    let wanted = KVec::collect(sparse::populated(memory(), |one, other| one == other))?;
    for (pfns, nid) in wanted {
        let start = VMEMMAP_START + pfns.start as usize * size_of::<Page>();
        let end = VMEMMAP_START + pfns.end as usize * size_of::<Page>();
        if let Err(error) = vmemmap_populate(start..end, nid) {
            let (first, last) = (pfns.start << PAGE_SHIFT, (pfns.end << PAGE_SHIFT) - 1);
            pr_err!("[mem {first:#018x}-{last:#018x}] cannot be used: no memory for its struct pages ({error})");
            forget(&pfns);
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.end == pfns.start => run.end = pfns.end,
            _ => runs.push(pfns)?,
        }
    }
    POPULATED.call_once(|| runs);
    Ok(())
}

/// Takes frames that have no pages out of the list of memory.
#[init]
fn forget(pfns: &Range<u64>) {
    let (start, size) = (pfns.start << PAGE_SHIFT, (pfns.end - pfns.start) << PAGE_SHIFT);
    if let Err(error) = memblock::remove(start, size) {
        panic!("sparse_init: memory at {start:#x} without struct pages cannot be taken out ({error})");
    }
}

/// Maps the part `range` of the array, in pages of 2 MiB where a whole one lies in it.
#[init]
fn vmemmap_populate(range: Range<usize>, nid: usize) -> Result<(), Errno> {
    let large = Level::Pmd.size();
    let mut start = range.start;
    while start < range.end {
        let end = ((start | (large - 1)) + 1).min(range.end);
        populate_part(start..end, nid)?;
        start = end;
    }
    Ok(())
}

/// Maps what lies in one large page, with memory in one piece if there is such a piece and in smaller ones otherwise.
#[init]
fn populate_part(range: Range<usize>, nid: usize) -> Result<(), Errno> {
    let size = range.len();
    let align = if size == Level::Pmd.size() { size } else { PAGE_SIZE };
    match memblock::alloc_node(size as u64, align as u64, nid) {
        Ok(memory) => {
            // SAFETY: the array has these addresses to itself, and nobody reads a page of it before its frame is valid.
            let mut tables = unsafe { PageTables::in_use() };
            tables.map(Mapping {
                virt: range.start,
                phys: memory.0,
                size,
                flags: Flags::READ_WRITE,
                largest: Level::Pmd,
            })
        }
        Err(_) if size > PAGE_SIZE => {
            let middle = range.start + (size / 2).next_multiple_of(PAGE_SIZE);
            populate_part(range.start..middle, nid)?;
            populate_part(middle..range.end, nid)
        }
        Err(error) => Err(error),
    }
}

#[ktest]
fn every_frame_of_memory_has_a_page_and_so_does_its_buddy() {
    use crate::arch::x86::mm::pgtable::lookup;
    use crate::mm::page_alloc::MAX_ORDER;
    for region in memblock::memory() {
        for pfn in [region.base >> PAGE_SHIFT, (region.end() >> PAGE_SHIFT) - 1] {
            // A block of the largest order has no buddy to join.
            assert!((0..MAX_ORDER).all(|order| pfn_valid(pfn ^ 1 << order)), "{pfn:#x}");
            let address = VMEMMAP_START + pfn as usize * size_of::<Page>();
            let (entry, _) = lookup(address).expect("canonical");
            assert!(entry.is_present() && entry.flags().contains(Flags::RW | Flags::NX), "{pfn:#x}");
        }
    }
    assert!(!pfn_valid(u64::MAX >> PAGE_SHIFT));
}

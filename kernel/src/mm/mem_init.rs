//! From memblock to the page allocator: all pages set up, and those that nobody has taken handed over.
//!
//! What is reserved by then stays so, whoever it is: the image, the initrd, firmware's tables, what was allocated during the boot. From here on memblock only remembers;
//! who asks it for memory is sent to the page allocator.

mod layout;

use core::ops::Range;

use super::page::{Page, PageFlags, pfn_to_page};
use super::zone::{self, Zone, ZoneType, populated_zones};
use super::{PAGE_SHIFT, PAGE_SIZE, memblock, page_alloc, page_debug, sections, zone_limits};
use crate::prelude::*;

/// Hands memory over to the page allocator: Linux's stage of the same name.
#[stage(
    after(crate::arch::x86::traps::trap_init),
    before(crate::time::time_init),
    provides(page_alloc::PageAllocator)
)]
#[init]
pub fn mem_init() {
    page_debug::report_meminit();
    for_each_part(|part| {
        let (flags, refcount) = if part.free {
            (PageFlags::empty(), 0)
        } else {
            (PageFlags::RESERVED, 1)
        };
        init_pages(part.pfns, part.kind, part.nid, flags, refcount);
    });
    for_each_part(|part| {
        if part.free {
            if page_debug::is_active() {
                page_debug::on_hand_over(part.pfns.start, part.pfns.end - part.pfns.start);
            }
            let zone = &zone::node_data(part.nid).zones()[part.kind as usize];
            zone.add_managed(part.pfns.end - part.pfns.start);
            zone.with_buddy(|buddy| buddy.free_range(part.pfns));
        }
    });
    page_alloc::set_available();
    print_info();
    layout::print();
}

/// Page frames of one node and zone that are free, or are not.
struct Part {
    pfns: Range<u64>,
    nid: usize,
    kind: ZoneType,
    free: bool,
}

/// Visits every frame that has a page, once and in order.
#[init]
fn for_each_part(mut visit: impl FnMut(Part)) {
    let page = PAGE_SIZE as u64;
    let mut ranges = memblock::free_ranges()
        .map(|range| range.start.div_ceil(page)..range.end / page)
        .filter(|range| !range.is_empty());
    let mut next = ranges.next();
    zone_limits::for_each_piece(|piece| {
        let mut part = |pfns: Range<u64>, free| {
            if !pfns.is_empty() {
                visit(Part {
                    pfns,
                    nid: piece.nid,
                    kind: piece.zone,
                    free,
                });
            }
        };
        let (mut start, end) = (piece.pfns.start, piece.pfns.end);
        while start < end {
            while next.as_ref().is_some_and(|range| range.end <= start) {
                next = ranges.next();
            }
            let free = next
                .clone()
                .map_or(end..end, |range| range.start.clamp(start, end)..range.end.min(end));
            part(start..free.start, false);
            part(free.clone(), true);
            start = free.end.max(free.start);
        }
    });
}

/// Writes the pages of some frames for the first time.
#[init]
fn init_pages(pfns: Range<u64>, kind: ZoneType, nid: usize, flags: PageFlags, refcount: u32) {
    let first = core::ptr::from_ref(pfn_to_page(pfns.start)).cast_mut();
    for index in 0..(pfns.end - pfns.start) as usize {
        // SAFETY: the frames have pages, which are mapped and which nobody has read yet: this is what they hold first.
        unsafe { first.add(index).write(Page::new(kind, nid, flags, refcount)) };
    }
}

/// Says how much memory there is and what it is used for: Linux's `mem_init_print_info`.
#[init]
fn print_info() {
    let kib = |pages: u64| pages << (PAGE_SHIFT - 10);
    let present: u64 = populated_zones().map(Zone::present).sum();
    let reserved = present - page_alloc::total_ram_pages();
    let image = |section: sections::Section| section.len() >> 10;
    pr_info!(
        "Memory: {}K/{}K available ({}K kernel code, {}K rwdata, {}K rodata, {}K init, {}K bss, {}K reserved, 0K cma-reserved)",
        kib(page_alloc::nr_free_pages()),
        kib(present),
        image(sections::text()),
        image(sections::data()),
        image(sections::rodata()),
        image(sections::init()),
        image(sections::bss()),
        kib(reserved)
    );
}

//! Crash points that misuse the page allocator. It reports them and goes on without the page.

use core::hint::black_box;
use core::sync::atomic::Ordering::Relaxed;

use incipit::locking::IrqSpinLock;
use incipit::mm::page::{page_address, page_to_pfn, pfn_to_page, virt_to_page};
use incipit::mm::page_alloc::{Gfp, MAX_ORDER, alloc_page, alloc_pages, free_pages, total_free_pages};
use incipit::mm::{PAGE_SIZE, memblock, sections};
use incipit::prelude::*;

use crate::access;
use crate::crashpoints::Outcome;

/// The answer if a page is not where it ought to be.
const NOT_LEFT_OUT: Outcome = Err("the number of free pages is wrong");

/// Gives a page back twice.
#[inline(never)]
pub fn page_double_free() -> Outcome {
    let page = alloc_page(Gfp::KERNEL).ok_or("no page")?;
    let before = total_free_pages();
    // SAFETY: the second time is not safe at all. The allocator notices, and does nothing.
    unsafe {
        free_pages(page, 0);
        free_pages(page, 0);
    }
    if total_free_pages() == before + 1 { Ok(()) } else { NOT_LEFT_OUT }
}

/// Gives a page of the image back.
#[inline(never)]
pub fn page_free_reserved() -> Outcome {
    let page = virt_to_page(sections::rodata().as_ptr());
    let before = total_free_pages();
    // SAFETY: it is not safe. The allocator notices, and does nothing.
    unsafe { free_pages(page, 0) };
    if total_free_pages() == before { Ok(()) } else { NOT_LEFT_OUT }
}

/// Gives a compound page back as one of another order.
#[inline(never)]
pub fn page_free_wrong_order() -> Outcome {
    let page = alloc_pages(Gfp::KERNEL | Gfp::COMP, 2).ok_or("no pages")?;
    let before = total_free_pages();
    // SAFETY: it is not safe. The allocator notices, and leaves the pages alone for good.
    unsafe { free_pages(page, 1) };
    if total_free_pages() == before { Ok(()) } else { NOT_LEFT_OUT }
}

/// Asks for more pages than there are, with a report.
#[inline(never)]
pub fn page_alloc_failure() -> Outcome {
    let all = take_all(MAX_ORDER);
    let refused = alloc_pages(Gfp::KERNEL, MAX_ORDER).is_none();
    all.give_back();
    if refused { Ok(()) } else { Err("there was another block") }
}

/// Asks for a page in a way that must not fail when there is none.
#[inline(never)]
pub fn page_alloc_nofail() -> Outcome {
    let all = take_all(0);
    let page = alloc_page(black_box(Gfp::KERNEL | Gfp::NOFAIL));
    all.give_back();
    page.map_or(Err("it failed"), |_| Err("there was another page"))
}

/// Blocks of pages, each of which knows the next, since there is no memory for another list.
struct Blocks {
    order: u32,
    /// The frame of the first, `u64::MAX` if there is none.
    first: u64,
}

/// Takes all blocks of 2^`order` pages, those for who must not wait included.
fn take_all(order: u32) -> Blocks {
    let mut first = u64::MAX;
    while let Some(block) = alloc_pages(Gfp::KERNEL | Gfp::NOWARN | Gfp::MEMALLOC, order) {
        block.private.store(first, Relaxed);
        first = page_to_pfn(block);
    }
    Blocks { order, first }
}

impl Blocks {
    fn give_back(self) {
        let mut next = self.first;
        while next != u64::MAX {
            let block = pfn_to_page(next);
            next = block.private.load(Relaxed);
            // SAFETY: `take_all` allocated it, and nobody else knows of it.
            unsafe { free_pages(block, self.order) };
        }
    }
}

/// Reads a page that was given back: it faults with `debug_pagealloc=on`.
#[inline(never)]
pub fn read_buddy_after_free() -> Outcome {
    let address = freed_page()?;
    pr_info!("lkdtm: attempting bad read at {address:#x}");
    // SAFETY: it is not safe. The page is in the direct map, or the read faults.
    unsafe { access::read(address) };
    Ok(())
}

/// Writes to a page that was given back, then allocates it again: `page_poison=on` finds out, and with `debug_pagealloc=on` it faults.
#[inline(never)]
pub fn write_buddy_after_free() -> Outcome {
    let address = freed_page()?;
    pr_info!("lkdtm: attempting bad write at {address:#x}");
    // SAFETY: it is not safe. The page is in the direct map, or the write faults; it is free, and nothing is kept in it.
    unsafe { access::write(address, 0x0123_4567_89ab_cdef) };
    let page = alloc_page(Gfp::KERNEL).ok_or("no page")?;
    let same = page_address(page).addr() == address - WRITTEN;
    // SAFETY: it was just allocated.
    unsafe { free_pages(page, 0) };
    if same { Ok(()) } else { Err("the page was not the next one") }
}

/// How far into the page it is read and written.
const WRITTEN: usize = 512;

/// The address in a page that was just given back.
fn freed_page() -> Result<usize, &'static str> {
    let page = alloc_page(Gfp::KERNEL).ok_or("no page")?;
    // SAFETY: it was just allocated.
    unsafe { free_pages(page, 0) };
    Ok(page_address(page).addr() + WRITTEN)
}

/// Asks for a page in a way that may sleep, under a lock.
#[inline(never)]
pub fn sleeping_allocation() -> Outcome {
    let lock = IrqSpinLock::new(());
    let guard = lock.lock();
    let page = alloc_page(black_box(Gfp::KERNEL)).ok_or("no page")?;
    drop(guard);
    // SAFETY: it was just allocated.
    unsafe { free_pages(page, 0) };
    Ok(())
}

/// Asks memblock for memory when its time is over.
#[inline(never)]
pub fn memblock_late() -> Outcome {
    let size = PAGE_SIZE as u64;
    let place = memblock::alloc(size, size).map_err(|_| "no page")?;
    memblock::free(place.0, size).map_err(|_| "the page cannot be given back")
}

//! Crash points that misuse the page allocator. It reports them and goes on without the page.

use core::hint::black_box;
use core::sync::atomic::Ordering::Relaxed;

use incipit::irq::IrqMutex;
use incipit::mm::page::{page_to_pfn, pfn_to_page, virt_to_page};
use incipit::mm::page_alloc::{Gfp, MAX_ORDER, alloc_page, alloc_pages, free_pages, total_free_pages};
use incipit::mm::sections;

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
    // A list through the blocks themselves, since there is no memory for another.
    let mut last = u64::MAX;
    while let Some(block) = alloc_pages(Gfp::KERNEL | Gfp::NOWARN, MAX_ORDER) {
        block.private.store(last, Relaxed);
        last = page_to_pfn(block);
    }
    let refused = alloc_pages(Gfp::KERNEL, MAX_ORDER).is_none();
    while last != u64::MAX {
        let block = pfn_to_page(last);
        last = block.private.load(Relaxed);
        // SAFETY: it was allocated above, and nobody knows of it.
        unsafe { free_pages(block, MAX_ORDER) };
    }
    if refused { Ok(()) } else { Err("there was another block") }
}

/// Asks for a page in a way that may sleep, under a lock.
#[inline(never)]
pub fn sleeping_allocation() -> Outcome {
    let lock = IrqMutex::new(());
    let guard = lock.lock();
    let page = alloc_page(black_box(Gfp::KERNEL)).ok_or("no page")?;
    drop(guard);
    // SAFETY: it was just allocated.
    unsafe { free_pages(page, 0) };
    Ok(())
}

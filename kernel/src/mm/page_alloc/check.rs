//! What is done to every block when it is handed out and when it comes back: references, flags, content.

use core::sync::atomic::Ordering::Relaxed;

use super::bad_page::bad_page;
use super::{Gfp, MAX_ORDER};
use crate::mm::fault_inject::should_fail_alloc_page;
use crate::mm::page::{Page, PageFlags, PageType, page_address, page_to_pfn, pfn_to_page};
use crate::mm::{PAGE_SIZE, page_debug};
use crate::preempt;
use crate::prelude::*;

/// Flags that a page must not have when it comes back: Linux's `PAGE_FLAGS_CHECK_AT_FREE`.
const CHECK_AT_FREE: PageFlags = PageFlags::LRU
    .union(PageFlags::LOCKED)
    .union(PageFlags::PRIVATE)
    .union(PageFlags::PRIVATE_2)
    .union(PageFlags::WRITEBACK)
    .union(PageFlags::RESERVED)
    .union(PageFlags::SLAB)
    .union(PageFlags::ACTIVE)
    .union(PageFlags::UNEVICTABLE)
    .union(PageFlags::MLOCKED);

/// Whether the allocation may be tried at all.
#[inline]
#[cfg_attr(CONFIG_DEBUG_ATOMIC_SLEEP, track_caller)]
pub(super) fn may_allocate(gfp: Gfp, order: u32) -> bool {
    if order > MAX_ORDER {
        warn_on_once!(
            !gfp.contains(Gfp::NOWARN),
            "page allocation of order {order}, which is more than {MAX_ORDER}"
        );
        return false;
    }
    if gfp.allows_blocking() {
        preempt::might_sleep();
    }
    !should_fail_alloc_page(gfp, order)
}

/// Makes a block from the free lists what the caller asked for: Linux's function of the same name.
#[inline]
pub(super) fn prep_new_page(page: &'static Page, order: u32, gfp: Gfp) {
    page.set_refcount(1);
    page.private.store(0, Relaxed);
    if is_special(gfp) {
        prep_special(page, order, gfp);
    }
}

/// Whether pages need more than a reference to be handed out.
#[inline]
pub(super) fn is_special(gfp: Gfp) -> bool {
    gfp.intersects(Gfp::ZERO.union(Gfp::COMP)) || page_debug::is_active()
}

#[inline(never)]
fn prep_special(page: &'static Page, order: u32, gfp: Gfp) {
    if page_debug::is_active() {
        page_debug::on_alloc(page, order, gfp);
    }
    if gfp.contains(Gfp::ZERO) {
        // SAFETY: the block was just taken off the free lists, so that its bytes are nobody's.
        unsafe { page_address(page).write_bytes(0, PAGE_SIZE << order) };
    }
    if order > 0 && gfp.contains(Gfp::COMP) {
        let head = page_to_pfn(page);
        page.set_head(order);
        for pfn in head + 1..head + (1 << order) {
            pfn_to_page(pfn).set_tail_of(head);
        }
    }
}

/// Checks a block that nobody has a reference to any more, and makes its pages like any others; `false` if it must not be used again: Linux's `free_pages_prepare`.
#[inline]
pub(super) fn free_pages_prepare(page: &'static Page, order: u32) -> bool {
    if order > 0 && !prepare_tails(page, order) {
        return false;
    }
    if page.is_plain_free() && !page_debug::is_active() {
        return true;
    }
    prepare_special(page, order)
}

/// Why a page cannot be freed, if it cannot, in Linux's words where it has some.
fn reason_against(page: &Page) -> Option<&'static str> {
    if page.is_type(PageType::Buddy) {
        Some("the page is free")
    } else if page.has_type() {
        Some("page type is still set")
    } else if page.refcount() != 0 {
        Some("nonzero _refcount")
    } else if page.has(CHECK_AT_FREE) {
        Some("PAGE_FLAGS_CHECK_AT_FREE flag(s) set")
    } else {
        None
    }
}

#[cold]
fn prepare_special(page: &'static Page, order: u32) -> bool {
    if let Some(reason) = reason_against(page) {
        bad_page(page, reason);
        return false;
    }
    page.clear_exclusive(PageFlags::all());
    if page_debug::is_active() {
        page_debug::on_free(page, order);
    }
    true
}

/// The same for a page behind the first that has flags, or whatever it must not have.
#[cold]
fn prepare_special_tail(tail: &'static Page, head: Option<u64>) -> bool {
    let reason = reason_against(tail).or((tail.tail_of() != head).then_some("not a tail of the page that is freed"));
    if let Some(reason) = reason {
        bad_page(tail, reason);
        return false;
    }
    tail.clear_compound();
    tail.clear_exclusive(PageFlags::all());
    true
}

/// The same for all but the first page of a block.
fn prepare_tails(page: &'static Page, order: u32) -> bool {
    let head = page_to_pfn(page);
    let compound = page.has(PageFlags::HEAD);
    if compound && page.compound_order() != order {
        bad_page(page, "freed with another order than it was allocated with");
        return false;
    }
    let expected = compound.then_some(head);
    for tail in (head + 1..head + (1 << order)).map(pfn_to_page) {
        if !tail.is_plain_tail(expected) && !prepare_special_tail(tail, expected) {
            return false;
        }
        if compound {
            tail.clear_tail();
        }
    }
    if compound {
        page.clear_compound();
    }
    true
}

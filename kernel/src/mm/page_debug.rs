//! What is done to pages between one owner and the next, if the command line asks for it: cleared, filled with a pattern that is checked, taken out of the direct map,
//! or remembered with who had them.
//!
//! All of it hangs on one word, which is 0 otherwise: the page allocator looks at it once for each block that it hands out, and once for each that it gets.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[cfg(any(CONFIG_PAGE_OWNER, CONFIG_PAGE_POISONING, CONFIG_DEBUG_PAGEALLOC))]
use super::page::page_to_pfn;
use super::page::{Page, page_address};
#[cfg(CONFIG_PAGE_OWNER)]
use super::page_owner;
#[cfg(CONFIG_PAGE_POISONING)]
use super::page_poison;
use super::{Gfp, PAGE_SIZE};
use crate::prelude::*;

bitflags::bitflags! {
    /// What is done.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Checks: u32 {
        /// Cleared when handed out: `init_on_alloc=1`.
        const INIT_ON_ALLOC = 1 << 0;
        /// Cleared when given back: `init_on_free=1`.
        const INIT_ON_FREE = 1 << 1;
        /// Filled when given back, and looked at when handed out: `page_poison=on`.
        const POISON = 1 << 2;
        /// Not in the direct map while they are free: `debug_pagealloc=on`.
        const UNMAP = 1 << 3;
        /// Remembered with who has them: `page_owner=on`.
        const OWNER = 1 << 4;
    }
}

static CHECKS: AtomicU32 = AtomicU32::new(DEFAULT.bits());

const DEFAULT: Checks = Checks::empty()
    .union(if cfg!(CONFIG_INIT_ON_ALLOC_DEFAULT_ON) {
        Checks::INIT_ON_ALLOC
    } else {
        Checks::empty()
    })
    .union(if cfg!(CONFIG_INIT_ON_FREE_DEFAULT_ON) {
        Checks::INIT_ON_FREE
    } else {
        Checks::empty()
    });

/// What is done now.
#[inline]
pub(super) fn checks() -> Checks {
    Checks::from_bits_truncate(CHECKS.load(Relaxed))
}

/// Does more, or less, from now on.
pub(super) fn set(checks: Checks, on: bool) {
    if on {
        CHECKS.fetch_or(checks.bits(), Relaxed);
    } else {
        CHECKS.fetch_and(!checks.bits(), Relaxed);
    }
}

/// `init_on_alloc=`: whether memory is cleared when it is handed out, asked for or not.
#[early_param("init_on_alloc")]
#[init]
fn early_init_on_alloc(value: Option<&'static str>) -> Result<(), Errno> {
    set(Checks::INIT_ON_ALLOC, parse(value)?);
    Ok(())
}

/// `init_on_free=`: whether memory is cleared when it is given back.
#[early_param("init_on_free")]
#[init]
fn early_init_on_free(value: Option<&'static str>) -> Result<(), Errno> {
    set(Checks::INIT_ON_FREE, parse(value)?);
    Ok(())
}

/// A switch: Linux's `kstrtobool`.
#[init]
pub(super) fn parse(value: Option<&str>) -> Result<bool, Errno> {
    match value.unwrap_or("1").as_bytes() {
        [b'1' | b'y' | b'Y' | b't' | b'T', ..] | [b'o' | b'O', b'n' | b'N', ..] => Ok(true),
        [b'0' | b'n' | b'N' | b'f' | b'F', ..] | [b'o' | b'O', b'f' | b'F', ..] => Ok(false),
        _ => Err(Errno::EINVAL),
    }
}

/// Says what is cleared: Linux's `report_meminit`. Poison is more than that and comes instead.
#[init]
pub(super) fn report_meminit() {
    let cleared = Checks::INIT_ON_ALLOC | Checks::INIT_ON_FREE;
    if checks().contains(Checks::POISON) && checks().intersects(cleared) {
        pr_info!("mem auto-init: CONFIG_PAGE_POISONING is on, will take precedence over init_on_alloc and init_on_free");
        set(cleared, false);
    }
    let state = |check| if checks().contains(check) { "on" } else { "off" };
    pr_info!(
        "mem auto-init: stack:off, heap alloc:{}, heap free:{}",
        state(Checks::INIT_ON_ALLOC),
        state(Checks::INIT_ON_FREE)
    );
    if checks().contains(Checks::INIT_ON_FREE) {
        pr_info!("mem auto-init: clearing system memory may take some time...");
    }
}

/// Whether all memory is to be cleared when it is handed out: for who hands out parts of pages.
#[inline]
#[must_use]
pub fn want_init_on_alloc() -> bool {
    checks().contains(Checks::INIT_ON_ALLOC)
}

/// Whether all memory is to be cleared when it is given back.
#[inline]
#[must_use]
pub fn want_init_on_free() -> bool {
    checks().contains(Checks::INIT_ON_FREE)
}

/// Whether a block that is handed out, or given back, is anything but used as it is.
#[inline]
pub(super) fn is_active() -> bool {
    CHECKS.load(Relaxed) != 0
}

/// A block was taken off the free lists: Linux's `post_alloc_hook`.
#[cold]
pub(super) fn on_alloc(page: &'static Page, order: u32, gfp: Gfp) {
    let checks = checks();
    #[cfg(CONFIG_DEBUG_PAGEALLOC)]
    if checks.contains(Checks::UNMAP) {
        super::debug_pagealloc::map(page_to_pfn(page), 1 << order, true);
    }
    #[cfg(CONFIG_PAGE_POISONING)]
    if checks.contains(Checks::POISON) {
        page_poison::unpoison_pages(page, order);
    }
    if checks.contains(Checks::INIT_ON_ALLOC) && !gfp.contains(Gfp::ZERO) && !checks.contains(Checks::INIT_ON_FREE) {
        clear(page, order);
    }
    #[cfg(CONFIG_PAGE_OWNER)]
    if checks.contains(Checks::OWNER) {
        page_owner::set_page_owner(page_to_pfn(page), order, gfp);
    }
}

/// A block is about to go on the free lists.
#[cold]
pub(super) fn on_free(page: &'static Page, order: u32) {
    let checks = checks();
    #[cfg(CONFIG_PAGE_OWNER)]
    if checks.contains(Checks::OWNER) {
        page_owner::reset_page_owner(page_to_pfn(page), order);
    }
    #[cfg(CONFIG_PAGE_POISONING)]
    if checks.contains(Checks::POISON) {
        page_poison::poison_pages(page_to_pfn(page), 1 << order);
    }
    if checks.contains(Checks::INIT_ON_FREE) {
        clear(page, order);
    }
    #[cfg(CONFIG_DEBUG_PAGEALLOC)]
    if checks.contains(Checks::UNMAP) {
        super::debug_pagealloc::map(page_to_pfn(page), 1 << order, false);
    }
}

fn clear(page: &'static Page, order: u32) {
    // SAFETY: the block is on its way from one owner to the next, so that its bytes are nobody's, and in the direct map.
    unsafe { page_address(page).write_bytes(0, PAGE_SIZE << order) };
}

/// Frames come from memblock: what a free page has to look like, they have to look like, too.
#[init]
pub(super) fn on_hand_over(pfn: u64, pages: u64) {
    let checks = checks();
    #[cfg(CONFIG_PAGE_POISONING)]
    if checks.contains(Checks::POISON) {
        page_poison::poison_pages(pfn, pages);
    }
    if checks.contains(Checks::INIT_ON_FREE) {
        // SAFETY: the frames are free RAM, which the direct map has.
        unsafe { super::phys_to_virt(pfn << super::PAGE_SHIFT).write_bytes(0, PAGE_SIZE * pages as usize) };
    }
}

#[ktest]
fn switches_are_read_as_linux_reads_them() {
    for (text, expected) in [
        (Some("on"), Ok(true)),
        (Some("off"), Ok(false)),
        (Some("1"), Ok(true)),
        (Some("0"), Ok(false)),
        (Some("Yes"), Ok(true)),
        (Some("no"), Ok(false)),
        (None, Ok(true)),
        (Some("o"), Err(Errno::EINVAL)),
        (Some(""), Err(Errno::EINVAL)),
        (Some("maybe"), Err(Errno::EINVAL)),
    ] {
        assert_eq!(parse(text), expected, "{text:?}");
    }
}

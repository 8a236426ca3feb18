//! `page_poison=on`: free pages hold a pattern, and who writes to one is found when it is handed out next.

use incipit_lib::poison::{self, Damage};

use super::page::{Page, page_address};
use super::page_alloc::dump_page;
use super::page_debug::{self, Checks};
use super::{PAGE_SHIFT, PAGE_SIZE, phys_to_virt};
use crate::arch::x86::dumpstack;
use crate::panic::taint;
use crate::prelude::*;

/// `page_poison=on`: fills pages that are given back, and looks at the pattern when they are handed out.
#[early_param("page_poison")]
#[init]
fn early_page_poison(value: Option<&'static str>) -> Result<(), Errno> {
    page_debug::set(Checks::POISON, page_debug::parse(value)?);
    Ok(())
}

/// Fills pages that are free.
pub(super) fn poison_pages(pfn: u64, pages: u64) {
    // SAFETY: the frames are RAM in the direct map and nobody's.
    unsafe { phys_to_virt(pfn << PAGE_SHIFT).write_bytes(poison::PAGE_POISON, PAGE_SIZE * pages as usize) };
}

/// Looks at pages that were free.
pub(super) fn unpoison_pages(page: &'static Page, order: u32) {
    // SAFETY: the pages were just taken off the free lists, so that nobody should write to them.
    let bytes = unsafe { core::slice::from_raw_parts(page_address(page), PAGE_SIZE << order) };
    if let Some(damage) = Damage::find(bytes) {
        report(page, bytes, damage);
    }
}

#[cold]
fn report(page: &'static Page, bytes: &[u8], damage: Damage) {
    if damage.is_single_bit(bytes) {
        pr_err_ratelimited!("pagealloc: single bit error");
    } else {
        pr_err_ratelimited!("pagealloc: memory corruption");
    }
    for (index, line) in bytes[damage.range()].chunks(16).enumerate().take(8) {
        let address = bytes.as_ptr().addr() + damage.range().start + index * 16;
        pr_err!(
            "{address:016x}: {}",
            core::fmt::from_fn(|f| line.iter().try_for_each(|byte| write!(f, "{byte:02x} ")))
        );
    }
    dumpstack::dump_stack();
    dump_page(page, "pagealloc: corrupted page details");
    taint::add(taint::Taint::BadPage);
}

//! From page frames to what is known of them, and to the addresses of their bytes: Linux's `vmemmap`.
//!
//! The [`Page`]s of all RAM lie in one array in virtual memory, by page frame number, of which only the parts that stand for RAM are backed by memory.

pub use incipit_lib::page::{MemMap, Page, PageFlags, PageType};

use super::{PAGE_SHIFT, phys_to_virt, virt_to_phys};
use crate::prelude::*;

/// Where the array starts: Linux's address for four-level page tables.
pub const VMEMMAP_START: usize = 0xffff_ea00_0000_0000;

/// The kernel's array of pages.
#[derive(Debug, Clone, Copy)]
pub struct Vmemmap;

impl MemMap for Vmemmap {
    #[inline]
    fn page(self, pfn: u64) -> &'static Page {
        pfn_to_page(pfn)
    }
}

/// What is known of a page frame. The number must be one of RAM, or of the hole that completes a largest block with RAM in it: Linux's `pfn_to_page`.
#[inline]
#[must_use]
pub fn pfn_to_page(pfn: u64) -> &'static Page {
    let page = core::ptr::with_exposed_provenance::<Page>(VMEMMAP_START).wrapping_add(pfn as usize);
    // SAFETY: the array, which does not begin at 0, has an initialised entry for each page frame that the caller may name; entries are atomic through and through and stay for good.
    unsafe {
        core::hint::assert_unchecked(!page.is_null());
        &*page
    }
}

/// The number of a page frame.
#[inline]
#[must_use]
pub fn page_to_pfn(page: &'static Page) -> u64 {
    ((core::ptr::from_ref(page).addr() - VMEMMAP_START) / size_of::<Page>()) as u64
}

/// The physical address of a page.
#[inline]
#[must_use]
pub fn page_to_phys(page: &'static Page) -> u64 {
    page_to_pfn(page) << PAGE_SHIFT
}

/// The page's bytes in the direct map: Linux's function of the same name.
#[inline]
#[must_use]
pub fn page_address(page: &'static Page) -> *mut u8 {
    phys_to_virt(page_to_phys(page))
}

/// What is known of the page that a byte of RAM, by its address in the direct map or in the image, lies in: Linux's `virt_to_page`.
#[inline]
#[must_use]
pub fn virt_to_page(address: *const u8) -> &'static Page {
    pfn_to_page(virt_to_phys(address) >> PAGE_SHIFT)
}

/// The head of the compound page that it is part of, or itself: Linux's `compound_head`.
#[inline]
#[must_use]
pub fn compound_head(page: &'static Page) -> &'static Page {
    page.tail_of().map_or(page, pfn_to_page)
}

/// Nothing to prepare: all memory is in the direct map, so that a page's address follows from its number. Linux's stage of the same name, which is empty on x86-64, too; where not all
/// memory is mapped it makes a table of what is.
#[stage(after(crate::arch::x86::cpu::boot_cpu_init), before(crate::init::version::linux_banner))]
#[init]
pub fn page_address_init() {}

#[ktest]
fn a_page_has_the_address_that_leads_back_to_it() {
    for region in super::memblock::memory() {
        for pfn in [region.base >> PAGE_SHIFT, (region.end() >> PAGE_SHIFT) - 1] {
            let page = pfn_to_page(pfn);
            assert_eq!(page_to_pfn(page), pfn);
            assert!(core::ptr::eq(virt_to_page(page_address(page)), page));
        }
    }
    let image = super::sections::text().as_ptr();
    assert_eq!(page_to_phys(virt_to_page(image)), virt_to_phys(image));
}

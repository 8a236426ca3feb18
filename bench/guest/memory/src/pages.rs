//! Pages, and what is mapped of them.

use incipit::mm::Gfp;
use incipit::mm::page_alloc::{alloc_pages, free_pages};
use incipit::mm::vmalloc::{vfree, vmalloc};
use incipit_bench_meter::measure_loop;

use crate::PAIRS;

/// The large area: 16 pages, as in Linux's figure.
const AREA: usize = 64 << 10;

pub fn measure_all() {
    measure_loop("page/0", PAIRS, || pair_of_pages(0));
    measure_loop("page/3", PAIRS, || pair_of_pages(3));
    measure_loop("vmalloc", PAIRS, || pair_of_areas(AREA));
}

#[inline(always)]
fn pair_of_pages(order: u32) -> bool {
    let Some(page) = alloc_pages(Gfp::KERNEL, order) else { return false };
    // SAFETY: allocated above with this order, and nobody knows of it.
    unsafe { free_pages(page, order) };
    true
}

#[inline(always)]
fn pair_of_areas(size: usize) -> bool {
    let Some(area) = vmalloc(size) else { return false };
    // SAFETY: allocated above, and nobody knows of it.
    unsafe { vfree(area) };
    true
}

//! Crash points around the areas of `vmalloc`: what lies behind their end, and what is left when they are gone. Linux's `heap.c` has the first.

use incipit::mm::vmalloc::{vfree, vmalloc_gfp, vzalloc};
use incipit::mm::{Gfp, PAGE_SIZE, page_alloc};
use incipit::prelude::*;

use crate::access;
use crate::crashpoints::{Outcome, SURVIVED};

const NO_MEMORY: Outcome = Err("there is no memory for it");

#[inline(never)]
pub fn linear_overflow() -> Outcome {
    let Some(area) = vzalloc(PAGE_SIZE) else { return NO_MEMORY };
    let address = area.addr().get() + PAGE_SIZE;
    pr_info!("lkdtm: attempting bad vmalloc linear overflow at {address:#x}");
    // SAFETY: behind the area lies its guard page, which is not mapped.
    unsafe { access::write(address, 0) };
    SURVIVED
}

#[inline(never)]
pub fn read_after_free() -> Outcome {
    let Some(area) = vzalloc(PAGE_SIZE) else { return NO_MEMORY };
    let address = area.addr().get();
    pr_info!("lkdtm: attempting bad read of freed vmalloc memory at {address:#x}");
    // SAFETY: nobody uses the area. This processor has never accessed it, and so cannot remember where it led.
    unsafe {
        vfree(area);
        access::read(address);
    }
    SURVIVED
}

/// Goes on behind the report.
#[inline(never)]
pub fn free_wrong() -> Outcome {
    let Some(area) = vzalloc(2 * PAGE_SIZE) else { return NO_MEMORY };
    // SAFETY: an area is given back by its first address; by another one it is not.
    unsafe { vfree(area.add(PAGE_SIZE)) };
    // SAFETY: the second time there is no area, which the kernel finds out.
    unsafe {
        vfree(area);
        vfree(area);
    }
    Ok(())
}

/// Asks for as much as there is in all, first without and then with a report.
#[inline(never)]
pub fn failure() -> Outcome {
    let all = page_alloc::total_ram_pages() as usize * PAGE_SIZE;
    for gfp in [Gfp::KERNEL | Gfp::NOWARN, Gfp::KERNEL] {
        if let Some(area) = vmalloc_gfp(all, gfp) {
            // SAFETY: it was allocated above, and nobody knows of it.
            unsafe { vfree(area) };
            return Err("there was memory for it");
        }
    }
    Ok(())
}

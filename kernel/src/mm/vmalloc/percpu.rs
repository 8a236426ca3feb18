//! Areas for per-CPU data: one for each CPU, as far from each other as the CPUs' units are.

use super::areas::{self, Area, VmFlags};
use super::memory::{abandon, populate, release};
use super::{VMALLOC_END, VMALLOC_START};
use crate::mm::{Gfp, PAGE_SIZE};
use crate::prelude::*;

/// Takes addresses for `size` bytes, a multiple of a page, before [`vmalloc_init`](super::vmalloc_init), for the first chunk of per-CPU data, which stays: Linux's `vm_area_register_early`.
///
/// # Errors
///
/// `ENOMEM`, the second time, too.
#[init]
pub(crate) fn register_early(size: usize) -> Result<usize, Errno> {
    areas::take_early(VMALLOC_START..VMALLOC_END, size).map(|range| range.start)
}

/// Allocates zeroed areas of `size` bytes, a multiple of a page, that are as far from each other as `places` say: distances from the lowest, each with the node whose
/// memory it gets. Gives the address that the distances count from. For chunks of per-CPU data; Linux's `pcpu_get_vm_areas`.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn get_vm_areas(places: &[(usize, usize)], size: usize) -> Result<usize, Errno> {
    let pages = size / PAGE_SIZE;
    let area = Area::new(VmFlags::PERCPU, get_vm_areas as *const () as usize).with_pages(pages as u32);
    // Far from what is taken from the low end.
    let base = areas::take_congruent(places, size, VMALLOC_START + (VMALLOC_END - VMALLOC_START) / 2, area)?;
    for &(distance, nid) in places {
        let populated = populate(base + distance, pages, Gfp::KERNEL | Gfp::ZERO, Some(nid), false);
        if populated.is_err() {
            for (distance, _) in places {
                // SAFETY: nobody was told of the addresses, and what is mapped there was allocated for them.
                unsafe { abandon(base + distance, true) };
            }
            return Err(Errno::ENOMEM);
        }
    }
    areas::count_pages((places.len() * pages) as isize);
    Ok(base)
}

/// Gives back what [`get_vm_areas`] gave.
///
/// # Safety
///
/// Nobody may use the memory any more.
pub(crate) unsafe fn free_vm_areas(base: usize, places: &[(usize, usize)]) {
    for (distance, _) in places {
        let removal = areas::begin_removal(base + distance, VmFlags::PERCPU);
        if warn_on!(removal.is_err(), "Trying to free nonexistent per-CPU area {:#x}", base + distance) {
            continue;
        }
        if let Ok((range, _)) = removal {
            // SAFETY: passed on.
            unsafe { release(range, true) };
        }
    }
}

//! Lists that outgrow the room that the image has for them: Linux's `memblock_double_array`.
//!
//! As long as memblock gives memory, a list moves to memory of its own; later it moves to slab.

use core::ops::Range;
use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::memblock::{Doubled, List, Memblock, MemblockError, Region};

use super::{DEBUG, MEMBLOCK, PAGE_SIZE, REGIONS, free};
use crate::mm::page::{PageFlags, virt_to_page};
use crate::mm::{Gfp, page_alloc, phys_to_virt, slab, virt_to_phys};
use crate::prelude::*;

/// Whether lists may grow.
static CAN_RESIZE: AtomicBool = AtomicBool::new(false);

/// Lets the lists grow from now on: what must not be allocated is known, and reserved. Linux's `memblock_allow_resize`.
#[init]
pub fn allow_resize() {
    CAN_RESIZE.store(true, Relaxed);
}

/// Does something to the lists, which changes nothing if there is no room for it: then there is made some, but not in `avoid`, and it is done again.
pub(super) fn with_room<R>(avoid: Range<u64>, operation: impl Fn(&mut Memblock<REGIONS>) -> Result<R, MemblockError>) -> Result<R, Errno> {
    loop {
        let mut memblock = MEMBLOCK.lock();
        let full = match operation(&mut memblock) {
            Err(MemblockError::Full(list)) if CAN_RESIZE.load(Relaxed) => list,
            done => return Ok(done?),
        };
        let old = match grow(&mut memblock, full, &avoid) {
            // What the other list moves to needs an entry of this one.
            Err(MemblockError::Full(list)) if list != full => grow(&mut memblock, list, &avoid),
            grown => grown,
        }?;
        drop(memblock);
        if let Some(old) = old {
            give_back(old);
        }
    }
}

/// Moves a list to where there is twice the room, and returns the array that it was in unless that is of the image.
fn grow(memblock: &mut Memblock<REGIONS>, list: List, avoid: &Range<u64>) -> Result<Option<&'static mut [Region]>, MemblockError> {
    if page_alloc::is_available() {
        return grow_late(memblock, list);
    }
    let array = |place, capacity| {
        let regions = phys_to_virt(place).cast::<Region>();
        // SAFETY: the place is free memory, aligned to a page and large enough, which is reserved from now on; zeros are empty regions.
        unsafe {
            regions.write_bytes(0, capacity);
            slice::from_raw_parts_mut(regions, capacity)
        }
    };
    let Doubled {
        list,
        capacity,
        place,
        old,
    } = memblock.double(list, avoid.clone(), array)?;
    if DEBUG.load(Relaxed) {
        pr_info!(
            "memblock: {list} is doubled to {capacity} at [mem {:#018x}-{:#018x}]",
            place.start,
            place.end - 1
        );
    }
    Ok(old)
}

/// The same when memory is the page allocator's: from slab.
fn grow_late(memblock: &mut Memblock<REGIONS>, list: List) -> Result<Option<&'static mut [Region]>, MemblockError> {
    let regions = match list {
        List::Memory => memblock.memory(),
        List::Reserved => memblock.reserved(),
    };
    let capacity = 2 * regions.capacity();
    let block = slab::slab_is_available()
        .then(|| slab::kzalloc(capacity * size_of::<Region>(), Gfp::NOWAIT))
        .flatten()
        .ok_or(MemblockError::Full(list))?;
    // SAFETY: the block was just allocated with that size and is the list's from now on; zeros are empty regions.
    let array = unsafe { slice::from_raw_parts_mut(block.cast::<Region>().as_ptr(), capacity) };
    Ok(memblock.move_to(list, array))
}

/// Gives an array back to whom it is from.
fn give_back(old: &'static mut [Region]) {
    let block = NonNull::from_mut(old).cast::<u8>();
    let is_ours = !page_alloc::is_available() || virt_to_page(block.as_ptr()).has(PageFlags::RESERVED);
    if is_ours {
        let size = size_of_val(old).next_multiple_of(PAGE_SIZE) as u64;
        let freed = free(virt_to_phys(block.as_ptr()), size);
        debug_assert!(freed.is_ok(), "a list that has grown has room");
    } else {
        // SAFETY: it is from `grow_late`, and the list has left it.
        unsafe { slab::kfree(block) };
    }
}

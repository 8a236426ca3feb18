//! Rust's heap: the boot's until there are caches, then `kmalloc`.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use super::kmalloc::{self, kfree, kmalloc};
use super::objects::{give, page_of, slab_page};
use super::pages::cache_of;
use crate::irq::irqs_disabled;
use crate::mm::page::PageFlags;
use crate::mm::{Gfp, boot_alloc};
use crate::preempt::in_interrupt;

/// The allocator of the crate `alloc`.
#[cfg_attr(target_os = "none", global_allocator)]
static HEAP: Heap = Heap;

/// Takes from whoever gives memory at the time.
struct Heap;

/// The size to ask `kmalloc` for, which aligns powers of two to themselves.
#[inline]
fn size_for(layout: Layout) -> usize {
    if layout.align() <= 8 {
        layout.size()
    } else {
        layout.size().next_power_of_two().max(layout.align())
    }
}

/// How the caller's context lets memory be had. Collections do not say.
#[inline]
fn context() -> Gfp {
    if irqs_disabled() || in_interrupt() {
        Gfp::ATOMIC
    } else {
        Gfp::KERNEL
    }
}

/// Whether a block is of the boot's heap: its page was reserved when the page allocator took over, and stays so.
fn is_boot_block(block: *mut u8) -> bool {
    !kmalloc::is_available() || page_of(block).is_none_or(|page| page.has(PageFlags::RESERVED))
}

// SAFETY: a block is handed out once until it is given back, by the boot's heap or by `kmalloc`, which keep that promise; it is as large and as aligned as asked for.
unsafe impl GlobalAlloc for Heap {
    // SAFETY: asks nothing of the caller that `GlobalAlloc` does not.
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !kmalloc::is_available() {
            return boot_alloc::alloc(layout);
        }
        kmalloc(size_for(layout), context()).map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    // SAFETY: `GlobalAlloc` has the caller promise that the block is one of ours, with this layout.
    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(object) = NonNull::new(block) else { return };
        if kmalloc::is_available()
            && let Some(page) = slab_page(block)
        {
            return give(cache_of(page), page, object);
        }
        // SAFETY: as promised by the caller; who has the page says which heap the block is of.
        unsafe {
            if is_boot_block(block) {
                boot_alloc::dealloc(object, layout)
            } else {
                kfree(object)
            }
        }
    }

    // SAFETY: the same, and that the new size makes a valid layout.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size makes a valid layout with the old alignment.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        if !is_boot_block(block)
            && let Some(object) = NonNull::new(block)
            && fits_as_well(object, layout, new)
        {
            return block;
        }
        // SAFETY: a size of 0 is not asked for; both blocks are valid for the smaller of the sizes, and the old one is the caller's to give up.
        unsafe {
            let moved = self.alloc(new);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

/// Whether a block has room for another size, and that size would not do with half of it.
fn fits_as_well(object: NonNull<u8>, old: Layout, new: Layout) -> bool {
    let room = kmalloc::ksize(object);
    new.size() <= room && (new.size() >= old.size() || new.size() > room / 2)
}

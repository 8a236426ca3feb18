//! Rust's heap during the boot, on top of memblock.
//!
//! Small blocks come in size classes, the powers of two from 16 to 2048 bytes, each with a list of free blocks and a page that new ones are cut from; larger
//! ones are whole pages. Nothing is given back to memblock but large blocks: what boots is mostly what stays. Running out is a null pointer, which the
//! collections of `alloc` turn into an error or a panic that says how much was asked for.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use super::{PAGE_SIZE, memblock, phys_to_virt, virt_to_phys};
use crate::irq::IrqMutex;
use crate::prelude::*;

/// The smallest class, which must hold a list's link.
const SMALLEST: usize = 16;
/// The largest class: two blocks to a page.
const LARGEST: usize = PAGE_SIZE / 2;
const CLASSES: usize = (LARGEST.ilog2() - SMALLEST.ilog2() + 1) as usize;

/// The heap.
#[cfg_attr(target_os = "none", global_allocator)]
static HEAP: BootAllocator = BootAllocator(IrqMutex::new(Heap::new()));

/// What the heap holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes in use, as asked for.
    pub in_use: usize,
    /// The most that ever was.
    pub peak: usize,
    /// Blocks in use.
    pub blocks: usize,
    /// Pages taken for small blocks.
    pub small_pages: usize,
    /// Pages of large blocks in use.
    pub large_pages: usize,
    /// Requests that could not be met.
    pub failures: usize,
}

/// What the heap holds now.
#[must_use]
pub fn stats() -> Stats {
    HEAP.0.lock().stats
}

struct BootAllocator(IrqMutex<Heap>);

/// A free block's first word.
struct Link {
    next: Option<NonNull<Link>>,
}

/// A size class: freed blocks, and the part of a page that has not been cut yet.
struct Class {
    free: Option<NonNull<Link>>,
    uncut: *mut u8,
    uncut_bytes: usize,
}

struct Heap {
    classes: [Class; CLASSES],
    stats: Stats,
}

// SAFETY: the pointers lead to memory that only the heap uses.
unsafe impl Send for Heap {}

/// The class whose blocks fit `layout`, or none if it takes pages. Blocks are aligned to their size.
fn class_of(layout: Layout) -> Option<usize> {
    let size = layout.size().max(layout.align()).max(SMALLEST);
    (size <= LARGEST).then(|| (size.next_power_of_two().ilog2() - SMALLEST.ilog2()) as usize)
}

fn pages(layout: Layout) -> usize {
    layout.size().div_ceil(PAGE_SIZE)
}

impl Class {
    const NEW: Class = Class {
        free: None,
        uncut: ptr::null_mut(),
        uncut_bytes: 0,
    };

    /// A block of `size` bytes, and whether a page was taken for it.
    fn take(&mut self, size: usize) -> Option<(*mut u8, bool)> {
        if let Some(block) = self.free {
            // SAFETY: blocks on the list are free and hold a link, which `give` wrote.
            self.free = unsafe { block.as_ref() }.next;
            return Some((block.as_ptr().cast(), false));
        }
        let new_page = self.uncut_bytes == 0;
        if new_page {
            let page = memblock::alloc(PAGE_SIZE as u64, PAGE_SIZE as u64).ok()?;
            (self.uncut, self.uncut_bytes) = (phys_to_virt(page.0), PAGE_SIZE);
        }
        let block = self.uncut;
        self.uncut = block.wrapping_add(size);
        self.uncut_bytes -= size;
        Some((block, new_page))
    }

    /// Takes a block back.
    ///
    /// # Safety
    ///
    /// The block must be one of this class that nobody uses any more.
    unsafe fn give(&mut self, block: NonNull<u8>) {
        let link = block.cast::<Link>();
        // SAFETY: every class is large enough for a link and aligned for one; the caller gives the block up.
        unsafe { link.write(Link { next: self.free }) };
        self.free = Some(link);
    }
}

impl Heap {
    const fn new() -> Heap {
        let stats = Stats {
            in_use: 0,
            peak: 0,
            blocks: 0,
            small_pages: 0,
            large_pages: 0,
            failures: 0,
        };
        Heap {
            classes: [const { Class::NEW }; CLASSES],
            stats,
        }
    }

    fn alloc(&mut self, layout: Layout) -> *mut u8 {
        let block = match class_of(layout) {
            Some(class) => self.classes[class].take(SMALLEST << class).map(|(block, new_page)| {
                self.stats.small_pages += usize::from(new_page);
                block
            }),
            None => {
                let bytes = pages(layout) * PAGE_SIZE;
                memblock::alloc(bytes as u64, layout.align().max(PAGE_SIZE) as u64)
                    .ok()
                    .map(|base| {
                        self.stats.large_pages += pages(layout);
                        phys_to_virt(base.0)
                    })
            }
        };
        match block {
            Some(block) => {
                self.stats.blocks += 1;
                self.stats.in_use += layout.size();
                self.stats.peak = self.stats.peak.max(self.stats.in_use);
                block
            }
            None => {
                self.stats.failures += 1;
                ptr::null_mut()
            }
        }
    }

    /// # Safety
    ///
    /// As [`GlobalAlloc::dealloc`].
    unsafe fn dealloc(&mut self, block: NonNull<u8>, layout: Layout) {
        self.stats.blocks -= 1;
        self.stats.in_use -= layout.size();
        match class_of(layout) {
            // SAFETY: the layout is the one that the block was allocated with, so it is of this class.
            Some(class) => unsafe { self.classes[class].give(block) },
            None => {
                self.stats.large_pages -= pages(layout);
                let freed = memblock::free(virt_to_phys(block.as_ptr()), (pages(layout) * PAGE_SIZE) as u64);
                debug_assert!(freed.is_ok(), "a large block is a reservation of its own");
            }
        }
    }
}

// SAFETY: a block is handed out once until it is given back: lists and pages are changed under the lock only. Blocks are as large and as aligned as `class_of`
// and memblock promise, and unwinding does not exist.
unsafe impl GlobalAlloc for BootAllocator {
    // SAFETY: asks nothing of the caller that `GlobalAlloc` does not.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.lock().alloc(layout)
    }

    // SAFETY: `GlobalAlloc` has the caller promise that the block is one of ours, with this layout.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(block) = NonNull::new(block) {
            // SAFETY: as promised by the caller.
            unsafe { self.0.lock().dealloc(block, layout) };
        }
    }

    // SAFETY: the same, and that the new size makes a valid layout.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size makes a valid layout with the old alignment.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let stays = match (class_of(layout), class_of(new)) {
            (None, None) => pages(layout) == pages(new),
            (old, new) => old == new,
        };
        let mut heap = self.0.lock();
        if stays {
            heap.stats.in_use = heap.stats.in_use - layout.size() + new_size;
            heap.stats.peak = heap.stats.peak.max(heap.stats.in_use);
            return block;
        }
        let moved = heap.alloc(new);
        if let (Some(_), Some(old)) = (NonNull::new(moved), NonNull::new(block)) {
            // SAFETY: both blocks are valid for the smaller of the two sizes and are different; the old one is the caller's to give back.
            unsafe {
                moved.copy_from_nonoverlapping(block, layout.size().min(new_size));
                heap.dealloc(old, layout);
            }
        }
        moved
    }
}

mod tests;

//! Rust's heap until there are [slab caches](super::slab), on top of memblock.
//!
//! Small blocks come in size classes, the powers of two from 16 to 2048 bytes, each with a list of free blocks and a page that new ones are cut from; larger
//! ones are whole pages. Nothing is given back to memblock but large blocks: what boots is mostly what stays. Blocks can be given back at any time, also when the heap
//! takes no others. Running out is a null pointer, which the collections of `alloc` turn into an error or a panic that says how much was asked for.

use core::alloc::Layout;
use core::ptr::{self, NonNull};

use super::{PAGE_SIZE, memblock, phys_to_virt, virt_to_phys};
use crate::locking::IrqSpinLock;

/// The smallest class, which must hold a list's link.
const SMALLEST: usize = 16;
/// The largest class: two blocks to a page.
const LARGEST: usize = PAGE_SIZE / 2;
const CLASSES: usize = (LARGEST.ilog2() - SMALLEST.ilog2() + 1) as usize;

/// The heap.
static HEAP: IrqSpinLock<Heap> = IrqSpinLock::new(Heap::new());

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

    /// A block of `size` bytes.
    fn take(&mut self, size: usize) -> Option<*mut u8> {
        if let Some(block) = self.free {
            // SAFETY: blocks on the list are free and hold a link, which `give` wrote.
            self.free = unsafe { block.as_ref() }.next;
            return Some(block.as_ptr().cast());
        }
        if self.uncut_bytes == 0 {
            let page = memblock::alloc(PAGE_SIZE as u64, PAGE_SIZE as u64).ok()?;
            (self.uncut, self.uncut_bytes) = (phys_to_virt(page.0), PAGE_SIZE);
            #[cfg(CONFIG_DEBUG_KMEMLEAK)]
            crate::kmemleak::root(self.uncut, PAGE_SIZE);
        }
        let block = self.uncut;
        self.uncut = block.wrapping_add(size);
        self.uncut_bytes -= size;
        Some(block)
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
        Heap {
            classes: [const { Class::NEW }; CLASSES],
        }
    }

    fn alloc(&mut self, layout: Layout) -> *mut u8 {
        let block = match class_of(layout) {
            Some(class) => self.classes[class].take(SMALLEST << class),
            None => memblock::alloc((pages(layout) * PAGE_SIZE) as u64, layout.align().max(PAGE_SIZE) as u64)
                .ok()
                .map(|base| phys_to_virt(base.0))
                .inspect(|block| {
                    #[cfg(CONFIG_DEBUG_KMEMLEAK)]
                    crate::kmemleak::root(*block, pages(layout) * PAGE_SIZE);
                    let _ = block;
                }),
        };
        block.unwrap_or(ptr::null_mut())
    }

    /// # Safety
    ///
    /// As [`dealloc`].
    unsafe fn dealloc(&mut self, block: NonNull<u8>, layout: Layout) {
        match class_of(layout) {
            // SAFETY: the layout is the one that the block was allocated with, so it is of this class.
            Some(class) => unsafe { self.classes[class].give(block) },
            None => {
                #[cfg(CONFIG_DEBUG_KMEMLEAK)]
                crate::kmemleak::free(block.as_ptr());
                let freed = memblock::free(virt_to_phys(block.as_ptr()), (pages(layout) * PAGE_SIZE) as u64);
                debug_assert!(freed.is_ok(), "a large block is a reservation of its own");
            }
        }
    }
}

/// A block, or null if there is no memory.
pub(super) fn alloc(layout: Layout) -> *mut u8 {
    HEAP.lock().alloc(layout)
}

/// Takes a block back.
///
/// # Safety
///
/// It must be from [`alloc()`], with this layout, and nobody may use it any more.
pub(super) unsafe fn dealloc(block: NonNull<u8>, layout: Layout) {
    // SAFETY: as promised by the caller.
    unsafe { HEAP.lock().dealloc(block, layout) };
}

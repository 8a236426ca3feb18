//! The memory of the collections' nodes.

use alloc::alloc::{Layout, alloc, dealloc};
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use incipit_lib::ida::{Bitmap, Bitmaps};
use incipit_lib::xarray::{Node, Nodes};

use crate::irq::IrqMutex;
use crate::prelude::*;

/// Nodes on the way to an index, at the most.
const HEIGHT: usize = usize::BITS.div_ceil(6) as usize;

/// Where all arrays have their nodes: a node's number is its address.
pub(super) struct KernelNodes;

pub(super) static NODES: KernelNodes = KernelNodes;

/// Nodes that were allocated in good time, each linked to the next.
static PRELOADED: IrqMutex<Preloaded> = IrqMutex::new(Preloaded { first: 0, count: 0 });

struct Preloaded {
    first: usize,
    count: usize,
}

/// Nodes that exist.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

fn allocate<T>() -> Option<usize> {
    // SAFETY: the layouts of nodes and bitmaps have a size.
    let block = ptr::NonNull::new(unsafe { alloc(Layout::new::<T>()) })?;
    Some(block.expose_provenance().get())
}

/// # Safety
///
/// `id` comes from [`allocate`] of the same type and is given up.
unsafe fn release<T>(id: usize) {
    // SAFETY: as the caller says.
    unsafe { dealloc(ptr::with_exposed_provenance_mut(id), Layout::new::<T>()) };
}

impl Nodes for KernelNodes {
    #[inline]
    fn node(&self, id: usize) -> &Node {
        // SAFETY: the trees ask for numbers only that `alloc` gave and that they have not given back; what is there is a node, all of whose words are atomic.
        unsafe { &*ptr::with_exposed_provenance(id) }
    }

    fn alloc(&self) -> Option<usize> {
        let id = allocate::<Node>().or_else(|| PRELOADED.lock().take())?;
        // SAFETY: the block has room for a node and is nobody's yet.
        unsafe { ptr::with_exposed_provenance_mut::<Node>(id).write(Node::new()) };
        ALLOCATED.fetch_add(1, Relaxed);
        Some(id)
    }

    fn free(&self, id: usize) {
        ALLOCATED.fetch_sub(1, Relaxed);
        // SAFETY: the trees give back what `alloc` gave, once.
        unsafe { release::<Node>(id) };
    }
}

impl Bitmaps for KernelNodes {
    fn bitmap(&self, id: usize) -> &Bitmap {
        // SAFETY: as for nodes.
        unsafe { &*ptr::with_exposed_provenance(id) }
    }

    fn alloc_bitmap(&self) -> Option<usize> {
        let id = allocate::<Bitmap>()?;
        // SAFETY: the block has room for a bitmap and is nobody's yet.
        unsafe { ptr::with_exposed_provenance_mut::<Bitmap>(id).write(Bitmap::new()) };
        Some(id)
    }

    fn free_bitmap(&self, id: usize) {
        // SAFETY: `Ida` gives back what `alloc_bitmap` gave, once.
        unsafe { release::<Bitmap>(id) };
    }
}

impl Preloaded {
    fn take(&mut self) -> Option<usize> {
        let id = self.first;
        if id == 0 {
            return None;
        }
        self.first = NODES.node(id).link[0].load(Relaxed);
        self.count -= 1;
        Some(id)
    }

    fn give(&mut self, id: usize) {
        NODES.node(id).link[0].store(self.first, Relaxed);
        self.first = id;
        self.count += 1;
    }
}

/// Sees to it that one store anywhere finds memory, if no more than one is under way: Linux's `radix_tree_preload`. To be called where waiting for memory is allowed,
/// before locks are taken.
///
/// # Errors
///
/// `ENOMEM`.
pub fn preload() -> Result<(), Errno> {
    while PRELOADED.lock().count < HEIGHT {
        let id = allocate::<Node>().ok_or(Errno::ENOMEM)?;
        // SAFETY: the block has room for a node and is nobody's yet.
        unsafe { ptr::with_exposed_provenance_mut::<Node>(id).write(Node::new()) };
        PRELOADED.lock().give(id);
    }
    Ok(())
}

/// How many nodes the arrays have.
#[must_use]
pub fn in_use() -> usize {
    ALLOCATED.load(Relaxed)
}

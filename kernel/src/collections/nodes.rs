//! The memory of the collections' nodes: a cache for each kind, made by the stages that Linux has for it.

use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use incipit_lib::ida::{Bitmap, Bitmaps};
use incipit_lib::xarray::{Node, Nodes};
use spin::Once;

use super::prio_tree;
use crate::locking::IrqSpinLock;
use crate::mm::Gfp;
use crate::mm::slab::{KmemCache, Slab, SlabFlags, kmem_cache_alloc, kmem_cache_create, kmem_cache_free};
use crate::prelude::*;

/// Nodes on the way to an index, at the most.
const HEIGHT: usize = usize::BITS.div_ceil(6) as usize;

/// Where all arrays have their nodes: a node's number is its address.
pub(super) struct KernelNodes;

pub(super) static NODES: KernelNodes = KernelNodes;

/// Nodes that were allocated in good time, each linked to the next.
static PRELOADED: IrqSpinLock<Preloaded> = IrqSpinLock::new(Preloaded { first: 0, count: 0 });

struct Preloaded {
    first: usize,
    count: usize,
}

/// Nodes that exist.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

/// Changing a collection happens under its lock, where waiting for memory is not allowed.
const UNDER_LOCK: Gfp = Gfp::NOWAIT.union(Gfp::NOWARN);

/// Blocks for values of one type, known by their addresses.
pub(super) struct Blocks<T> {
    cache: Once<&'static KmemCache>,
    of: PhantomData<fn() -> T>,
}

impl<T> Blocks<T> {
    const fn new() -> Self {
        Blocks {
            cache: Once::new(),
            of: PhantomData,
        }
    }

    /// Makes the cache, for a stage: the boot cannot go on without it.
    #[init]
    fn create(&self, name: &'static str, constructor: Option<fn(*mut u8)>) {
        if let Ok(cache) = kmem_cache_create(name, size_of::<T>(), align_of::<T>(), SlabFlags::PANIC, constructor) {
            self.cache.call_once(|| cache);
        }
    }

    /// A block with `value` in it.
    #[inline]
    pub(super) fn alloc(&self, gfp: Gfp, value: T) -> Option<usize> {
        let id = self.take(gfp)?;
        // SAFETY: the cache's objects are as large and as aligned as `T`; this one was just allocated.
        unsafe { ptr::with_exposed_provenance_mut::<T>(id).write(value) };
        Some(id)
    }

    /// A block with what the constructor made in it, or what was there when it was given back.
    #[inline]
    fn take(&self, gfp: Gfp) -> Option<usize> {
        let block = kmem_cache_alloc(self.cache.get()?, gfp)?;
        Some(block.expose_provenance().get())
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// The block comes from [`Blocks::alloc`] and is given up; what was in it is forgotten.
    #[inline]
    pub(super) unsafe fn free(&self, block: usize) {
        let block = NonNull::new(ptr::with_exposed_provenance_mut::<u8>(block));
        if let (Some(cache), Some(block)) = (self.cache.get(), block) {
            // SAFETY: as the caller says.
            unsafe { kmem_cache_free(cache, block) };
        }
    }
}

static NODE: Blocks<Node> = Blocks::new();
static BITMAP: Blocks<Bitmap> = Blocks::new();
pub(super) static INTERVAL: Blocks<prio_tree::Node> = Blocks::new();

/// Makes the cache of the bitmaps of [`super::idr::Ida`]; numbers can be handed out once there are nodes, too.
#[stage(after(crate::mm::vmalloc::vmalloc_init), before(crate::time::time_init), requires(Slab))]
#[init]
pub fn idr_init_cache() {
    BITMAP.create("ida_bitmap", None);
}

/// Makes the cache of the nodes of [`super::xarray::XArray`] and [`super::idr::Idr`].
#[stage(after(idr_init_cache), before(crate::time::time_init), requires(Slab))]
#[init]
pub fn radix_tree_init() {
    NODE.create("radix_tree_node", Some(construct_node));
}

/// Makes new memory a node. Those that are used again are nodes already; the trees put them in order.
fn construct_node(place: *mut u8) {
    // SAFETY: the cache gives memory for a node, which is nobody's yet.
    unsafe { place.cast::<Node>().write(Node::new()) };
}

/// Makes the cache of the nodes of [`super::prio_tree::PrioTree`].
#[stage(after(radix_tree_init), before(crate::time::time_init), requires(Slab))]
#[init]
pub fn prio_tree_init() {
    INTERVAL.create("prio_tree_node", None);
}

impl Nodes for KernelNodes {
    #[inline]
    fn node(&self, id: usize) -> &Node {
        // SAFETY: the trees ask for numbers only that `alloc` gave and that they have not given back; what is there is a node, all of whose words are atomic.
        unsafe { &*ptr::with_exposed_provenance(id) }
    }

    fn alloc(&self) -> Option<usize> {
        let id = NODE.take(UNDER_LOCK).or_else(|| PRELOADED.lock().take())?;
        ALLOCATED.fetch_add(1, Relaxed);
        Some(id)
    }

    fn free(&self, id: usize) {
        ALLOCATED.fetch_sub(1, Relaxed);
        // SAFETY: the trees give back what `alloc` gave, once.
        unsafe { NODE.free(id) };
    }
}

impl Bitmaps for KernelNodes {
    fn bitmap(&self, id: usize) -> &Bitmap {
        // SAFETY: as for nodes.
        unsafe { &*ptr::with_exposed_provenance(id) }
    }

    fn alloc_bitmap(&self) -> Option<usize> {
        BITMAP.alloc(UNDER_LOCK, Bitmap::new())
    }

    fn free_bitmap(&self, id: usize) {
        // SAFETY: `Ida` gives back what `alloc_bitmap` gave, once.
        unsafe { BITMAP.free(id) };
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
pub fn preload(gfp: Gfp) -> Result<(), Errno> {
    while PRELOADED.lock().count < HEIGHT {
        let id = NODE.take(gfp).ok_or(Errno::ENOMEM)?;
        PRELOADED.lock().give(id);
    }
    Ok(())
}

/// How many nodes the arrays have.
#[must_use]
pub fn in_use() -> usize {
    ALLOCATED.load(Relaxed)
}

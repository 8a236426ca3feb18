//! A cache: objects of one size, and where its slabs are.

use core::fmt;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use core::{ptr, slice};

use incipit_lib::slub::geometry::SlabFlags;
use incipit_lib::slub::{Geometry, Node};

use super::cpu::CpuSlabs;
use super::pages::Slab;
use crate::locking::IrqSpinLock;
use crate::mm::Gfp;

/// What a constructor is: it is called once for each object of a new slab, and again for nothing; who frees an object leaves it as constructed.
pub type Constructor = fn(*mut u8);

/// A cache of objects of one size: Linux's `struct kmem_cache`. It is followed by a pointer for each node, to what the cache has there.
#[repr(C)]
pub struct KmemCache {
    pub(super) cpu: CpuSlabs,
    pub(super) geometry: Geometry,
    pub(super) flags: SlabFlags,
    /// What is added to every request for pages.
    pub(super) gfp: Gfp,
    pub(super) min_partial: usize,
    pub(super) ctor: Option<Constructor>,
    pub(super) name: &'static str,
    /// Bytes of the objects of the greediest of its names.
    pub(super) object_size: AtomicU32,
    /// How many caches this one is.
    pub(super) refcount: AtomicU32,
    /// The next of all caches.
    pub(super) next: AtomicPtr<KmemCache>,
    pub(super) nodes: *const AtomicPtr<CacheNode>,
    pub(super) node_count: usize,
}

// SAFETY: what changes is atomic or behind a lock; the rest is set before anybody else knows of the cache. The pointers lead to what lives as long as the cache.
unsafe impl Sync for KmemCache {}
// SAFETY: the same.
unsafe impl Send for KmemCache {}

/// What a cache has in a node: Linux's `struct kmem_cache_node`.
pub struct CacheNode {
    pub(super) lists: IrqSpinLock<Node<Slab>>,
    /// Slabs, on the lists or not.
    pub(super) slabs: AtomicUsize,
    /// Objects of those.
    pub(super) objects: AtomicUsize,
}

impl CacheNode {
    /// A node of which the cache has nothing yet.
    pub const fn new() -> CacheNode {
        CacheNode {
            lists: IrqSpinLock::new(Node::new()),
            slabs: AtomicUsize::new(0),
            objects: AtomicUsize::new(0),
        }
    }
}

impl KmemCache {
    /// The name, as it was created with.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Bytes of an object, as its user has it: Linux's `kmem_cache_size`.
    #[must_use]
    pub fn object_size(&self) -> usize {
        self.object_size.load(Relaxed) as usize
    }

    /// Bytes that may be used of an object, whatever it was allocated for.
    pub(super) fn usable_size(&self) -> usize {
        let geometry = &self.geometry;
        let bytes = if self.flags.intersects(SlabFlags::RED_ZONE | SlabFlags::POISON) {
            geometry.object_size
        } else if self.flags.intersects(SlabFlags::TYPESAFE_BY_RCU | SlabFlags::STORE_USER) || self.ctor.is_some() {
            geometry.in_use
        } else {
            geometry.size
        };
        bytes as usize
    }

    /// What the cache is like.
    #[must_use]
    pub fn flags(&self) -> SlabFlags {
        self.flags
    }

    /// What the cache has in a node, if there is such a node.
    #[inline]
    pub(super) fn node(&self, nid: usize) -> Option<&'static CacheNode> {
        let node = self.node_slots().get(nid)?.load(Acquire);
        // SAFETY: null, or an object of the cache of nodes that lives as long as this cache.
        unsafe { node.as_ref() }
    }

    /// Puts what the cache has in a node in its place.
    pub(super) fn set_node(&self, nid: usize, node: *mut CacheNode) {
        self.node_slots()[nid].store(node, Release);
    }

    /// The nodes that the cache has something in.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (usize, &'static CacheNode)> + '_ {
        (0..self.node_count).filter_map(|nid| Some((nid, self.node(nid)?)))
    }

    fn node_slots(&self) -> &[AtomicPtr<CacheNode>] {
        // SAFETY: whoever made the cache put so many pointers there, and they live as long as the cache.
        unsafe { slice::from_raw_parts(self.nodes, self.node_count) }
    }

    /// Objects of all slabs, and those of them that are free on the nodes' lists.
    pub(super) fn count_objects(&self) -> (usize, usize) {
        self.nodes().fold((0, 0), |(objects, free), (_, node)| {
            (objects + node.objects.load(Relaxed), free + self.free_in(node))
        })
    }

    /// Free objects of a node's list.
    fn free_in(&self, node: &CacheNode) -> usize {
        let lists = node.lists.lock();
        let mut free = 0;
        let mut next = lists.partial.first();
        for _ in 0..lists.partial.len() {
            let Some(slab) = next else { break };
            let word = slab.word();
            free += (word.objects() - word.in_use()) as usize;
            next = Some(slab.next()).filter(|&slab| slab != Slab::NONE);
        }
        free
    }

    /// A cache that has no memory and no place yet.
    pub(super) const fn closed(name: &'static str, geometry: Geometry, flags: SlabFlags, gfp: Gfp, ctor: Option<Constructor>) -> KmemCache {
        KmemCache {
            cpu: CpuSlabs::NONE,
            min_partial: geometry.min_partial(),
            object_size: AtomicU32::new(geometry.object_size),
            geometry,
            flags,
            gfp,
            ctor,
            name,
            refcount: AtomicU32::new(1),
            next: AtomicPtr::new(ptr::null_mut()),
            nodes: ptr::null(),
            node_count: 0,
        }
    }
}

impl fmt::Debug for KmemCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmemCache")
            .field("name", &self.name)
            .field("geometry", &self.geometry)
            .finish_non_exhaustive()
    }
}

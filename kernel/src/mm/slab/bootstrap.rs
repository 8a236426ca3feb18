//! The first caches: a cache must be allocated from a cache.
//!
//! The description of a cache is an object of the cache `kmem_cache`, and what it has in a node is an object of `kmem_cache_node`; so both must be there before there is any. They begin
//! as statics. The first object of the first slab of `kmem_cache_node`, taken by hand, is that cache's own node; then `kmem_cache` opens, and both descriptions are copied into objects
//! of it. From there on caches are made like any others.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use incipit_lib::slub::geometry::{CACHE_LINE_SIZE, SlabFlags, kmalloc as sizes};
use incipit_lib::slub::{Backend, alloc};

use super::cache::{CacheNode, KmemCache};
use super::cpu::CpuSlabs;
use super::create::{self, KMEM_CACHE, KMEM_CACHE_NODE};
use super::kmalloc::{self, Kind};
use super::objects::{kmem_cache_alloc, kmem_cache_alloc_node};
use super::pages::{self, Request};
use crate::arch::x86::cpu::masks;
use crate::mm::numa::{self, MAX_NUMNODES};
use crate::mm::{Gfp, page_alloc};
use crate::prelude::*;

/// A cache that is a static until it can be an object.
struct BootCache {
    cache: UnsafeCell<MaybeUninit<KmemCache>>,
    nodes: [AtomicPtr<CacheNode>; MAX_NUMNODES],
}

// SAFETY: only `kmem_cache_init` uses them, once, while there is one CPU.
unsafe impl Sync for BootCache {}

#[initdata]
static BOOT_KMEM_CACHE: BootCache = BootCache::new();
#[initdata]
static BOOT_KMEM_CACHE_NODE: BootCache = BootCache::new();

/// The names of the caches of `kmalloc`, by number, of any memory and of that below 16 MiB.
const NAMES: [[&str; sizes::CACHES]; 2] = [
    [
        "",
        "kmalloc-96",
        "kmalloc-192",
        "kmalloc-8",
        "kmalloc-16",
        "kmalloc-32",
        "kmalloc-64",
        "kmalloc-128",
        "kmalloc-256",
        "kmalloc-512",
        "kmalloc-1k",
        "kmalloc-2k",
        "kmalloc-4k",
        "kmalloc-8k",
    ],
    [
        "",
        "dma-kmalloc-96",
        "dma-kmalloc-192",
        "dma-kmalloc-8",
        "dma-kmalloc-16",
        "dma-kmalloc-32",
        "dma-kmalloc-64",
        "dma-kmalloc-128",
        "dma-kmalloc-256",
        "dma-kmalloc-512",
        "dma-kmalloc-1k",
        "dma-kmalloc-2k",
        "dma-kmalloc-4k",
        "dma-kmalloc-8k",
    ],
];

impl BootCache {
    const fn new() -> BootCache {
        BootCache {
            cache: UnsafeCell::new(MaybeUninit::uninit()),
            nodes: [const { AtomicPtr::new(ptr::null_mut()) }; MAX_NUMNODES],
        }
    }

    /// Opens the cache where it is, with nothing in any node.
    #[init]
    fn open(&'static self, name: &'static str, size: usize) -> Result<&'static KmemCache, Errno> {
        let mut cache = create::describe(name, size, 0, SlabFlags::HWCACHE_ALIGN, None)?;
        cache.nodes = self.nodes.as_ptr();
        cache.node_count = numa::nr_node_ids();
        cache.cpu = CpuSlabs::new()?;
        // SAFETY: each is opened once, by the only thread that there is.
        Ok(unsafe { (*self.cache.get()).write(cache) })
    }
}

/// Opens the slab allocator: Linux's stage of the same name. From here on Rust's heap takes from it.
///
/// # Panics
///
/// Without memory for the first caches the boot cannot go on.
#[stage(
    after(crate::mm::mem_init::mem_init),
    before(crate::time::time_init),
    requires(page_alloc::PageAllocator),
    provides(super::Slab)
)]
#[init]
pub fn kmem_cache_init() {
    if let Err(error) = bootstrap().and_then(|()| create_kmalloc_caches()) {
        panic!("SLUB: cannot open the first caches: {error}");
    }
    let orders = create::orders();
    pr_info!(
        "SLUB: HWalign={CACHE_LINE_SIZE}, Order={}-{}, MinObjects={}, CPUs={}, Nodes={}",
        orders.min_order,
        orders.max_order,
        orders.min_objects,
        masks::nr_cpu_ids(),
        numa::nr_node_ids()
    );
}

/// Linux's stage of the same name. There it makes the thread that flushes other CPUs' slabs; here nothing is left to do, because each CPU flushes its own.
#[stage(after(page_alloc::gfp_allowed_mask), before(crate::console::console_init))]
#[init]
pub fn kmem_cache_init_late() {}

/// Makes the two caches that all others need.
#[init]
fn bootstrap() -> Result<(), Errno> {
    let nodes = BOOT_KMEM_CACHE_NODE.open("kmem_cache_node", size_of::<CacheNode>())?;
    for nid in numa::online_nodes() {
        take_first_node(nodes, nid)?;
    }
    let caches = BOOT_KMEM_CACHE.open("kmem_cache", create::description_size())?;
    for nid in numa::online_nodes() {
        let node = kmem_cache_alloc_node(nodes, Gfp::KERNEL, nid)
            .ok_or(Errno::ENOMEM)?
            .cast::<CacheNode>();
        // SAFETY: an object of the cache of nodes, which has just been allocated.
        unsafe { node.write(CacheNode::new()) };
        caches.set_node(nid, node.as_ptr());
    }
    KMEM_CACHE.store(move_in(caches, caches)?, Relaxed);
    let caches = KMEM_CACHE.load(Relaxed);
    // SAFETY: it has just been stored.
    KMEM_CACHE_NODE.store(move_in(nodes, unsafe { &*caches })?, Relaxed);
    Ok(())
}

/// Makes the first object of a new slab the node of the cache that the slab is of.
#[init]
fn take_first_node(nodes: &'static KmemCache, nid: usize) -> Result<(), Errno> {
    let request = Request {
        gfp: Gfp::NOWAIT,
        node: Some(nid),
    };
    let slab = pages::new_slab(nodes, request).ok_or(Errno::ENOMEM)?;
    let word = slab.word();
    let offset = word.link().offset().ok_or(Errno::ENOMEM)?;
    slab.set_word(word.with_link(nodes.link(slab, offset)).with_in_use(1));
    #[cfg(CONFIG_SLUB_DEBUG)]
    super::debug::activate(nodes, slab, offset);
    let node = slab.object(offset).cast::<CacheNode>();
    // SAFETY: the object is off the slab's list, and large enough.
    unsafe { node.write(CacheNode::new()) };
    nodes.set_node(nid, node);
    if let Some(node) = nodes.node(nid) {
        node.slabs.store(1, Relaxed);
        node.objects.store(word.objects() as usize, Relaxed);
        node.lists.lock().partial.push_front(nodes, slab);
    }
    Ok(())
}

/// Copies a cache's description into an object of the cache of caches, and makes its slabs that one's.
#[init]
fn move_in(boot: &'static KmemCache, caches: &'static KmemCache) -> Result<*mut KmemCache, Errno> {
    let place = kmem_cache_alloc(caches, Gfp::KERNEL).ok_or(Errno::ENOMEM)?;
    boot.with_interrupts_off(|| alloc::flush(boot));
    // SAFETY: the original is a whole cache, which nobody uses after this; what it owns goes over to the copy. The place has just been allocated from the cache of caches.
    let cache = unsafe { create::settle(place, ptr::from_ref(boot).read()) };
    for nid in 0..cache.node_count {
        let node = boot.node(nid).map_or(ptr::null_mut(), |node| ptr::from_ref(node).cast_mut());
        cache.set_node(nid, node);
        if let Some(node) = cache.node(nid) {
            let lists = node.lists.lock();
            let slabs = lists.partial.iter(cache).chain(lists.full.iter(cache));
            slabs.for_each(|slab| slab.set_cache(cache));
        }
    }
    create::add(cache);
    Ok(NonNull::from(cache).as_ptr())
}

/// Makes the caches that `kmalloc` takes from: the two odd sizes first, as Linux does.
#[init]
fn create_kmalloc_caches() -> Result<(), Errno> {
    for (kind, flags) in [
        (Kind::Normal, SlabFlags::KMALLOC),
        (Kind::Dma, SlabFlags::KMALLOC | SlabFlags::CACHE_DMA),
    ] {
        for (number, &name) in NAMES[kind as usize].iter().enumerate().skip(1) {
            let size = sizes::size(number);
            let align = if size.is_power_of_two() { size } else { 8 };
            let cache = create::create(name, size, align, flags, None)?;
            kmalloc::set_cache(kind, number, cache);
        }
    }
    Ok(())
}

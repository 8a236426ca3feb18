//! Memory for objects: caches of one size each, and `kmalloc` for any size. Linux's SLUB.
//!
//! The algorithm is [`incipit_lib::slub`]'s; here are the memory, the CPUs and the locks that it works on (`backend`, `cpu`, `pages`), the caches
//! (`cache`, `create`), how the first of them come about ([`bootstrap`]), and the fronts: [`kmalloc`](mod@kmalloc), Rust's heap (`global`).
//!
//! Objects can be allocated and freed anywhere, in interrupts too. What a free object holds is nobody's business but the allocator's.

mod backend;
pub mod bootstrap;
mod cache;
mod cpu;
mod create;
#[cfg(CONFIG_SLUB_DEBUG)]
mod debug;
mod destroy;
mod global;
mod info;
mod kbox;
pub mod kmalloc;
mod kvec;
mod limits;
mod merge;
mod objects;
mod pages;
mod report;
pub(crate) mod shrink;

pub use cache::KmemCache;
pub use create::kmem_cache_create;
pub use destroy::kmem_cache_destroy;
pub use incipit_lib::slub::geometry::SlabFlags;
#[cfg(CONFIG_KUNIT)]
pub use info::active_objects;
pub use info::slabinfo;
pub use kbox::{Cache, KBox};
pub use kmalloc::{kfree, kmalloc, kmalloc_node, krealloc, ksize, kzalloc};
pub use kvec::KVec;
pub use objects::{kmem_cache_alloc, kmem_cache_alloc_node, kmem_cache_free};
pub use pages::nr_slab_pages;
pub use shrink::{kmem_cache_shrink, shrink_all};

use crate::prelude::*;

/// Objects can be allocated: the caches of `kmalloc` are there, and Rust's heap takes from them.
#[capability]
pub struct Slab;

/// Whether there is a slab allocator: Linux's function of the same name.
#[inline]
#[must_use]
pub fn slab_is_available() -> bool {
    kmalloc::is_available()
}

mod tests;

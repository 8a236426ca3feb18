//! Memory before there is an allocator of pages: addresses, the boot-time allocators.
//!
//! [`memblock`] owns physical memory until the page allocator does, [`boot_alloc`] makes Rust's heap of it, [`sections`] knows where the image's parts are,
//! [`address`] which virtual address is which physical one. Page tables are the processor's matter and live in [`crate::arch::x86::mm`].

pub mod address;
pub mod boot_alloc;
pub mod brk;
#[cfg(CONFIG_DEBUG_PAGEALLOC)]
pub mod debug_pagealloc;
pub mod fault_inject;
pub mod hash;
pub mod kstack;
pub mod mem_init;
pub mod memblock;
pub mod meminfo;
#[cfg(CONFIG_NUMA)]
pub mod mempolicy;
pub mod numa;
pub mod page;
pub mod page_alloc;
pub mod page_debug;
#[cfg(CONFIG_PAGE_OWNER)]
pub mod page_ext;
#[cfg(CONFIG_PAGE_OWNER)]
pub mod page_owner;
#[cfg(CONFIG_PAGE_POISONING)]
mod page_poison;
pub mod pageset;
pub mod sections;
pub mod show_mem;
pub mod slab;
pub mod sparse;
#[cfg(CONFIG_KUNIT)]
mod stress;
pub mod vmalloc;
pub mod vmstat;
pub mod wmark;
pub mod zone;
pub mod zone_limits;
pub mod zonelist;

use crate::prelude::*;

/// Memory can be allocated, by memblock and from Rust's heap.
#[capability]
pub struct Heap;

/// What is known of pages beyond their `struct page` is kept.
#[capability]
pub struct PageExtensions;

/// The memory that tables of the firmware lie in is reserved: who takes much at once, or at a certain place, comes behind.
#[capability]
pub struct FirmwareMemory;

pub use incipit_lib::gfp::Gfp;

pub use address::{PAGE_OFFSET, PAGE_SHIFT, PAGE_SIZE, START_KERNEL_MAP, phys_to_virt, virt_to_phys};

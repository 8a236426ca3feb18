//! Hash tables that fit the memory of the machine: Linux's `alloc_large_system_hash`.
//!
//! How many buckets is [`incipit_lib::large_hash`]'s matter. An early table comes from memblock, a late one from the page allocator, or from vmalloc if it is too
//! large for that or is to be spread over the nodes; all stay for good.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed};

pub use incipit_lib::large_hash::TableRequest;

use super::page_alloc::{self, Gfp};
use super::{PAGE_SHIFT, PAGE_SIZE, memblock, numa, phys_to_virt, vmalloc, zone_limits};
use crate::prelude::*;

/// The first cache line's border, at which tables begin.
const SMP_CACHE_BYTES: usize = 64;

/// Whether large tables are spread over the nodes, and so made late: Linux's `hashdist`, which a machine with one node does not need.
static HASHDIST: AtomicBool = AtomicBool::new(true);

/// A bucket of a table.
///
/// # Safety
///
/// A value of all zeros must be valid, and an empty bucket.
pub unsafe trait Bucket: Sync + 'static {}

// SAFETY: 0 is a number.
unsafe impl Bucket for AtomicU32 {}
// SAFETY: as above.
unsafe impl Bucket for AtomicU64 {}
// SAFETY: it is null.
unsafe impl<T: 'static> Bucket for AtomicPtr<T> {}

/// When a table is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before there is a page allocator (`HASH_EARLY`).
    Early,
    /// Afterwards.
    Late,
}

/// A table: 2^[`shift`](Self::shift) buckets, each empty at first.
#[derive(Debug)]
pub struct SystemHash<B: 'static> {
    buckets: &'static [B],
}

impl<B> SystemHash<B> {
    /// How many buckets there are, as a power of two.
    #[must_use]
    pub fn shift(&self) -> u32 {
        self.buckets.len().ilog2()
    }

    /// The bucket for a hash, of which as many of the lowest bits count as the table has.
    #[inline]
    #[must_use]
    pub fn bucket(&self, hash: u64) -> &'static B {
        &self.buckets[hash as usize & (self.buckets.len() - 1)]
    }

    /// All buckets.
    #[must_use]
    pub fn buckets(&self) -> &'static [B] {
        self.buckets
    }
}

/// `hashdist=0|1`: whether large hash tables are spread over the nodes of the machine, which is done if it has several.
#[setup("hashdist=")]
#[init]
fn set_hashdist(value: &'static str) -> SetupResult {
    match value {
        "0" => HASHDIST.store(false, Relaxed),
        "1" => HASHDIST.store(true, Relaxed),
        _ => pr_warn!("Invalid option string for hashdist: '{value}' (0 or 1)"),
    }
    SetupResult::Consumed
}

/// Whether large tables are spread over the nodes, and so made late.
#[init]
pub fn hashdist() -> bool {
    cfg!(CONFIG_NUMA) && HASHDIST.load(Relaxed) && numa::nr_online_nodes() > 1
}

/// Makes a table as `request` describes it, smaller where there is not enough memory: Linux's function of the same name.
///
/// # Panics
///
/// Without memory for one page of it the boot cannot go on.
pub fn alloc_large_system_hash<B: Bucket>(request: &TableRequest, when: When) -> SystemHash<B> {
    const { assert!(align_of::<B>() <= SMP_CACHE_BYTES) };
    debug_assert_eq!(request.bucket_size, size_of::<B>());
    let (table, shift) = alloc_table(request, when);
    // SAFETY: the memory has that many buckets, aligned, all zeros, which is what an empty one is, and stays.
    let buckets = unsafe { core::slice::from_raw_parts(table.as_ptr().cast::<B>(), 1 << shift) };
    SystemHash { buckets }
}

/// Zeroed memory for a table, and how many buckets it is for, as a power of two.
#[init]
fn alloc_table(request: &TableRequest, when: When) -> (NonNull<u8>, u32) {
    let pages = zone_limits::nr_kernel_pages();
    let mut shift = request.shift(pages, pages);
    loop {
        let size = request.bucket_size << shift;
        if let Some(table) = alloc_zeroed(size, when) {
            pr_info!(
                "{} hash table entries: {} (order: {}, {size} bytes, {})",
                request.name,
                1_u64 << shift,
                size.ilog2() as i32 - PAGE_SHIFT as i32,
                if vmalloc::is_vmalloc_addr(table.as_ptr().addr()) {
                    "vmalloc"
                } else {
                    "linear"
                }
            );
            return (table, shift);
        }
        assert!(size > PAGE_SIZE && shift > 0, "Failed to allocate {} hash table", request.name);
        shift -= 1;
    }
}

/// Zeroed memory that stays.
#[init]
fn alloc_zeroed(size: usize, when: When) -> Option<NonNull<u8>> {
    let flags = Gfp::KERNEL | Gfp::ZERO | Gfp::NOWARN;
    match when {
        When::Early => {
            let place = memblock::alloc(size as u64, SMP_CACHE_BYTES as u64).ok()?;
            let place = NonNull::new(phys_to_virt(place.0))?;
            // SAFETY: the memory was just allocated with that size, and allocations are in the direct map.
            unsafe { place.write_bytes(0, size) };
            #[cfg(CONFIG_DEBUG_KMEMLEAK)]
            crate::kmemleak::root(place.as_ptr(), size);
            Some(place)
        }
        When::Late if hashdist() || page_alloc::get_order(size) > page_alloc::MAX_ORDER => vmalloc::vmalloc_huge(size, flags),
        When::Late => page_alloc::alloc_pages_exact(size, flags),
    }
}

#[ktest]
fn a_late_table_is_as_large_as_it_was_asked_for_and_empty() {
    let request = TableRequest {
        name: "Test",
        bucket_size: size_of::<AtomicU64>(),
        entries: 700,
        scale: 0,
        smallest: None,
        low_limit: 0,
        high_limit: 0,
    };
    let table = alloc_large_system_hash::<AtomicU64>(&request, When::Late);
    assert_eq!((table.shift(), table.buckets().len()), (10, 1024));
    assert!(table.buckets().iter().all(|bucket| bucket.load(Relaxed) == 0));
    assert!(core::ptr::eq(table.bucket(5), table.bucket(1024 + 5)));
    let first = NonNull::from_ref(table.buckets()).cast::<u8>();
    // SAFETY: allocated above with this size, and nobody else was told of it.
    unsafe {
        if vmalloc::is_vmalloc_addr(first.as_ptr().addr()) {
            vmalloc::vfree(first);
        } else {
            page_alloc::free_pages_exact(first, request.bucket_size << table.shift());
        }
    }
}

//! The table of names.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use spin::Once;

use super::{Bucket, Table};
use crate::mm::hash::{TableRequest, When, alloc_large_system_hash};
use crate::prelude::*;

static DENTRY_HASHTABLE: Once<Table> = Once::new();

/// `dhash_entries=`.
static ENTRIES: AtomicU64 = AtomicU64::new(0);

/// The table in which a name is found by its hash and that of its directory.
///
/// # Panics
///
/// Before `vfs_caches_init`.
#[must_use]
pub fn dentry_hashtable() -> &'static Table {
    DENTRY_HASHTABLE.get().expect("made by vfs_caches_init")
}

/// `dhash_entries=n`: gives the table of names `n` buckets, instead of one for 8 KiB of memory.
#[setup("dhash_entries=")]
#[init]
fn set_dhash_entries(value: &'static str) -> SetupResult {
    ENTRIES.store(super::entries("dhash_entries", value), Relaxed);
    SetupResult::Consumed
}

/// Makes the table: Linux's `dcache_init_early` or `dcache_init`.
#[init]
pub(super) fn init(when: When) {
    let request = TableRequest {
        name: "Dentry cache",
        bucket_size: size_of::<Bucket>(),
        entries: ENTRIES.load(Relaxed),
        scale: 13,
        smallest: None,
        low_limit: 0,
        high_limit: 0,
    };
    DENTRY_HASHTABLE.call_once(|| alloc_large_system_hash(&request, when));
}

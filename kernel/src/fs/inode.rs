//! The table of inodes.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use spin::Once;

use super::{Bucket, Table};
use crate::mm::hash::{TableRequest, When, alloc_large_system_hash};
use crate::prelude::*;

static INODE_HASHTABLE: Once<Table> = Once::new();

/// `ihash_entries=`.
static ENTRIES: AtomicU64 = AtomicU64::new(0);

/// The table in which an inode is found by its file system and number.
///
/// # Panics
///
/// Before `vfs_caches_init`.
#[must_use]
pub fn inode_hashtable() -> &'static Table {
    INODE_HASHTABLE.get().expect("made by vfs_caches_init")
}

/// `ihash_entries=n`: gives the table of inodes `n` buckets, instead of one for 16 KiB of memory.
#[setup("ihash_entries=")]
#[init]
fn set_ihash_entries(value: &'static str) -> SetupResult {
    ENTRIES.store(super::entries("ihash_entries", value), Relaxed);
    SetupResult::Consumed
}

/// Makes the table: Linux's `inode_init_early` or `inode_init`.
#[init]
pub(super) fn init(when: When) {
    let request = TableRequest {
        name: "Inode-cache",
        bucket_size: size_of::<Bucket>(),
        entries: ENTRIES.load(Relaxed),
        scale: 14,
        smallest: None,
        low_limit: 0,
        high_limit: 0,
    };
    INODE_HASHTABLE.call_once(|| alloc_large_system_hash(&request, when));
}

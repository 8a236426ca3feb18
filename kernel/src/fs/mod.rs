//! What file systems will share: so far the tables in which names and inodes are found again.
//!
//! Both tables are made early, from memory in one piece, unless large tables are to be spread over the nodes of the machine (`hashdist=`): then they are made when there is
//! a page allocator.

mod dcache;
mod inode;

pub use dcache::dentry_hashtable;
pub use inode::inode_hashtable;

use core::sync::atomic::AtomicU64;

use crate::mm::hash::{SystemHash, When, hashdist};
use crate::prelude::*;

/// A bucket: empty, or the address of the first of its entries.
pub type Bucket = AtomicU64;

/// A table by hash.
pub type Table = SystemHash<Bucket>;

/// Makes the tables, unless they are to be made late: Linux's stage of the same name.
#[stage(after(crate::pid::pidhash_init), before(crate::arch::x86::extable::sort_main_extable))]
#[init]
pub fn vfs_caches_init_early() {
    if !hashdist() {
        dcache::init(When::Early);
        inode::init(When::Early);
    }
}

/// Makes the tables that [`vfs_caches_init_early`] has left: Linux's stage of the same name, as far as there are file systems.
#[stage(after(crate::init::main::check_initrd))]
#[init]
pub fn vfs_caches_init() {
    if hashdist() {
        dcache::init(When::Late);
        inode::init(When::Late);
    }
}

/// How many entries a parameter asks for; what is no number is named.
#[init]
fn entries(name: &str, value: &str) -> u64 {
    incipit_lib::param::parse_int(value.as_bytes()).unwrap_or_else(|_| {
        pr_warn!("{name}={value} is no number: the table fits the memory");
        0
    })
}

#[ktest]
fn both_tables_are_there_and_empty() {
    use core::sync::atomic::Ordering::Relaxed;
    for table in [dentry_hashtable(), inode_hashtable()] {
        assert!(table.buckets().len() >= 512 && table.buckets().len() == 1 << table.shift());
        assert!(table.buckets().iter().all(|bucket| bucket.load(Relaxed) == 0));
    }
}

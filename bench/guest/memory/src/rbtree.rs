//! Red-black trees of 10,000 entries that look like being in no order: ours, and beside it that of the crate `intrusive-collections`.

use alloc::vec::Vec;

use incipit::prelude::*;
use incipit_bench_meter::measure_once;
use incipit_lib::rbtree::{Arena, Id, RbNode, RbRoot};
use intrusive_collections::{KeyAdapter, RBTree, RBTreeLink, intrusive_adapter};

use crate::trees::ENTRIES;

pub fn measure_all() -> Result<(), Errno> {
    let sorted = ours()? && of_the_crate()?;
    sorted.then_some(()).ok_or(Errno::EINVAL)
}

/// A multiplier prime to the number of entries: each key once, in an order that looks like none.
fn keys() -> impl Iterator<Item = u64> {
    (0..ENTRIES as u64).map(|index| index * 6_364_136_223 % ENTRIES as u64)
}

fn collect<T>(entries: impl Iterator<Item = T>) -> Result<Vec<T>, Errno> {
    let mut all = Vec::new();
    all.try_reserve_exact(ENTRIES).map_err(|_| Errno::ENOMEM)?;
    all.extend(entries);
    Ok(all)
}

/// A node with a key.
struct Entry {
    rb: RbNode,
    key: u64,
}

/// Entries are known by their addresses.
struct Addresses;

impl Addresses {
    fn entry<'a>(id: Id) -> &'a Entry {
        // SAFETY: all numbers in the tree are addresses of the entries below, which outlive it.
        unsafe { &*core::ptr::with_exposed_provenance(id.get()) }
    }
}

impl Arena for Addresses {
    #[inline]
    fn node(&self, id: Id) -> &RbNode {
        &Addresses::entry(id).rb
    }
}

fn ours() -> Result<bool, Errno> {
    let entries = collect(keys().map(|key| Entry { rb: RbNode::new(), key }))?;
    let tree = RbRoot::new();
    let id = |entry: &Entry| Id::new(core::ptr::from_ref(entry).expose_provenance());
    let inserted = measure_once("rbtree/insert", entries.iter(), |entry| {
        let Some(id) = id(entry) else { return false };
        tree.insert(&Addresses, id, |other| entry.key < Addresses::entry(other).key);
        true
    });
    let ordered = tree.iter(&Addresses).map(|id| Addresses::entry(id).key).eq(0..ENTRIES as u64);
    let erased = measure_once("rbtree/erase", entries.iter(), |entry| {
        let Some(id) = id(entry) else { return false };
        tree.erase(&Addresses, id);
        true
    });
    Ok(inserted && ordered && erased && tree.is_empty())
}

/// The same for the crate.
struct Linked {
    link: RBTreeLink,
    key: u64,
}

intrusive_adapter!(ByKey<'a> = &'a Linked: Linked { link => RBTreeLink });

impl<'b> KeyAdapter<'b> for ByKey<'_> {
    type Key = u64;

    fn get_key(&self, entry: &'b Linked) -> u64 {
        entry.key
    }
}

fn of_the_crate() -> Result<bool, Errno> {
    let entries = collect(keys().map(|key| Linked { link: RBTreeLink::new(), key }))?;
    let mut tree = RBTree::new(ByKey::new());
    let inserted = measure_once("intrusive/insert", entries.iter(), |entry| {
        tree.insert(entry);
        true
    });
    let ordered = tree.iter().map(|entry| entry.key).eq(0..ENTRIES as u64);
    let erased = measure_once("intrusive/erase", entries.iter(), |entry| {
        // SAFETY: the entry was inserted above, and is still in the tree.
        unsafe { tree.cursor_mut_from_ptr(entry) }.remove().is_some()
    });
    Ok(inserted && ordered && erased && tree.is_empty())
}

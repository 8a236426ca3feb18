//! Trees and numbers: each operation on all of 10,000 entries, in order, or for the red-black tree in an order that looks like none.

use alloc::vec::Vec;

use incipit::collections::idr::Idr;
use incipit::collections::Value;
use incipit::collections::xarray::XArray;
use incipit::prelude::*;
use incipit_bench_meter::measure_once;
use incipit_lib::rbtree::{Arena, Id, RbNode, RbRoot};

/// Entries of each tree.
const ENTRIES: usize = 10_000;

pub fn measure_all() -> Result<(), Errno> {
    let found = radix()? && xarray()? && idr()? && rbtree()?;
    found.then_some(()).ok_or(Errno::EINVAL)
}

/// One holder of the lock does all: as Linux's radix tree, which leaves locking to its user.
fn radix() -> Result<bool, Errno> {
    let array: XArray<Value> = XArray::new();
    let mut tree = array.lock();
    let inserted = measure_once("radix/insert", 0..ENTRIES, |index| tree.store(index, Value(index)).is_ok());
    let found = measure_once("radix/lookup", 0..ENTRIES, |index| tree.load(index).is_some());
    let removed = measure_once("radix/delete", 0..ENTRIES, |index| tree.remove(index).is_some());
    Ok(inserted && found && removed)
}

/// Each operation takes the lock.
fn xarray() -> Result<bool, Errno> {
    let array: XArray<Value> = XArray::new();
    let stored = measure_once("xarray/store", 0..ENTRIES, |index| array.lock().store(index, Value(index)).is_ok());
    let loaded = measure_once("xarray/load", 0..ENTRIES, |index| array.lock().load(index).is_some());
    let erased = measure_once("xarray/erase", 0..ENTRIES, |index| array.lock().remove(index).is_some());
    Ok(stored && loaded && erased)
}

fn idr() -> Result<bool, Errno> {
    let idr: Idr<Value> = Idr::new();
    let allocated = measure_once("idr/alloc", 0..ENTRIES, |index| idr.lock().alloc(0..=u32::MAX, Value(index)).is_ok());
    let found = measure_once("idr/find", 0..ENTRIES, |id| idr.lock().find(id as u32).is_some());
    let removed = measure_once("idr/remove", 0..ENTRIES, |id| idr.lock().remove(id as u32).is_some());
    Ok(allocated && found && removed)
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

fn rbtree() -> Result<bool, Errno> {
    let mut entries = Vec::new();
    entries.try_reserve_exact(ENTRIES).map_err(|_| Errno::ENOMEM)?;
    // A multiplier prime to the number of entries: each key once, in an order that looks like none.
    entries.extend((0..ENTRIES as u64).map(|index| Entry {
        rb: RbNode::new(),
        key: index * 6_364_136_223 % ENTRIES as u64,
    }));
    let tree = RbRoot::new();
    let id = |index: usize| Id::new((&raw const entries[index]).expose_provenance()).ok_or(Errno::EINVAL);
    let inserted = measure_once("rbtree/insert", 0..ENTRIES, |index| {
        let key = entries[index].key;
        id(index).is_ok_and(|id| {
            tree.insert(&Addresses, id, |other| key < Addresses::entry(other).key);
            true
        })
    });
    let ordered = tree.iter(&Addresses).map(|id| Addresses::entry(id).key).eq(0..ENTRIES as u64);
    let erased = measure_once("rbtree/erase", 0..ENTRIES, |index| {
        id(index).is_ok_and(|id| {
            tree.erase(&Addresses, id);
            true
        })
    });
    Ok(inserted && ordered && erased && tree.is_empty())
}

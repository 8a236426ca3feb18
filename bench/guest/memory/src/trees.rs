//! Trees of numbers: each operation on all of 10,000 entries, in order.

use incipit::collections::idr::Idr;
use incipit::collections::Value;
use incipit::collections::xarray::XArray;
use incipit::prelude::*;
use incipit_bench_meter::measure_once;

/// Entries of each tree.
pub const ENTRIES: usize = 10_000;

pub fn measure_all() -> Result<(), Errno> {
    let found = radix()? && xarray()? && idr()?;
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

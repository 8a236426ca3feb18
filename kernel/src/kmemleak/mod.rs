//! Finding memory that nobody can give back any more: Linux's kmemleak.
//!
//! Allocators report each block ([`alloc()`], [`free`]). A scan looks at all words of the image's data, of each CPU's area, of the stacks and of every block that is
//! reached from there; what looks like an address in a block counts as a reference to it. A block with fewer references than it should have is white, and after
//! it has not changed from one scan to the next, it is reported. What is reached is gray; a black block is neither looked for nor looked at.
//!
//! What is known of a block lies in pages that no allocator reports. Before those can be had, blocks go into a log that [`kmemleak_init`] works through.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use crate::mm::Gfp;
use crate::prelude::*;
use crate::stackdepot;

mod command;
mod early;
mod object;
mod report;
mod scan;
mod table;
mod tests;

use early::Event;
use table::TABLE;

pub use scan::scan;

/// References of a block that is never reported, but looked at for references to others.
const GRAY: i32 = 0;
/// References of a block that is not looked at either.
const BLACK: i32 = -1;

/// Whether blocks are remembered.
static ENABLED: AtomicBool = AtomicBool::new(!cfg!(CONFIG_DEBUG_KMEMLEAK_DEFAULT_OFF));
/// Whether the log is done with.
static INITIALIZED: AtomicBool = AtomicBool::new(false);

/// Milliseconds that a block is not reported for after it was allocated: who has it may not have put it anywhere yet.
#[param(name = "min_age", module = "kmemleak", perm = 0o644)]
static MIN_AGE: AtomicU32 = AtomicU32::new(5000);

/// `kmemleak=on` or `kmemleak=off`: whether memory that nobody can give back is looked for.
#[early_param("kmemleak")]
#[init]
fn kmemleak_boot_config(value: Option<&'static str>) -> Result<(), Errno> {
    match value {
        Some("on") => ENABLED.store(true, Relaxed),
        Some("off") => ENABLED.store(false, Relaxed),
        _ => return Err(Errno::EINVAL),
    }
    Ok(())
}

/// Works through the log: from here on blocks are remembered at once.
#[stage(after(crate::init::main::check_initrd), before(crate::mm::pageset::setup_per_cpu_pageset))]
#[init]
pub fn kmemleak_init() {
    INITIALIZED.store(true, Relaxed);
    early::replay();
}

/// Says that the detector is there.
#[initcall(late)]
#[init]
fn kmemleak_late_init() -> Result<(), Errno> {
    if is_enabled() {
        pr_info!(
            "kmemleak: Kernel memory leak detector initialized ({} objects)",
            TABLE.lock().objects()
        );
    }
    Ok(())
}

/// Whether blocks are remembered.
#[inline]
#[must_use]
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}

/// Reports a block of `size` bytes that was allocated. `min_count` references to it are its own allocator's, plus one that whoever allocated it should have; 0 if
/// it is never a leak, but may lead to other blocks. `gfp` is what it was allocated with.
#[inline]
pub fn alloc(block: *const u8, size: usize, min_count: i32, gfp: Gfp) {
    if is_enabled() {
        remember(block.addr(), size, min_count, gfp);
    }
}

/// Reports memory from vmalloc: the list of areas has its address, too, which is no reference of whoever allocated it.
#[inline]
pub fn vmalloc(block: *const u8, size: usize, gfp: Gfp) {
    alloc(block, size, 2, gfp);
}

/// Reports memory that is never a leak, but may lead to other blocks, from where no trace can be taken.
pub fn root(block: *const u8, size: usize) {
    note(Event::Alloc(block.addr(), size, GRAY, None));
}

/// Reports that a block is given back; before it is.
#[inline]
pub fn free(block: *const u8) {
    if is_enabled() {
        forget(block.addr());
    }
}

/// A block that nothing leads to, and that is no leak. It is still looked at.
pub fn not_leak<T>(block: *const T) {
    note(Event::Paint(block.addr(), GRAY));
}

/// A block that nothing leads to, that is no leak and leads to nothing.
pub fn ignore<T>(block: *const T) {
    note(Event::Paint(block.addr(), BLACK));
}

/// A block that is not looked at, because nothing in it is an address.
pub fn no_scan<T>(block: *const T) {
    note(Event::NoScan(block.addr()));
}

/// Only `size` bytes at `start` of the block that they lie in have addresses in them; to be called once for each such part.
pub fn scan_area(start: *const u8, size: usize) {
    note(Event::ScanArea(start.addr(), size));
}

#[cold]
#[inline(never)]
fn remember(block: usize, size: usize, min_count: i32, gfp: Gfp) {
    let trace = stackdepot::save_here(1);
    if INITIALIZED.load(Relaxed) {
        table::create(block, size, min_count, trace, gfp);
    } else {
        early::log(Event::Alloc(block, size, min_count, trace));
    }
}

#[cold]
#[inline(never)]
fn forget(block: usize) {
    note(Event::Free(block));
}

/// What happens to a block that is known already.
fn note(event: Event) {
    if !is_enabled() {
        return;
    }
    if INITIALIZED.load(Relaxed) {
        apply(event);
    } else {
        early::log(event);
    }
}

fn apply(event: Event) {
    let mut table = TABLE.lock();
    match event {
        Event::Alloc(block, size, min_count, trace) => {
            drop(table);
            table::create(block, size, min_count, trace, Gfp::KERNEL);
        }
        Event::Free(block) => table.delete(block),
        Event::Paint(block, color) => table.with(block, |object| object.paint(color)),
        Event::NoScan(block) => table.with(block, object::Object::set_no_scan),
        Event::ScanArea(start, size) => table.with(start, |object| object.add_area(start, size)),
    }
}

/// Ends it all, because of `reason`: what is not known of any more would look like leaks.
fn stop(reason: core::fmt::Arguments<'_>) {
    if ENABLED.swap(false, Relaxed) {
        pr_warn!("kmemleak: {reason}");
        pr_info!("kmemleak: Kernel memory leak detector disabled");
    }
}

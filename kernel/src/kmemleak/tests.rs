//! Blocks that are lost, and blocks that only look so. They say nothing unless `kmemleak=on`.

use alloc::boxed::Box;
use core::hint::black_box;

use super::object::Flags;
use super::*;

/// A mask that hides an address from the scan.
const HIDDEN: usize = 1 << 63;

/// A block of which only what is returned knows, hidden. It is not one of the first that there are: those had been given back, and their users may have left their
/// addresses anywhere.
#[inline(never)]
fn lose(value: u64) -> usize {
    let used_before = [(); 16].map(|()| Box::new([0_u64; 8]));
    let lost = Box::into_raw(Box::new([value; 8])).expose_provenance() ^ HIDDEN;
    drop(black_box(used_before));
    lost
}

/// The block; the compiler does not know, and keeps nothing of it.
fn find(hidden: usize) -> *mut [u64; 8] {
    core::ptr::with_exposed_provenance_mut(black_box(hidden) ^ HIDDEN)
}

/// Writes one of the block's words.
#[inline(never)]
fn write(hidden: usize, index: usize, word: usize) {
    // SAFETY: `lose` made the block, and nobody else uses it.
    unsafe { (*find(hidden))[index] = word as u64 };
}

/// Keeps the address in one lost block to another.
#[inline(never)]
fn link(from: usize, to: usize) {
    write(from, 2, find(to).addr());
}

/// Fills the stack below with other values than addresses that were there.
#[inline(never)]
fn clean_stack() {
    black_box([0_usize; 512]);
}

/// Runs a test, if the detector is on, with nothing in its frame that others left there: blocks have the addresses of blocks before them.
fn on_clean_stack(test: fn()) {
    if is_enabled() {
        clean_stack();
        test();
    }
}

/// Whether the block is reported when scans see that nothing changes: one for it, and one for the block before it that leads to it.
#[inline(always)]
fn is_reported(hidden: usize) -> bool {
    clean_stack();
    check(hidden)
}

#[inline(never)]
fn check(hidden: usize) -> bool {
    let age = MIN_AGE.swap(0, Relaxed);
    for _ in 0..3 {
        clean_stack();
        scan();
    }
    MIN_AGE.store(age, Relaxed);
    let mut reported = false;
    TABLE
        .lock()
        .with(find(hidden).addr(), |object| reported = object.has(Flags::REPORTED));
    reported
}

fn give_back(hidden: usize) {
    // SAFETY: `lose` made the block, and nobody uses it.
    drop(unsafe { Box::from_raw(find(hidden)) });
}

#[ktest]
fn a_lost_block_is_reported_and_one_that_is_found_again_is_not() {
    on_clean_stack(lost_and_found);
}

#[inline(never)]
fn lost_and_found() {
    static KEPT: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);
    let lost = lose(1);
    assert!((0..100).any(|_| is_reported(lost)));
    give_back(lost);

    let kept = lose(2);
    // An address inside of it will do.
    black_box(&KEPT).store(find(kept).addr() + 17, Relaxed);
    assert!(!is_reported(kept));
    KEPT.store(0, Relaxed);
    give_back(kept);
}

#[ktest]
fn what_only_a_lost_block_leads_to_is_lost() {
    on_clean_stack(chain);
}

#[inline(never)]
fn chain() {
    // A timer's interrupt may have left an address of one where the scan finds it, and nothing else comes for long. Another pair has better luck.
    let mut unlucky = [None; 8];
    let mut found = None;
    for place in &mut unlucky {
        let (outer, inner) = (lose(3), lose(4));
        link(outer, inner);
        if is_reported(outer) && is_reported(inner) {
            found = Some((outer, inner));
            break;
        }
        *place = Some((outer, inner));
    }
    let (outer, inner) = found.expect("a pair that is reported");
    unlucky.into_iter().flatten().for_each(|(outer, inner)| {
        give_back(outer);
        give_back(inner);
    });
    not_leak(find(outer));
    scan();
    TABLE.lock().with(find(inner).addr(), |object| assert!(object.is_gray()));
    give_back(outer);
    give_back(inner);
}

#[ktest]
fn blocks_that_are_no_leaks_are_left_alone() {
    on_clean_stack(painted);
}

#[inline(never)]
fn painted() {
    let (ignored, gray) = (lose(5), lose(6));
    ignore(find(ignored));
    not_leak(find(gray));
    assert!(!is_reported(ignored) && !is_reported(gray));
    give_back(ignored);
    give_back(gray);
}

#[ktest]
fn a_block_that_changes_is_in_use() {
    on_clean_stack(changing);
}

#[inline(never)]
fn changing() {
    let (lost, age) = (lose(7), MIN_AGE.swap(0, Relaxed));
    for round in 0..3 {
        write(lost, 0, round);
        clean_stack();
        scan();
        TABLE.lock().with(find(lost).addr(), |object| assert!(!object.has(Flags::REPORTED)));
    }
    MIN_AGE.store(age, Relaxed);
    give_back(lost);
}

#[ktest]
fn a_block_is_known_while_it_is_there_and_by_who_allocated_it() {
    on_clean_stack(known);
}

#[inline(never)]
fn known() {
    let lost = lose(8);
    let traced = |table: &table::Table| {
        let object = table.containing(find(lost).addr() + 63)?;
        Some((
            object.pointer(),
            object.facts.get().size,
            object.facts.get().trace?.addresses().count(),
        ))
    };
    let (pointer, size, depth) = traced(&TABLE.lock()).expect("a block with a trace");
    assert_eq!((pointer, size), (find(lost).addr(), 64));
    assert!(depth >= 3);
    give_back(lost);
    assert!(TABLE.lock().containing(find(lost).addr()).is_none());
}

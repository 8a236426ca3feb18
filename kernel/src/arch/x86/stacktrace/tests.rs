//! Tests of the walk over frames that are right, broken, and circular.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::*;
use crate::arch::x86::dumpstack::return_address;
use crate::mm::sections;
use crate::panic::symbols;

fn registers() -> (usize, usize) {
    let (bp, sp);
    // SAFETY: copies two registers.
    unsafe { asm!("mov {}, rbp", "mov {}, rsp", out(reg) bp, out(reg) sp, options(nomem, nostack, preserves_flags)) };
    (bp, sp)
}

/// The return slots from this frame on.
fn slots(bp: usize, sp: usize) -> impl Iterator<Item = usize> {
    Frames::new(bp, sp).map_while(|step| if let Step::Call { slot } = step { Some(slot) } else { None })
}

#[ktest]
fn this_tests_callers_are_found_up_to_the_end_of_the_stack() {
    let (bp, sp) = registers();
    let stack = stack_of(sp).expect("a known stack");
    let found = slots(bp, sp).count();
    assert!(found >= 3, "{found} frames");
    assert!(slots(bp, sp).all(|slot| stack.holds(slot, 8)));
    let first = slots(bp, sp).next().and_then(|slot| get_kernel_nofault(slot as *const u64).ok());
    assert!(first.is_some_and(|address| sections::is_text(address as usize)));
}

#[ktest]
fn a_frame_that_leads_to_itself_or_down_or_away_ends_the_walk() {
    let (_, sp) = registers();
    let mut frame = [0_usize; 2];
    let at = frame.as_ptr().addr();
    for next in [
        at,
        at - 64,
        at + 1,
        0,
        1,
        usize::MAX,
        sections::rodata().start_address(),
        0xffff_0000_0000_0000,
    ] {
        frame[0] = core::hint::black_box(next);
        assert!(slots(core::hint::black_box(at), sp).count() <= 1, "{next:#x}");
    }
    core::hint::black_box(&frame);
}

#[ktest]
fn a_stack_that_nobody_knows_has_no_frames() {
    for sp in [0, sections::data().start_address(), usize::MAX] {
        assert_eq!(Frames::new(sp, sp).count(), 0);
    }
    assert_eq!(stack_of(process::task_stack().start_address() - 1), None);
}

#[ktest]
fn the_page_below_a_stack_is_its_guard() {
    for stack in stacks() {
        assert_eq!(stack_with_guard_page(stack.begin - 1), Some(stack));
        assert_eq!(stack_with_guard_page(stack.begin - PAGE_SIZE), Some(stack));
        assert_eq!(stack_with_guard_page(stack.begin), None);
    }
    assert_eq!(stack_with_guard_page(process::task_stack().start_address() - PAGE_SIZE - 1), None);
}

#[ktest]
fn a_saved_trace_begins_with_the_caller_and_stops_where_the_room_ends() {
    let (mut all, mut first, mut rest) = ([0; 64], [0; 2], [0; 64]);
    let depth = save_stack_trace(&mut all, 0);
    assert!(depth >= 3 && all[..depth].iter().all(|address| sections::is_text(*address)));
    assert_eq!(save_stack_trace(&mut first, 0), 2);
    assert_eq!(save_stack_trace(&mut rest, 1), depth - 1);
    assert_eq!((first[1], &rest[..depth - 1]), (all[1], &all[1..depth]));
    assert_eq!(save_stack_trace(&mut [], 0), 0);
}

/// Where it was called from; on the way out that is taken it needs no frame.
#[inline(never)]
fn called_from(is_all: &AtomicBool) -> usize {
    let caller = return_address();
    if is_all.load(Relaxed) {
        return caller;
    }
    let mut frames = [0; 8];
    save_stack_trace(&mut frames, 0);
    core::hint::black_box(frames).iter().sum()
}

#[ktest]
fn who_returns_early_knows_the_caller_too() {
    let mut trace = [0];
    save_stack_trace(&mut trace, 0);
    let function = |address| symbols::lookup(address).map(|symbol| symbol.address);
    assert_eq!(function(called_from(&AtomicBool::new(true))), function(trace[0]));
}

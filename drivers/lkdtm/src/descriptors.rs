//! Exceptions about descriptors: segments and the task-state segment.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit::arch::x86::segment::TSS_SELECTOR;
use x86::dtables::{DescriptorTablePointer, sgdt};
use x86::segmentation::SegmentSelector;

use crate::crashpoints::{Outcome, SURVIVED};

/// The last entry of the descriptor table, which the kernel leaves empty.
pub const SPARE_SELECTOR: u16 = 15 * 8;
/// A selector behind the end of the table.
pub const NO_SELECTOR: u16 = 0xfff8;

/// Writable data of the kernel in all but one bit: it is not present (SDM 3, 3.4.5).
const DATA_NOT_PRESENT: u64 = 0x00cf_1300_0000_ffff;
/// The part of a limit that is in bits 15:0 of a descriptor. A task-state segment's limit has no other.
const LIMIT_MASK: u64 = 0xffff;
/// The last byte in front of the stack addresses of the exceptions, in a task-state segment (SDM 3, figure 8-11).
const LIMIT_WITHOUT_STACKS: u64 = 0x23;
/// The task-state segment is in use, which loading it again forbids.
const TSS_BUSY: u64 = 1 << 41;

/// The descriptor that `selector` names, in the table that this CPU uses.
fn descriptor(selector: u16) -> &'static AtomicU64 {
    let mut table = DescriptorTablePointer::<u64>::default();
    // SAFETY: only stores where the table is.
    unsafe { sgdt(&mut table) };
    let entry = table.base.wrapping_byte_add(usize::from(selector));
    // SAFETY: both selectors that are asked for lie in the table, which is in writable memory and stays.
    unsafe { AtomicU64::from_ptr(entry.cast_mut()) }
}

/// Puts the segment that is not present where [`SPARE_SELECTOR`] finds it.
pub fn prepare_not_present() {
    descriptor(SPARE_SELECTOR).store(DATA_NOT_PRESENT, Relaxed);
}

/// Gives the task-state segment the limit `limit`, and returns the one it had.
pub fn set_tss_limit(limit: u64) -> u64 {
    let tss = descriptor(TSS_SELECTOR);
    let old = tss.load(Relaxed);
    tss.store(old & !(LIMIT_MASK | TSS_BUSY) | limit, Relaxed);
    // SAFETY: the descriptor is an available task-state segment as before, in all but the limit. Exceptions that switch stacks fail if that is too small,
    // which is what the caller wants.
    unsafe { x86::task::load_tr(SegmentSelector::from_raw(TSS_SELECTOR)) };
    old & LIMIT_MASK
}

/// Cuts the task-state segment off in front of the exceptions' stacks.
pub fn cut_tss() -> u64 {
    set_tss_limit(LIMIT_WITHOUT_STACKS)
}

#[inline(never)]
pub fn invalid_tss() -> Outcome {
    let limit = cut_tss();
    // SAFETY: the exception is to run on a stack that lies behind the limit now, so it becomes another, which is an oops.
    unsafe { asm!("int 1") };
    set_tss_limit(limit);
    SURVIVED
}

#[inline(never)]
pub fn segment_not_present() -> Outcome {
    prepare_not_present();
    // SAFETY: the instruction faults. In 64-bit mode the segment means nothing.
    unsafe { asm!("mov es, {selector:e}", selector = in(reg) u32::from(SPARE_SELECTOR), options(nostack, preserves_flags)) };
    SURVIVED
}

#[inline(never)]
pub fn stack_segment() -> Outcome {
    prepare_not_present();
    // SAFETY: the instruction faults.
    unsafe { asm!("mov ss, {selector:e}", selector = in(reg) u32::from(SPARE_SELECTOR), options(nostack, preserves_flags)) };
    SURVIVED
}

#[inline(never)]
pub fn general_protection_selector() -> Outcome {
    // SAFETY: the instruction faults. In 64-bit mode the segment means nothing.
    unsafe { asm!("mov es, {selector:e}", selector = in(reg) u32::from(NO_SELECTOR), options(nostack, preserves_flags)) };
    SURVIVED
}

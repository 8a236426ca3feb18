//! Changing the protection of pages: Linux's `set_memory_ro` and its family.
//!
//! A page may be one of the image or one of the direct map. Each of the two mappings is changed by itself: what the other allows on the same bytes stays as it
//! is. Large pages of the direct map are split where a range begins or ends inside of them (`split`), and stay so.
//!
//! The change holds on all CPUs when the function returns, but for [`kernel_map_pages`].

use core::ops::Range;

use super::leaves::leaves;
use super::pgtable::{Entry, Flags};
use super::{split, tlb};
use crate::locking::IrqSpinLock;
use crate::mm::address::DIRECT_MAP_SIZE;
use crate::mm::{PAGE_OFFSET, PAGE_SIZE, START_KERNEL_MAP};
use crate::prelude::*;

/// Who changes a protection, one at a time: two might split one page twice, or lose each other's flags.
static CHANGES: IrqSpinLock<()> = IrqSpinLock::new(());

/// Makes `pages` pages from `address` on read-only.
///
/// # Errors
///
/// `EINVAL` if `address` is not a page's, or if one of the pages is neither the image's nor the direct map's; `ENOMEM` if a large page must be split and there
/// is no memory for the table. Nothing has changed then.
pub fn set_memory_ro(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::empty(), Flags::RW)
}

/// Makes pages writable.
///
/// # Errors
///
/// As for [`set_memory_ro`].
pub fn set_memory_rw(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::RW, Flags::empty())
}

/// Makes pages not executable.
///
/// # Errors
///
/// As for [`set_memory_ro`].
pub fn set_memory_nx(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::NX, Flags::empty())
}

/// Makes pages executable.
///
/// # Errors
///
/// As for [`set_memory_ro`].
pub fn set_memory_x(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::empty(), Flags::NX)
}

/// Makes pages fault on any access; [`set_memory_p`] brings them back as they were.
///
/// # Errors
///
/// As for [`set_memory_ro`].
pub fn set_memory_np(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::empty(), Flags::PRESENT)
}

/// Undoes [`set_memory_np`].
///
/// # Errors
///
/// As for [`set_memory_ro`].
pub fn set_memory_p(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::PRESENT, Flags::empty())
}

/// Takes pages away or brings them back, in any context: Linux's `__kernel_map_pages`. Only this CPU forgets at once what they were: who calls the others from an interrupt may
/// wait for ever, so they may reach the pages for a while longer.
///
/// # Errors
///
/// As for [`set_memory_ro`].
pub fn kernel_map_pages(address: usize, pages: usize, present: bool) -> Result<(), Errno> {
    let (set, clear) = if present {
        (Flags::PRESENT, Flags::empty())
    } else {
        (Flags::empty(), Flags::PRESENT)
    };
    change_entries(address, pages, set, clear).map(tlb::flush_range)
}

fn change(address: usize, pages: usize, set: Flags, clear: Flags) -> Result<(), Errno> {
    change_entries(address, pages, set, clear).map(tlb::flush_kernel_range)
}

/// Changes the entries, and says which addresses the CPUs are to forget.
fn change_entries(address: usize, pages: usize, set: Flags, clear: Flags) -> Result<Range<usize>, Errno> {
    let range = range_of(address, pages).ok_or(Errno::EINVAL)?;
    let _one_at_a_time = CHANGES.lock();
    if leaves(range.clone()).any(|leaf| leaf.entry() == Entry::NONE) {
        return Err(Errno::EINVAL);
    }
    let was_split = split::at(range.start)? | split::at(range.end)?;
    leaves(range.clone()).for_each(|leaf| {
        let old = leaf.entry();
        let new = Entry::new(old.phys(), (old.flags() | set) & !clear);
        // SAFETY: the entry leads where it led before. What the new protection forbids becomes a fault, which is what the caller asked for.
        unsafe { leaf.set(new) };
    });
    // The lock is free when the others are told: one may wait for it with interrupts off, and answers only when it has it.
    // Where a large page became small ones, what lies beside the range has other entries, too: all is forgotten.
    Ok(if was_split { 0..usize::MAX } else { range })
}

/// The addresses of `pages` pages from `address` on, if they lie in one of the two mappings.
fn range_of(address: usize, pages: usize) -> Option<Range<usize>> {
    let end = address.checked_add(pages.checked_mul(PAGE_SIZE)?)?;
    let in_direct_map = PAGE_OFFSET <= address && end <= PAGE_OFFSET + DIRECT_MAP_SIZE as usize;
    (address.is_multiple_of(PAGE_SIZE) && (in_direct_map || START_KERNEL_MAP <= address)).then_some(address..end)
}

mod tests;

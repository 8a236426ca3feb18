//! Mapping memory at addresses of the kernel while the page tables are in use: Linux's `vmap_range` and `vunmap_range`.
//!
//! Who calls this owns the addresses, so that nobody else touches their entries. Tables on the way to them are shared: they are put in with one exchange, and stay
//! for good. Nothing here flushes a TLB for an entry that becomes present: the processor does not remember what was not there.

use core::ops::Range;

use super::builder::{free_table, new_table};
use super::pgtable::{Entry, Flags, Level, PTRS_PER_TABLE, Table, current_pgd, walk};
use super::tlb;
use crate::mm::{Gfp, PAGE_SIZE};
use crate::prelude::*;

/// Maps pages from `start` on, whose physical addresses `pages` gives in order, and says how many got there: fewer than there are without memory for a table.
///
/// # Safety
///
/// The caller must own the addresses, where nothing may be mapped, and be allowed to have the pages used in the way of `flags`.
pub unsafe fn map_pages(start: usize, pages: impl ExactSizeIterator<Item = u64>, flags: Flags) -> usize {
    let count = pages.len();
    let mut pages = pages;
    let mut done = 0;
    while done < count {
        let address = start + done * PAGE_SIZE;
        let Ok(table) = table_of(address, Level::Pte) else { break };
        let first = Level::Pte.index(address);
        let here = (PTRS_PER_TABLE - first).min(count - done);
        for (index, phys) in (first..first + here).zip(pages.by_ref()) {
            // SAFETY: the address is the caller's, who vouches for the page.
            unsafe { table.set(index, Entry::new(phys, flags)) };
        }
        done += here;
    }
    done
}

/// Maps `size` bytes at physical address `phys` from `start` on, all multiples of 4 KiB, by pages of up to 2 MiB if `large` allows it and they fit.
///
/// # Errors
///
/// `ENOMEM`: there is no memory for a table. A part may be mapped then.
///
/// # Safety
///
/// As for [`map_pages`].
pub unsafe fn map_range(start: usize, phys: u64, size: usize, flags: Flags, large: bool) -> Result<(), Errno> {
    let mut done = 0;
    while done < size {
        let (address, target) = (start + done, phys + done as u64);
        let inside = (address | target as usize) & (Level::Pmd.size() - 1);
        if large && inside == 0 && size - done >= Level::Pmd.size() {
            // SAFETY: passed on.
            unsafe { map_huge(address, target, flags)? };
            done += Level::Pmd.size();
            continue;
        }
        let part = (Level::Pmd.size() - (address & (Level::Pmd.size() - 1))).min(size - done);
        let pages = (0..part / PAGE_SIZE).map(|page| target + (page * PAGE_SIZE) as u64);
        // SAFETY: passed on.
        let mapped = unsafe { map_pages(address, pages, flags) };
        if mapped * PAGE_SIZE != part {
            return Err(Errno::ENOMEM);
        }
        done += part;
    }
    Ok(())
}

/// Lets nothing be mapped in `range` any more, and calls `each` with what was: its physical address, and the level that says how large it was.
///
/// The processor may remember the mappings until it is told to forget them, which must be before the addresses lead elsewhere.
///
/// # Safety
///
/// The caller must own the addresses, and nobody may use them any more. No large page may reach beyond the range.
pub unsafe fn unmap_range(range: Range<usize>, mut each: impl FnMut(u64, Level)) {
    let mut address = range.start;
    while address < range.end {
        let (table, first, level) = walk(address);
        // The way from the top is gone once for each table of small pages.
        let count = match level {
            Level::Pte => (PTRS_PER_TABLE - first).min((range.end - address).div_ceil(PAGE_SIZE)),
            _ => 1,
        };
        for index in first..first + count {
            let entry = table.get(index);
            if entry.is_present() {
                // SAFETY: nobody uses the address any more.
                unsafe { table.set(index, Entry::NONE) };
                each(entry.phys(), level);
            }
        }
        address = (address & !(level.size() - 1)) + count * level.size();
    }
}

/// The table of `level` in which the entry for `address` stands. Tables that are missing are made.
fn table_of(address: usize, level: Level) -> Result<&'static Table, Errno> {
    // SAFETY: the processor uses this table now, and the kernel frees none that is in use.
    let mut table = unsafe { Table::at(current_pgd()) };
    let mut at = Level::Pgd;
    while at > level {
        let index = at.index(address);
        let mut entry = table.get(index);
        if !entry.is_present() {
            // What there is no memory for is said by who maps, if anybody wants to know.
            let new = Entry::new(new_table(Gfp::KERNEL | Gfp::NOWARN)?, Flags::TABLE);
            entry = match table.set_if_none(index, new) {
                Ok(()) => new,
                Err(others) => {
                    // SAFETY: made a moment ago, and no entry leads to it.
                    unsafe { free_table(new.phys()) };
                    others
                }
            };
        }
        if entry.is_leaf(at) {
            return Err(Errno::EINVAL);
        }
        // SAFETY: a present entry that maps no page leads to a table.
        table = unsafe { Table::at(entry.phys()) };
        at = at.below().ok_or(Errno::EINVAL)?;
    }
    Ok(table)
}

/// Maps a page of 2 MiB at `start`, which is a multiple of that, as `phys` is. A table of small pages that is left over there goes.
///
/// # Errors
///
/// `ENOMEM`.
///
/// # Safety
///
/// As for [`map_pages`].
pub unsafe fn map_huge(start: usize, phys: u64, flags: Flags) -> Result<(), Errno> {
    let directory = table_of(start, Level::Pmd)?;
    let index = Level::Pmd.index(start);
    let left_over = directory.get(index);
    // SAFETY: the addresses are the caller's, all that the entry is for, so the table maps nothing. The processor may remember the way to it, until it is told to
    // forget the address; only then is it given back.
    unsafe {
        directory.set(index, Entry::new(phys, flags | Flags::LARGE));
        if left_over.is_present() {
            tlb::flush_kernel_range(start..start + PAGE_SIZE);
            free_table(left_over.phys());
        }
    }
    Ok(())
}

/// Makes the tables in which addresses from `start` on are mapped first.
///
/// # Errors
///
/// `ENOMEM`.
pub fn prepare(start: usize) -> Result<(), Errno> {
    table_of(start, Level::Pte).map(drop)
}

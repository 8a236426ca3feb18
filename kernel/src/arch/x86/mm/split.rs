//! Splitting large pages, so that a part of one can have a protection of its own (Linux's `__split_large_page`).
//!
//! A split changes no translation: the entries of the new table lead where the large page led, with its flags, and the table is complete before it takes the
//! large page's place. The processor may know either or both until it is told to forget them, which is right because they agree; who then changes an entry
//! flushes the TLB. Tables are never put together again.

use core::sync::atomic::{Ordering::Release, fence};

use super::builder::new_table;
use super::leaves::Leaf;
use super::pgtable::{Entry, Flags, Level, PTRS_PER_TABLE, Table};
use crate::mm::Gfp;
use crate::prelude::*;

/// Makes `address`, a multiple of 4 KiB, the border of a page of the tables in use, and says whether that took a split.
///
/// # Errors
///
/// `ENOMEM`; what is split by then does no harm.
pub(super) fn at(address: usize) -> Result<bool, Errno> {
    let mut was_split = false;
    loop {
        let leaf = Leaf::of(address);
        if leaf.address == address || leaf.entry() == Entry::NONE {
            return Ok(was_split);
        }
        split(&leaf)?;
        was_split = true;
    }
}

/// Puts a table in the place of a large page.
fn split(leaf: &Leaf) -> Result<(), Errno> {
    // A leaf that an address lies inside of is larger than the smallest page.
    let below = leaf.level.below().ok_or(Errno::EINVAL)?;
    let table = new_table(Gfp::ATOMIC)?;
    // SAFETY: just made, and no processor uses it yet.
    fill(unsafe { Table::at(table) }, leaf.entry(), below);
    // The entries must be there before the table is.
    fence(Release);
    // SAFETY: through the table the addresses lead where they led, with the same protection.
    unsafe { leaf.set(Entry::new(table, Flags::TABLE)) };
    Ok(())
}

/// Fills a table of `level`, which no processor uses, with pages that are together what `large`, an entry of the level above, maps.
fn fill(table: &Table, large: Entry, level: Level) {
    let not_here = if level == Level::Pte { Flags::LARGE } else { Flags::empty() };
    for index in 0..PTRS_PER_TABLE {
        let page = large.phys() + (index * level.size()) as u64;
        // SAFETY: nobody uses the table yet.
        unsafe { table.set(index, Entry::new(page, large.flags() & !not_here)) };
    }
}

mod tests;

//! Holding the page tables in use against two rules: nothing is both writable and executable, and what is to stay as it is can be written by neither of its
//! addresses (Linux's `debug_checkwx` and `rodata_test`).
//!
//! For the first rule the tree itself is walked, not the ranges that somebody believes to be mapped. What an entry forbids need not be looked into: the
//! direct map is forbidden to be executed by its entries of the top table, so the cost does not grow with memory.

use super::leaves::leaves;
use super::pgtable::{Entry, Flags, Level, Table, current_pgd};
use crate::mm::phys_to_virt;
use crate::mm::sections::Section;
use crate::panic::Symbol;
use crate::prelude::*;

/// Checks the tables that this CPU uses, says what came of it, and warns of the first page that breaks a rule. The sections `read_only` are not to be written to
/// by the image's addresses, nor by the direct map's.
pub fn debug_checkwx(read_only: &[Section]) {
    let mut count = 0;
    for_each_wx_page(|address| {
        count += 1;
        warn_once!("x86/mm: Found insecure W+X mapping at address {}", Symbol(address));
    });
    if count == 0 {
        pr_info!("x86/mm: Checked W+X mappings: passed, no W+X pages found.");
    } else {
        pr_err!("x86/mm: Checked W+X mappings: FAILED, {count} W+X pages found.");
    }
    for &section in read_only {
        if let Some(address) = first_writable(section) {
            warn!("x86/mm: read-only data is writable at address {address:#x}");
        }
    }
}

/// Calls `found` with the address of each page that may be both written and executed.
fn for_each_wx_page(mut found: impl FnMut(usize)) {
    // SAFETY: the processor uses this table now, and the kernel frees none.
    let table = unsafe { Table::at(current_pgd()) };
    walk_executable(table, Level::Pgd, 0, true, &mut found);
}

/// Goes through what `table`, whose first entry is for `start`, allows to be executed. `writable`: whether the entries that lead to it allow writing.
fn walk_executable(table: &Table, level: Level, start: usize, writable: bool, found: &mut impl FnMut(usize)) {
    table.for_each_present(|index, entry| {
        if !entry.is_executable() {
            return;
        }
        let address = sign_extended(start + index * level.size());
        let writable = writable && entry.flags().contains(Flags::RW);
        match level.below() {
            Some(below) if !entry.is_leaf(level) => {
                // SAFETY: a present entry that maps no page leads to a table.
                walk_executable(unsafe { Table::at(entry.phys()) }, below, address, writable, found);
            }
            _ if writable => found(address),
            _ => {}
        }
    });
}

/// The first address, of the image or of the direct map, by which a byte of `section` may be written.
fn first_writable(section: Section) -> Option<usize> {
    let may_be_written = |entry: Entry| entry.is_present() && entry.flags().contains(Flags::RW);
    [section.start_address(), phys_to_virt(section.phys()).addr()]
        .into_iter()
        .flat_map(|start| leaves(start..start + section.len()))
        .find(|leaf| may_be_written(leaf.entry()))
        .map(|leaf| leaf.address)
}

/// The canonical address with these lower 48 bits.
fn sign_extended(address: usize) -> usize {
    ((address << 16) as isize >> 16) as usize
}

mod tests;

//! Holding the page tables in use against two rules: nothing is both writable and executable, and what is to stay as it is cannot be written by any address
//! (Linux's `debug_checkwx`, and the second half of its `rodata_test`).
//!
//! The whole tree is walked, not the ranges that somebody believes to be mapped: the mapping that nobody has thought of is the one that matters.

use core::fmt;

use super::pgtable::{Entry, Flags, Level, PTRS_PER_TABLE, Table, current_pgd};
use crate::mm::sections::Section;
use crate::panic::Symbol;
use crate::prelude::*;

/// What the tables map with one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The first address.
    pub address: usize,
    /// The physical address that it leads to.
    pub phys: u64,
    /// Bytes.
    pub size: usize,
    /// Whether it may be written, by the entry and all those that lead to it.
    pub writable: bool,
    /// Whether it may be executed, by the entry and all those that lead to it.
    pub executable: bool,
}

impl Page {
    /// Whether a byte of `section` can be reached through the page.
    fn shows(&self, section: Section) -> bool {
        let end = section.phys() + section.len() as u64;
        self.phys < end && section.phys() < self.phys + self.size as u64
    }
}

/// A rule that a page breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insecure {
    /// It may be both written and executed.
    WritableAndExecutable,
    /// It may be written and shows what is to be read only.
    WritableReadOnly,
}

impl fmt::Display for Insecure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WritableAndExecutable => "W+X",
            Self::WritableReadOnly => "writable read-only",
        })
    }
}

/// Checks the tables that this CPU uses, says what came of it, and warns of the first page that breaks a rule. No address may write to the sections `read_only`.
pub fn debug_checkwx(read_only: &[Section]) {
    let mut count = 0;
    for_each_insecure_page(read_only, |page, insecure| {
        count += 1;
        warn_once!("x86/mm: Found insecure {insecure} mapping at address {}", Symbol(page.address));
    });
    if count == 0 {
        pr_info!("x86/mm: Checked W+X mappings: passed, no W+X pages found.");
    } else {
        pr_err!("x86/mm: Checked W+X mappings: FAILED, {count} insecure pages found.");
    }
}

/// Calls `found` with each page that breaks a rule.
fn for_each_insecure_page(read_only: &[Section], mut found: impl FnMut(Page, Insecure)) {
    for_each_page(&mut |page| {
        if page.writable && page.executable {
            found(page, Insecure::WritableAndExecutable);
        }
        if page.writable && read_only.iter().any(|&section| page.shows(section)) {
            found(page, Insecure::WritableReadOnly);
        }
    });
}

/// Calls `visit` with everything that the tables in use map, in the order of the tables.
pub fn for_each_page(visit: &mut impl FnMut(Page)) {
    // SAFETY: the processor uses this table now, and the kernel frees none.
    let table = unsafe { Table::at(current_pgd()) };
    let everything = Flags::PRESENT | Flags::RW;
    visit_table(table, Level::Pgd, 0, everything, visit);
}

/// Visits what `table` maps, whose first entry is for `start`. `path` has what the entries that lead to the table allow and forbid.
fn visit_table(table: &Table, level: Level, start: usize, path: Flags, visit: &mut impl FnMut(Page)) {
    for index in 0..PTRS_PER_TABLE {
        let entry = table.get(index);
        if !entry.is_present() {
            continue;
        }
        let flags = entry.flags() & path & Flags::RW | (entry.flags() | path) & Flags::NX;
        let address = sign_extended(start + index * level.size());
        match level.below() {
            Some(below) if !entry.is_leaf(level) => {
                // SAFETY: a present entry that maps no page leads to a table.
                visit_table(unsafe { Table::at(entry.phys()) }, below, address, flags, visit);
            }
            _ => visit(page(entry, level, address, flags)),
        }
    }
}

fn page(entry: Entry, level: Level, address: usize, flags: Flags) -> Page {
    Page {
        address,
        phys: entry.phys(),
        size: level.size(),
        writable: flags.contains(Flags::RW),
        executable: !flags.contains(Flags::NX),
    }
}

/// The canonical address with these lower 48 bits.
fn sign_extended(address: usize) -> usize {
    ((address << 16) as isize >> 16) as usize
}

mod tests;

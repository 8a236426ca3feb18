//! Addresses that nothing uses, for the tests of this room: there a mapping of their own can stand in the tables in use.

use super::builder::{Mapping, PageTables};
use super::pgtable::{Entry, Flags, Level, Table, current_pgd};
use super::tlb;

/// The first of the addresses. They have an entry of the top table for themselves.
pub const WINDOW: usize = 0xffff_f000_0000_0000;

/// Calls `test` while `mapping`, which begins at [`WINDOW`], is in the tables in use, below an entry of the top table with the flags `top`. The test must not
/// access it: the processor may not have pages of that size.
pub fn with_mapping(mapping: Mapping, top: Flags, test: impl FnOnce()) {
    let index = Level::Pgd.index(WINDOW);
    let mut tables = PageTables::new().expect("memory for a table");
    tables.map(mapping).expect("memory for tables");
    // SAFETY: both tables exist, and what the entry leads to is complete. Nobody accesses the addresses.
    unsafe {
        let (ours, in_use) = (Table::at(tables.pgd()), Table::at(current_pgd()));
        assert_eq!(in_use.get(index), Entry::NONE);
        in_use.set(index, Entry::new(ours.get(index).phys(), top));
        test();
        in_use.set(index, Entry::NONE);
    }
    tlb::flush_all();
}

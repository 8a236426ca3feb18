//! Building page tables in memory of the boot-time allocator: new ones, and during the boot additions to those in use.
//!
//! An address that is given a mapping had none, so that no processor remembers anything of it, and each entry is right when it is written.

use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::pgt_buf;
use super::pgtable::{Entry, Flags, Level, PTRS_PER_TABLE, Table, current_pgd};
use crate::mm::page::{page_to_phys, pfn_to_page};
use crate::mm::{Gfp, PAGE_SHIFT, PAGE_SIZE, memblock, page_alloc, phys_to_virt, virt_to_phys};
use crate::prelude::*;

/// Page tables to which mappings are added, of addresses that nobody uses yet.
pub struct PageTables {
    pgd: u64,
    tables: usize,
}

/// A range of virtual addresses, where it leads, and how.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    /// The first virtual address, a multiple of 4 KiB.
    pub virt: usize,
    /// The physical address that it leads to, a multiple of 4 KiB.
    pub phys: u64,
    /// Bytes, a multiple of 4 KiB.
    pub size: usize,
    /// The flags of the pages.
    pub flags: Flags,
    /// The largest pages to use where both addresses are aligned and the range is long enough.
    pub largest: Level,
}

impl PageTables {
    /// Tables that map nothing.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> Result<PageTables, Errno> {
        Ok(PageTables {
            pgd: new_table(Gfp::KERNEL)?,
            tables: 1,
        })
    }

    /// The tables that the processor uses.
    ///
    /// # Safety
    ///
    /// Only addresses may be mapped that nobody uses.
    #[must_use]
    pub unsafe fn in_use() -> PageTables {
        PageTables {
            pgd: current_pgd(),
            tables: 0,
        }
    }

    /// The physical address of the top table.
    #[must_use]
    pub fn pgd(&self) -> u64 {
        self.pgd
    }

    /// How many pages of tables were added.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.tables
    }

    /// Adds a mapping. Where pages are mapped already, small ones are replaced; large ones must not be in the way.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EINVAL` if a part is mapped by a larger page.
    #[init]
    pub fn map(&mut self, mapping: Mapping) -> Result<(), Errno> {
        // SAFETY: `pgd` was made by `new_table`.
        let table = unsafe { Table::at(self.pgd) };
        self.map_in(table, Level::Pgd, mapping)
    }

    /// Leads the 1 GiB from `start` on, of which nothing is mapped yet, to `directory`, a table of the image or one that stays.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    #[init]
    pub fn link(&mut self, start: usize, directory: &'static Table) -> Result<(), Errno> {
        // SAFETY: `pgd` was made by `new_table`.
        let top = unsafe { Table::at(self.pgd) };
        let table = self.table_below(top, Level::Pgd.index(start), Level::Pgd)?;
        let phys = virt_to_phys(core::ptr::from_ref(directory).cast());
        // SAFETY: nobody uses the addresses yet; the directory is a table and stays.
        unsafe { table.set(Level::Pud.index(start), Entry::new(phys, Flags::TABLE)) };
        Ok(())
    }

    /// Forbids to execute anything in the parts of 512 GiB that `range` touches, whatever their pages allow.
    #[init]
    pub fn forbid_execution(&mut self, range: Range<usize>) {
        // SAFETY: `pgd` was made by `new_table`.
        let table = unsafe { Table::at(self.pgd) };
        for index in Level::Pgd.index(range.start)..=Level::Pgd.index(range.end - 1) {
            let entry = table.get(index);
            if entry.is_present() {
                // SAFETY: as above.
                unsafe { table.set(index, Entry::new(entry.phys(), entry.flags() | Flags::NX)) };
            }
        }
    }

    /// Adds the part of a mapping that lies below one table.
    #[init]
    fn map_in(&mut self, table: &Table, level: Level, mapping: Mapping) -> Result<(), Errno> {
        let Mapping {
            virt,
            phys,
            size,
            flags,
            largest,
        } = mapping;
        let mut done = 0;
        while done < size {
            let (at, target) = (virt + done, phys + done as u64);
            let inside = (at | target as usize) & (level.size() - 1);
            if level <= largest && inside == 0 && size - done >= level.size() {
                let end = level.index(at) + ((size - done) >> level.shift());
                done += map_pages(table, level, level.index(at)..end.min(PTRS_PER_TABLE), target, flags);
                continue;
            }
            let to_border = level.size() - (at & (level.size() - 1));
            let part = to_border.min(size - done);
            let below = level.below().ok_or(Errno::EINVAL)?;
            let inner = self.table_below(table, level.index(at), level)?;
            let mapping = Mapping {
                virt: at,
                phys: target,
                size: part,
                ..mapping
            };
            self.map_in(inner, below, mapping)?;
            done += part;
        }
        Ok(())
    }

    /// The table that an entry leads to, made if there is none.
    #[init]
    fn table_below(&mut self, table: &Table, index: usize, level: Level) -> Result<&'static Table, Errno> {
        let entry = table.get(index);
        let phys = if !entry.is_present() {
            let phys = new_table(Gfp::KERNEL)?;
            self.tables += 1;
            // SAFETY: nobody uses the addresses yet.
            unsafe { table.set(index, Entry::new(phys, Flags::TABLE)) };
            phys
        } else if entry.is_leaf(level) {
            return Err(Errno::EINVAL);
        } else {
            entry.phys()
        };
        // SAFETY: made by `new_table`, now or before.
        Ok(unsafe { Table::at(phys) })
    }
}

/// Maps whole pages from `phys` on with the entries of `table` in `range`, and returns how many bytes that is.
#[init]
fn map_pages(table: &Table, level: Level, range: Range<usize>, phys: u64, flags: Flags) -> usize {
    let large = if level == Level::Pte { Flags::empty() } else { Flags::LARGE };
    let size = range.len() * level.size();
    for (index, page) in range.zip((phys..).step_by(level.size())) {
        // SAFETY: nobody uses the addresses yet.
        unsafe { table.set(index, Entry::new(page, flags | large)) };
    }
    size
}

/// Tables that [`new_table`] made and that are there.
static NR_TABLES: AtomicUsize = AtomicUsize::new(0);

/// Pages that are tables of the kernel's addresses.
#[must_use]
pub fn nr_page_tables() -> usize {
    NR_TABLES.load(Relaxed)
}

/// An empty table's physical address: from the page allocator as soon as there is one, else from what the image has for it, then from memblock.
pub(super) fn new_table(gfp: Gfp) -> Result<u64, Errno> {
    let table = allocate_table(gfp)?;
    NR_TABLES.fetch_add(1, Relaxed);
    Ok(table)
}

fn allocate_table(gfp: Gfp) -> Result<u64, Errno> {
    if page_alloc::is_available() {
        return page_alloc::alloc_page(gfp | Gfp::ZERO).map(page_to_phys).ok_or(Errno::ENOMEM);
    }
    if let Some(table) = pgt_buf::take()? {
        return Ok(table);
    }
    let page = memblock::alloc(PAGE_SIZE as u64, PAGE_SIZE as u64)?;
    // SAFETY: the page was just allocated, and allocations are in the direct map.
    unsafe { phys_to_virt(page.0).cast::<[u64; PTRS_PER_TABLE]>().write_bytes(0, 1) };
    Ok(page.0)
}

/// Gives a table back that [`new_table`] made a moment ago, from the same allocator.
///
/// # Safety
///
/// Nothing may lead to it, nor have ever done so in tables that a processor uses.
pub(super) unsafe fn free_table(phys: u64) {
    NR_TABLES.fetch_sub(1, Relaxed);
    if page_alloc::is_available() {
        // SAFETY: nothing refers to the page any more.
        unsafe { page_alloc::free_pages(pfn_to_page(phys >> PAGE_SHIFT), 0) };
    } else {
        let freed = memblock::free(phys, PAGE_SIZE as u64);
        debug_assert!(freed.is_ok(), "a table is reserved, alone or among others");
    }
}

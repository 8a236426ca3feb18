//! A window of addresses at the top of the address space whose tables are part of the image: things can be mapped there before there is memory to allocate,
//! and the mappings stay when the final page tables take over (Linux's fixmap and its `early_ioremap` in one).
//!
//! [`super::ioremap`] maps here, and who wants to reach a device or a firmware table asks there; so does [`crate::arch::x86::text_poke`], for a moment. Tables for small pages are made when they are needed, before there is memory
//! from the image's brk ([`super::pgt_buf`]), and stay.

use core::ops::Range;

use arrayvec::ArrayVec;

use super::builder::new_table;
use super::pgtable::{Entry, Flags, Level, Table};
use super::tlb;
use crate::locking::IrqSpinLock;
use crate::mm::{Gfp, PAGE_SIZE};
use crate::prelude::*;

/// The window's addresses. The last 16 MiB of the address space are left out: error values look like addresses there.
const WINDOW: Range<usize> = 0xffff_ffff_e000_0000..0xffff_ffff_ff00_0000;

/// Mappings at a time.
const MAX_AREAS: usize = 128;

/// The table of the window's GiB, which both the early and the final page tables lead to.
pub static LEVEL2_FIXMAP_PGT: Table = Table::empty();

static AREAS: IrqSpinLock<Areas> = IrqSpinLock::new(Areas(ArrayVec::new_const()));

/// The window's addresses.
#[init]
#[must_use]
pub fn window() -> Range<usize> {
    WINDOW
}

/// The part of the address space that [`LEVEL2_FIXMAP_PGT`] is for.
pub(super) const fn start() -> usize {
    WINDOW.start & !(Level::Pud.size() - 1)
}

/// Addresses in use, in order.
struct Areas(ArrayVec<Range<usize>, MAX_AREAS>);

impl Areas {
    /// Takes the first free addresses of whole pages for `size` bytes that are as far into a large page as `phys` is, if `size` is at least one. A page is left
    /// free between two areas.
    fn take(&mut self, phys: u64, size: usize) -> Result<Range<usize>, Errno> {
        let large = Level::Pmd.size();
        let fit = |from: usize| match size {
            _ if size < large => from,
            _ => from + ((phys as usize).wrapping_sub(from) & (large - 1)),
        };
        let mut start = fit(WINDOW.start);
        let mut index = 0;
        for area in &self.0 {
            if start + size < area.start {
                break;
            }
            start = fit(area.end + PAGE_SIZE);
            index += 1;
        }
        let area = start..start.checked_add(size).filter(|&end| end <= WINDOW.end).ok_or(Errno::ENOMEM)?;
        if self.0.is_full() {
            return Err(Errno::ENOMEM);
        }
        self.0.insert(index, area.clone());
        Ok(area)
    }

    fn give_back(&mut self, area: &Range<usize>) {
        self.0.retain(|taken| taken != area);
    }
}

/// Maps the `size` bytes at `phys`, both multiples of 4 KiB, with `flags`, and returns their addresses. Large pages are used where they fit.
///
/// # Errors
///
/// `ENOMEM`: too many mappings, no addresses, or no memory for a table.
pub(in crate::arch::x86) fn map(phys: u64, size: usize, flags: Flags) -> Result<Range<usize>, Errno> {
    let mut areas = AREAS.lock();
    let area = areas.take(phys, size)?;
    if let Err(error) = fill(&area, phys, flags) {
        clear(&area);
        areas.give_back(&area);
        return Err(error);
    }
    Ok(area)
}

/// Undoes [`map`], on all CPUs.
///
/// # Safety
///
/// Nobody may use the addresses any more.
pub(in crate::arch::x86) unsafe fn unmap(area: &Range<usize>) {
    clear(area);
    // Before anybody else gets the addresses, and without the lock: a CPU that waits for that with interrupts off does not answer.
    tlb::flush_kernel_range(area.clone());
    let mut areas = AREAS.lock();
    areas.give_back(area);
}

fn fill(area: &Range<usize>, phys: u64, flags: Flags) -> Result<(), Errno> {
    let mut at = area.start;
    while at < area.end {
        let target = phys + (at - area.start) as u64;
        let index = Level::Pmd.index(at);
        let aligned = (at | target as usize).is_multiple_of(Level::Pmd.size()) && area.end - at >= Level::Pmd.size();
        let (table, level, entry) = if aligned && LEVEL2_FIXMAP_PGT.get(index) == Entry::NONE {
            (&LEVEL2_FIXMAP_PGT, Level::Pmd, Entry::new(target, flags | Flags::LARGE))
        } else {
            (level1(index)?, Level::Pte, Entry::new(target, flags))
        };
        // SAFETY: the addresses are this area's alone, and nobody has used them since they were last cleared.
        unsafe { table.set(level.index(at), entry) };
        at += level.size();
    }
    Ok(())
}

fn clear(area: &Range<usize>) {
    let mut at = area.start;
    while at < area.end {
        let entry = LEVEL2_FIXMAP_PGT.get(Level::Pmd.index(at));
        let (table, level) = match entry {
            Entry::NONE => break,
            large if large.is_leaf(Level::Pmd) => (&LEVEL2_FIXMAP_PGT, Level::Pmd),
            // SAFETY: an entry of this table that maps no page leads to one that `level1` put there.
            _ => (unsafe { Table::at(entry.phys()) }, Level::Pte),
        };
        // SAFETY: the addresses are the area's alone, whose user has given them up.
        unsafe { table.set(level.index(at), Entry::NONE) };
        tlb::flush_one(at);
        at += level.size();
    }
}

/// The table of small pages that entry `index` of [`LEVEL2_FIXMAP_PGT`] leads to, made if there is none.
fn level1(index: usize) -> Result<&'static Table, Errno> {
    let entry = LEVEL2_FIXMAP_PGT.get(index);
    let phys = match entry {
        Entry::NONE => {
            let phys = new_table(Gfp::ATOMIC)?;
            // SAFETY: the table is empty, and nothing else uses it.
            unsafe { LEVEL2_FIXMAP_PGT.set(index, Entry::new(phys, Flags::TABLE)) };
            phys
        }
        entry => entry.phys(),
    };
    // SAFETY: made by `new_table`, and it stays.
    Ok(unsafe { Table::at(phys) })
}

mod tests;

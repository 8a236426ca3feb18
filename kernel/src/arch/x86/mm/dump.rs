//! What the page tables hold for an address, for the report of a page fault.

use core::fmt::Write;

use super::pgtable::{Entry, Level, PTRS_PER_TABLE, current_pgd};
use crate::arch::x86::maccess::get_kernel_nofault;
use crate::mm::phys_to_virt;
use crate::panic::Line;
use crate::prelude::*;
use crate::printk;

/// Prints the entries on the way to `address` as Linux's `dump_pagetable` does, up to the one that maps it or is not present. The tables themselves may be what
/// is broken: one that cannot be read ends the line with `BAD`.
pub fn dump_pagetable(address: usize) {
    if !printk::ENABLED {
        return;
    }
    let mut line = Line::<128>::new();
    let mut table = current_pgd();
    let mut level = Some(Level::Pgd);
    while let Some(at) = level {
        let slot = phys_to_virt(table)
            .cast::<[u64; PTRS_PER_TABLE]>()
            .cast::<u64>()
            .wrapping_add(at.index(address));
        let Ok(value) = get_kernel_nofault(slot.cast_const()) else {
            let _ = line.write_str("BAD");
            break;
        };
        // The fourth level is the top one, which Linux shows twice: as the folded fifth level and as itself.
        let _ = match at {
            Level::Pgd => write!(line, "PGD {value:x} P4D {value:x} "),
            Level::Pud => write!(line, "PUD {value:x} "),
            Level::Pmd => write!(line, "PMD {value:x} "),
            Level::Pte => write!(line, "PTE {value:x}"),
        };
        let entry = Entry(value);
        if !entry.is_present() || entry.is_leaf(at) {
            break;
        }
        table = entry.phys();
        level = at.below();
    }
    pr_info!("{}", line.as_str());
}

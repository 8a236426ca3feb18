//! The tables that are needed before memblock gives memory: those of the [`fixmap`](super::fixmap), and the first of the final mapping, Linux's `early_alloc_pgt_buf`.

use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::locking::IrqSpinLock;
use crate::mm::{PAGE_SIZE, brk, virt_to_phys};
use crate::prelude::*;
use crate::reserve_brk;

/// Tables of the final mapping that need no memblock: Linux's `INIT_PGT_BUF_SIZE`, enough to map what the further ones are allocated from.
const INIT_PGT_BUF_TABLES: usize = 6;
/// Tables of the fixmap, each for 2 MiB of small pages; who maps more before there is memory gets an error.
const FIXMAP_TABLES: usize = 8;

reserve_brk!(EARLY_PGT_ALLOC, INIT_PGT_BUF_TABLES * PAGE_SIZE);
reserve_brk!(EARLY_FIXMAP_TABLES, FIXMAP_TABLES * PAGE_SIZE);

/// Tables of the fixmap that were asked for.
static FIXMAP_TAKEN: AtomicUsize = AtomicUsize::new(0);

/// What is left of the buffer: physical addresses.
static PGT_BUF: IrqSpinLock<Range<u64>> = IrqSpinLock::new(0..0);

/// Takes the buffer while there is a brk to take it from.
///
/// # Panics
///
/// If others took more than they declared.
#[init]
pub fn early_alloc_pgt_buf() {
    let size = INIT_PGT_BUF_TABLES * PAGE_SIZE;
    match brk::extend_brk(size, PAGE_SIZE) {
        Ok(memory) => {
            let phys = virt_to_phys(memory);
            *PGT_BUF.lock() = phys..phys + size as u64;
        }
        Err(error) => panic!("early_alloc_pgt_buf: no {INIT_PGT_BUF_TABLES} pages in the brk ({error})"),
    }
}

/// The physical address of a page of zeros for a table, while such pages come from the image: `None` from when they are used up.
///
/// # Errors
///
/// `ENOMEM` if the fixmap takes more tables than were declared.
pub(super) fn take() -> Result<Option<u64>, Errno> {
    if brk::is_available() {
        if FIXMAP_TAKEN.fetch_add(1, Relaxed) >= FIXMAP_TABLES {
            return Err(Errno::ENOMEM);
        }
        return brk::extend_brk(PAGE_SIZE, PAGE_SIZE).map(|table| Some(virt_to_phys(table)));
    }
    let mut buffer = PGT_BUF.lock();
    let first = buffer.start;
    Ok((!buffer.is_empty()).then(|| {
        buffer.start += PAGE_SIZE as u64;
        first
    }))
}

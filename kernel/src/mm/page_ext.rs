//! More to be known of each page than there is room for in it, for who needs that on this boot: Linux's `page_ext`.
//!
//! There is an array for each run of page frames that have pages ([`super::sparse::populated`]), from memblock; without a user there is none.

use core::ops::Range;

use spin::Once;

use super::page_owner::PageOwner;
use super::slab::KVec;
use super::{memblock, numa, page_owner, phys_to_virt, sparse};
use crate::prelude::*;

/// What is known of the frames of a run.
struct Run {
    pfns: Range<u64>,
    pages: &'static [PageOwner],
}

static RUNS: Once<KVec<Run>> = Once::new();

/// Takes the memory, if anybody needs it: Linux's `page_ext_init_flatmem`. Before `mem_init`, so that it lies in one piece.
#[stage(after(crate::arch::x86::traps::trap_init), before(super::mem_init::mem_init))]
#[init]
pub fn page_cgroup_init_flatmem() {
    if !page_owner::is_requested() {
        return;
    }
    match allocate_all() {
        Ok(runs) => {
            let bytes: usize = runs.iter().map(|run| size_of_val(run.pages)).sum();
            pr_info!("allocated {bytes} bytes of page_ext");
            RUNS.call_once(|| runs);
        }
        Err(error) => pr_err!("allocation of page_ext failed ({error}): page_owner is disabled"),
    }
}

#[init]
fn allocate_all() -> Result<KVec<Run>, Errno> {
    let mut runs = KVec::new();
    for pfns in sparse::populated() {
        let pages = allocate(pfns)?;
        runs.push(Run { pfns: pfns.clone(), pages })?;
    }
    Ok(runs)
}

#[init]
fn allocate(pfns: &Range<u64>) -> Result<&'static [PageOwner], Errno> {
    let count = (pfns.end - pfns.start) as usize;
    let place = memblock::alloc_node((count * size_of::<PageOwner>()) as u64, 64, numa::pfn_to_nid(pfns.start))?;
    let place = phys_to_virt(place.0).cast::<PageOwner>();
    // SAFETY: the memory was just allocated with that size and stays; all zeros is a valid value of the atomic integers in it.
    unsafe {
        place.write_bytes(0, count);
        Ok(core::slice::from_raw_parts(place, count))
    }
}

/// Begins to use it, when there is memory for what that takes: Linux's `page_ext_init`.
#[stage(
    after(crate::init::main::check_initrd),
    before(super::pageset::setup_per_cpu_pageset),
    provides(super::PageExtensions)
)]
#[init]
pub fn page_cgroup_init() {
    if RUNS.get().is_some() {
        page_owner::init();
    }
}

/// What is known of a page frame: Linux's `lookup_page_ext`.
#[must_use]
pub fn lookup(pfn: u64) -> Option<&'static PageOwner> {
    let runs = RUNS.get()?;
    let run = runs.get(runs.partition_point(|run| run.pfns.end <= pfn))?;
    run.pages.get(pfn.checked_sub(run.pfns.start)? as usize)
}

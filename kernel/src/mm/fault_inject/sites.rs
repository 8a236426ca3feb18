//! Every interface that gives memory, with each of its allocations failing in turn: an error, nothing lost, and the next attempt succeeds.

use arrayvec::ArrayVec;

use super::every_site;
use crate::arch::x86::mm::ioremap::{CacheMode, ioremap, memremap};
use crate::arch::x86::mm::pgtable::Flags;
use crate::collections::Value;
use crate::collections::idr::{Ida, Idr};
use crate::collections::prio_tree::PrioTree;
use crate::collections::xarray::XArray;
use crate::mm::kstack::KernelStack;
use crate::mm::page_alloc::{self, Pages, alloc_pages_bulk, alloc_pages_exact, free_pages, free_pages_and_kept, free_pages_exact};
use crate::mm::slab::{
    Cache, KBox, SlabFlags, active_objects, kfree, kmalloc, kmem_cache_create, kmem_cache_destroy, krealloc, kzalloc, shrink_all,
};
use crate::mm::vmalloc::{self, vfree, vm_unmap_aliases, vmap, vunmap};
use crate::mm::{Gfp, PAGE_SIZE};
use crate::percpu::alloc_percpu_with;
use crate::prelude::*;
use crate::resource::{Kind, request_region};

/// As any driver asks, without a report of what is failed on purpose.
const QUIET: Gfp = Gfp::KERNEL.union(Gfp::NOWARN);
/// The text mode's memory, which is no RAM on any PC.
const TEXT_MEMORY: u64 = 0xb_8000;

/// Free pages, and objects in use, when what is kept back for later is given back.
fn settled() -> (u64, usize) {
    vm_unmap_aliases();
    shrink_all();
    page_alloc::drain_all_pages();
    (free_pages_and_kept(), active_objects())
}

/// Fails each allocation of `attempt` in turn. It gives back whatever it took; it may do without an allocation that failed.
fn fails_in_turn(mut attempt: impl FnMut() -> Result<(), Errno>) {
    // What grows with use and stays, page tables and nodes of trees, does so now.
    assert_eq!(attempt(), Ok(()));
    let before = settled();
    let sites = every_site(attempt, |site, outcome| {
        match (&site, outcome) {
            (None, outcome) => assert_eq!(outcome, Ok(())),
            (Some(_), Ok(()) | Err(Errno::ENOMEM)) => {}
            (Some(site), Err(error)) => panic!("{error} at {site}"),
        }
        let after = settled();
        if let Some(site) = site {
            assert_eq!(after, before, "{site}");
        }
        assert_eq!(after, before);
    });
    assert_ne!(sites, 0, "nothing was allocated");
}

#[ktest]
fn pages_at_every_site() {
    fails_in_turn(|| Pages::new(QUIET, 0).map(drop));
    fails_in_turn(|| Pages::new(QUIET | Gfp::COMP | Gfp::ZERO, 5).map(drop));
    fails_in_turn(|| {
        let block = alloc_pages_exact(5 * PAGE_SIZE, QUIET).ok_or(Errno::ENOMEM)?;
        // SAFETY: just allocated, and nobody uses it.
        unsafe { free_pages_exact(block, 5 * PAGE_SIZE) };
        Ok(())
    });
    fails_in_turn(|| {
        let mut pages = [None; 40];
        let got = alloc_pages_bulk(QUIET, None, &mut pages);
        for page in pages.into_iter().flatten() {
            // SAFETY: just allocated, and nobody uses it.
            unsafe { free_pages(page, 0) };
        }
        if got == pages.len() { Ok(()) } else { Err(Errno::ENOMEM) }
    });
}

#[ktest]
fn objects_at_every_site() {
    fails_in_turn(|| KBox::new([0_u64; 9], QUIET).map(drop));
    fails_in_turn(|| {
        let block = kzalloc(3 * PAGE_SIZE, QUIET).ok_or(Errno::ENOMEM)?;
        // SAFETY: just allocated, and nobody uses it.
        unsafe { kfree(block) };
        Ok(())
    });
    fails_in_turn(|| {
        let block = kmalloc(100, QUIET).ok_or(Errno::ENOMEM)?;
        // SAFETY: just allocated, and nobody uses it; without memory the old block stays.
        unsafe {
            let larger = krealloc(block, 5000, QUIET);
            kfree(larger.unwrap_or(block));
            larger.map(drop).ok_or(Errno::ENOMEM)
        }
    });
    fails_in_turn(|| {
        let cache = kmem_cache_create("every-site", 104, 0, SlabFlags::NO_MERGE, None)?;
        // SAFETY: nothing has been taken from it.
        unsafe { kmem_cache_destroy(cache) };
        Ok(())
    });
}

#[ktest]
fn a_typed_cache_at_every_site() {
    // It stays, so there is only one.
    let cache = Cache::<[u64; 13]>::new("every-site-typed", SlabFlags::empty()).expect("memory");
    fails_in_turn(|| cache.alloc([1; 13], QUIET).map(drop));
}

#[ktest]
fn mapped_memory_at_every_site() {
    fails_in_turn(|| {
        let memory = vmalloc::vmalloc_gfp(600 * PAGE_SIZE, QUIET).ok_or(Errno::ENOMEM)?;
        // SAFETY: just allocated, and nobody uses it.
        unsafe { vfree(memory) };
        Ok(())
    });
    fails_in_turn(|| {
        let page = Pages::new(QUIET, 0)?;
        let memory = vmap(&[page.page(); 3], Flags::READ_WRITE).ok_or(Errno::ENOMEM)?;
        // SAFETY: nobody uses the addresses.
        unsafe { vunmap(memory) };
        Ok(())
    });
    fails_in_turn(|| KernelStack::new().map(drop));
    // Their addresses take memory only where a table is missing, so a page comes along.
    fails_in_turn(|| {
        let page = Pages::new(QUIET, 0)?;
        drop(ioremap(TEXT_MEMORY, PAGE_SIZE, CacheMode::Uncached)?);
        drop(memremap(TEXT_MEMORY, PAGE_SIZE)?);
        drop(page);
        Ok(())
    });
}

#[ktest]
fn large_mapped_pages_at_every_site() {
    let before = vmalloc::nr_pages();
    let allocate = || vmalloc::vmalloc_huge(600 * PAGE_SIZE, QUIET);
    // Whether a large page or many small ones: the table of the latter stays, so free pages say nothing.
    every_site(allocate, |site, memory| {
        assert!(memory.is_some() || site.is_some());
        if let Some(memory) = memory {
            // SAFETY: just allocated, and nobody uses it.
            unsafe { vfree(memory) };
        }
        assert_eq!(vmalloc::nr_pages(), before);
    });
}

#[ktest]
fn per_cpu_data_at_every_site() {
    // More than the first chunk has room for, and the one that stays when it is empty.
    fails_in_turn(|| {
        let mut rooms = ArrayVec::<_, 48>::new();
        while !rooms.is_full() {
            rooms.push(alloc_percpu_with(|_| [0_u64; 256])?);
        }
        Ok(())
    });
}

#[ktest]
fn collections_at_every_site() {
    fails_in_turn(|| {
        let array = XArray::new();
        for index in [0, 1 << 12, 1 << 40] {
            let number = KBox::new(index as u64, QUIET)?;
            array.lock().store(index, number)?;
        }
        Ok(())
    });
    fails_in_turn(|| {
        let numbers = Idr::new();
        (0..200).try_for_each(|number| numbers.lock().alloc(0..=999, Value(number)).map(drop))
    });
    fails_in_turn(|| {
        let numbers = Ida::new();
        (0..2000).try_for_each(|number| numbers.alloc(number..=u32::MAX).map(drop))
    });
    fails_in_turn(|| {
        let tree = PrioTree::new();
        (0..9).try_for_each(|start| tree.insert(start..=start + 4, Value(1), QUIET).map(drop))
    });
}

#[ktest]
fn claims_and_parameters_at_every_site() {
    fails_in_turn(|| {
        let mut claims = ArrayVec::<_, 64>::new();
        for port in 0x9a00..0x9a40 {
            claims.push(request_region(Kind::Io, port..=port, "every-site")?);
        }
        // The list of claims stays as long as it has become: something else has to fail, too.
        KBox::new(0_u64, QUIET).map(drop)
    });
    fails_in_turn(|| {
        static TEXT: Charp = Charp::none();
        TEXT.set(Some(b"a text on the heap")).map_err(Errno::from)
    });
}

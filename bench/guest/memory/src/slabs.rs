//! Objects: of the general caches, and of one of their own.

use incipit::mm::Gfp;
use incipit::mm::slab::{Cache, SlabFlags, kfree, kmalloc};
use incipit::prelude::*;
use incipit_bench_meter::measure_loop;

use crate::PAIRS;

pub fn measure_all() -> Result<(), Errno> {
    measure_loop("kmalloc/64", PAIRS, || pair(64));
    measure_loop("kmalloc/4096", PAIRS, || pair(4096));
    let cache = Cache::<[u64; 8]>::new("bench_object", SlabFlags::empty())?;
    measure_loop("cache", PAIRS, || cache.alloc([0; 8], Gfp::KERNEL).is_ok());
    Ok(())
}

#[inline(always)]
fn pair(size: usize) -> bool {
    let Some(block) = kmalloc(size, Gfp::KERNEL) else { return false };
    // SAFETY: allocated above, and nobody knows of it.
    unsafe { kfree(block) };
    true
}

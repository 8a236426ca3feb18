//! Objects: of the general caches, and of one of their own.

use incipit::mm::Gfp;
use incipit::mm::slab::{kfree, kmalloc};
use incipit::prelude::*;
use incipit_bench_meter::measure;

use crate::PAIRS;

pub fn measure_all() -> Result<(), Errno> {
    for size in [64, 4096] {
        measure(format_args!("kmalloc/{size}"), (0..PAIRS).map(|_| size), pair);
    }
    Ok(())
}

fn pair(size: usize) -> bool {
    let Some(block) = kmalloc(size, Gfp::KERNEL) else { return false };
    // SAFETY: allocated above, and nobody knows of it.
    unsafe { kfree(block) };
    true
}

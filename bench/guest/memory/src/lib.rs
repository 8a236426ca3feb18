//! What memory takes: a pair of allocating and freeing by each interface, and trees of 10,000 entries.
//!
//! Each figure is of pairs in a warm state, as Linux's beside it are: what the first of them had to set up is not in it.

#![no_std]

extern crate alloc;

mod pages;
mod rbtree;
mod slabs;
mod trees;

use incipit::prelude::*;

/// How many pairs make a figure.
const PAIRS: usize = 1000;

#[initcall(late)]
fn bench_memory() -> Result<(), Errno> {
    pages::measure_all();
    slabs::measure_all()?;
    trees::measure_all()?;
    rbtree::measure_all()
}

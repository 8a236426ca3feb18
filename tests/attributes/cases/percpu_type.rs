//! Per-CPU variables of types that their variant has no place for.

use std::sync::atomic::AtomicU32;

use incipit::prelude::*;

#[percpu(page_aligned)]
static SMALL: AtomicU32 = AtomicU32::new(0); //~ ERROR this variant of `#[percpu]` needs a type aligned to 4096 bytes: use `#[repr(align(4096))]`

#[percpu(shared_aligned)]
static NARROW: AtomicU32 = AtomicU32::new(0); //~ ERROR this variant of `#[percpu]` needs a type aligned to 64 bytes: use `#[repr(align(64))]`

#[percpu] //~ ERROR a per-CPU variable without a size has no place
static NOTHING: () = ();

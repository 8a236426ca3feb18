//! Per-CPU variables: statics without `mut`, in one of the variants that there are.

use std::sync::atomic::AtomicU32;

use incipit::prelude::*;

#[percpu(cold)] //~ ERROR unknown variant `cold`: must be one of first, page_aligned, read_mostly, shared_aligned
static UNKNOWN_VARIANT: AtomicU32 = AtomicU32::new(0);

#[percpu]
static mut MUTABLE: u32 = 0; //~ ERROR a per-CPU variable is changed through its cells or atomics: leave `mut` out

#[percpu]
fn function() {} //~ ERROR `#[percpu]` stands on a static: `#[percpu] static NAME: T = …;`

#[percpu(first, read_mostly)] //~ ERROR unexpected token
static TWO_VARIANTS: AtomicU32 = AtomicU32::new(0);

//! What locks, interrupts, calls of other CPUs and clocks take.

#![no_std]

mod calls;
mod clocks;
mod interrupts;
mod locks;

use incipit::prelude::*;

/// How many turns make a figure.
const TURNS: usize = 1000;

#[initcall(late)]
fn bench_processor() -> Result<(), Errno> {
    locks::measure_all();
    interrupts::measure_all();
    calls::measure_all();
    clocks::measure_all();
    Ok(())
}

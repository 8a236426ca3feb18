//! Tests of the paths: against a model with interrupts and moves to other CPUs between any two steps, with threads, and under loom.

// The machine is compiled twice, with the atomics and locks of either.
#![allow(clippy::duplicate_mod)]

mod cutting;
mod debugging;
mod interrupted;
mod loomed;
mod native;
mod words;

//! Per-CPU memory without the memory: how the copies of the CPUs are laid out, and which bytes of a copy are taken.
//!
//! A CPU's copy is a *unit*. Units of CPUs that are near each other form a group, which is allocated in one piece, from memory of their node. What is where in one
//! unit is there in all of them, so that one [`map`] is enough for a set of units, which is called a chunk.

pub mod layout;
pub mod map;

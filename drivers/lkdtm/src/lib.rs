//! Crashes on purpose: Linux's Kernel Dump Test Module (`drivers/misc/lkdtm`).
//!
//! `lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type=NAME` on the command line triggers one crash point at the end of the boot, so that a test, or a person, sees
//! what the kernel makes of it; `lkdtm NAME` in the monitor does so when the boot is done. `crashpoints.rs` has the list: Linux's names where Linux has the point, and one for each exception of the processor. The other
//! rooms hold the points themselves, by what they touch.
//!
//! This is the one crate whose `unsafe` code is wrong by intent. What a block argues is therefore how far the damage goes: that the exception comes from one
//! known instruction, and what the machine is like if it does not come or is survived.
#![no_std]

mod access;
mod bugs;
mod command;
mod crashpoints;
mod debug;
mod descriptors;
mod external;
mod fpu;
mod gate;
mod heap;
mod init;
mod instructions;
mod nested;
mod pages;
mod perms;
mod stack;
mod tests;
mod trigger;
mod vmalloc;
mod window;

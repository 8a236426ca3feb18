//! How many instructions the boot CPU executes while it brings the others up.
//!
//! The time-stamp counter counts those of all CPUs, so this one is single-stepped: a debug exception behind each of its instructions, from the early initcalls to the first of the
//! others. What it waits for comes by after few instructions then, for the exceptions take their time, too: the waiting is not counted, only what is done.

#![no_std]

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit::arch::x86::irqflags::X86_EFLAGS_TF;
use incipit::arch::x86::ptregs::PtRegs;
use incipit::arch::x86::traps::Vector;
use incipit::arch::x86::traps::debug::set_hook;
use incipit::prelude::*;
use incipit_bench_meter::report;

static STEPS: AtomicU64 = AtomicU64::new(0);

#[initcall(early)]
fn bench_cpus_begin() -> Result<(), Errno> {
    set_hook(Some(step));
    // SAFETY: the hook takes the exceptions.
    unsafe { asm!("pushfq", "or qword ptr [rsp], {trap}", "popfq", trap = const X86_EFLAGS_TF) };
    Ok(())
}

#[initcall(pure)]
fn bench_cpus_end() -> Result<(), Errno> {
    // SAFETY: ends what has been begun above.
    unsafe { asm!("pushfq", "and qword ptr [rsp], {mask}", "popfq", mask = const !(X86_EFLAGS_TF as i32)) };
    set_hook(None);
    report("cpus/boot", STEPS.load(Relaxed));
    Ok(())
}

/// Only this CPU is stepped, so that nobody else counts.
fn step(_: &mut PtRegs, vector: Vector) -> bool {
    STEPS.fetch_add(1, Relaxed);
    vector == Vector::Debug
}

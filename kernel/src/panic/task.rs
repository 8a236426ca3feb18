//! Who runs: what reports say in `PID: … Comm: …`.
//!
//! There is one task. It boots as the idle task, number 0, and becomes init, number 1, when the stages are done.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::prelude::*;

static PID: AtomicU32 = AtomicU32::new(0);

/// The number of the task that runs.
#[must_use]
pub fn pid() -> u32 {
    PID.load(Relaxed)
}

/// The name of the task that runs: the boot thread is `swapper`, init keeps the name of the boot CPU's idle task until it runs a program.
#[must_use]
pub fn comm() -> &'static str {
    if pid() == 0 { "swapper" } else { "swapper/0" }
}

/// Notes that init runs from here on.
#[init]
pub fn become_init() {
    PID.store(1, Relaxed);
}

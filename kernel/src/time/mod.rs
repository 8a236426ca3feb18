//! Time since boot, for the log and for waiting before there are timers.
//!
//! The time-stamp counter is the only clock here; how fast it counts is found out in [`crate::arch::x86::tsc`].

pub mod clock;
pub mod delay;

pub use clock::sched_clock;
pub use delay::{mdelay, udelay};

use crate::arch::x86::tsc;
use crate::prelude::*;

/// The clock's rate is known.
#[capability]
pub struct Clock;

/// Settles the rate of the clock: Linux's stage of the same name.
#[stage(after(crate::arch::x86::traps::trap_init), provides(Clock))]
#[init]
pub fn time_init() {
    tsc::tsc_refine();
}

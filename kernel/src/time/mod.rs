//! What time it is, and what is to be done when.
//!
//! Counters are read and devices set by who declares them, in [`crate::arch`]; here it is decided which of them are used.

mod bases;
pub(crate) mod broadcast;
pub mod calibrate;
pub mod clock;
pub mod clockevents;
pub mod clocksource;
pub mod delay;
pub mod hrtimer;
mod jiffies;
pub mod sleep;
pub mod tick;
pub mod timekeeping;
pub mod timer;
#[cfg(CONFIG_KUNIT)]
mod torture;
pub mod watchdog;

pub use clock::sched_clock;
pub use delay::{mdelay, udelay};
pub use hrtimer::HrTimer;
pub use sleep::msleep;
pub use timekeeping::{ktime_get, ktime_get_boottime, ktime_get_coarse, ktime_get_raw, ktime_get_real};
pub use timer::{HZ, Timer, jiffies, msecs_to_jiffies};

use crate::arch::x86::{global_timer, tsc};
use crate::prelude::*;

/// The clock's rate is known.
#[capability]
pub struct Clock;

/// Settles the rate of the clock: Linux's stage of the same name.
#[stage(after(timekeeping::timekeeping_init), provides(Clock))]
#[init]
pub fn time_init() {
    tsc::tsc_refine();
}

/// Looks for all clocksources, goes on with the best one, and lets the boot CPU tick: Linux's stage of the same name.
#[stage(after(crate::mm::pageset::setup_per_cpu_pageset), before(clock::sched_clock_init))]
#[init]
pub fn late_time_init() {
    clocksource::probe_all();
    tsc::compare::begin();
    global_timer::setup();
}

//! Ticks as a clocksource, for machines on which nothing else can be believed (Linux's `clocksource_jiffies`).
//!
//! While it is used, time stands still between two interrupts of the boot CPU's clock event device, which is set to come after each [`TICK_NSEC`](super::tick::TICK_NSEC); no timer is more exact than
//! that, and the boot CPU does not do without its tick.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use linkme::distributed_slice;

use super::clocksource::{self, CLOCKSOURCES, Clocksource, ClocksourceFlags};
use super::timekeeping;
use super::timer::HZ;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// The interrupts that were counted.
static COUNT: AtomicU64 = AtomicU64::new(0);

static JIFFIES: Clocksource = Clocksource::new("jiffies", 1, 32, || COUNT.load(Relaxed), ClocksourceFlags::empty());

#[distributed_slice(CLOCKSOURCES)]
static PROBE: fn() = probe;

#[init_ref("called by late_time_init only")]
fn probe() {
    if let Err(error) = clocksource::register(&JIFFIES, HZ) {
        pr_err!("jiffies: cannot be a clocksource: {error}");
    }
}

/// This CPU's device has interrupted: a tick has passed, if it is the one whose ticks are counted, and nothing better is. Interrupts are off.
#[inline]
pub(super) fn device_interrupt() {
    if !timekeeping::is_continuous() && smp_processor_id() == 0 {
        COUNT.fetch_add(1, Relaxed);
    }
}

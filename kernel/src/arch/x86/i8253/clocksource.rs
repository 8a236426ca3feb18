//! The count of channel 2 of the interval timer as a clocksource, for machines with nothing better.
//!
//! It goes round 18 times a second, so the CPU sleeps no longer than half of that while it is used; with several, one could be kept from bringing the clocks up to date for too
//! long while others read them. Linux counts channel 0 and the ticks that it has made, which is wrong by a tick now and then; channel 2 runs by itself.

use linkme::distributed_slice;
use x86::io::{inb, outb};

use super::{CHANNEL_2, COMMAND, PIT_TICK_RATE, is_present};
use crate::arch::x86::cpu::masks::POSSIBLE;
use crate::locking::IrqSpinLock;
use crate::prelude::*;
use crate::time::clocksource::{self, CLOCKSOURCES, Clocksource, ClocksourceFlags};

/// Keeps the count of channel 2 to be read.
const LATCH: u8 = 0x80;

static PIT: Clocksource = Clocksource::new("pit", 110, 16, read, ClocksourceFlags::CONTINUOUS);

/// Keeps the two halves of a count together.
static PORTS: IrqSpinLock<()> = IrqSpinLock::new(());

fn read() -> u64 {
    let _ports = PORTS.lock();
    // SAFETY: latches and reads the channel, which nothing else does once the boot has measured by it.
    let [low, high] = unsafe {
        outb(COMMAND, LATCH);
        [inb(CHANNEL_2), inb(CHANNEL_2)]
    };
    // It counts down.
    (!u16::from_le_bytes([low, high])).into()
}

#[distributed_slice(CLOCKSOURCES)]
static PROBE: fn() = probe;

#[init_ref("called by late_time_init only")]
fn probe() {
    if !is_present() || POSSIBLE.weight() > 1 {
        return;
    }
    if let Err(error) = clocksource::register(&PIT, PIT_TICK_RATE.into()) {
        pr_err!("pit: cannot be a clocksource: {error}");
    }
}

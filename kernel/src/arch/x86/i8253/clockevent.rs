//! Channel 0 of the interval timer, whose end is line 0 of the machine: a clock event device for machines without a better one.

use core::sync::atomic::AtomicU64;

use super::{CHANNEL_0, COMMAND, PIT_TICK_RATE};
use crate::arch::x86::io_delay::outb_p;
use crate::irq::IrqGuard;
use crate::time::clockevents::{ClockEventDevice, Features, mult};

/// Channel 0, low byte then high byte, mode 4: each new count is counted down once, and the line raised at its end.
const SET_MODE_4: u8 = 0x38;
/// The same with mode 0, which does not begin before a count is written.
const SET_MODE_0: u8 = 0x30;

pub(in crate::arch::x86) static PIT: ClockEventDevice = ClockEventDevice {
    name: "pit",
    rating: 10,
    features: Features::PERIODIC.union(Features::ONESHOT),
    mult: AtomicU64::new(mult(PIT_TICK_RATE as u64)),
    min_delta_ns: 12_000,
    max_delta_ticks: 0x7fff,
    set_next_event: |ticks| {
        let _interrupts_off = IrqGuard::new();
        let [low, high] = (ticks as u16).to_le_bytes();
        // SAFETY: the channel is this file's, and its line has a handler where the device is used.
        unsafe {
            outb_p(CHANNEL_0, low);
            outb_p(CHANNEL_0, high);
        }
    },
    set_oneshot: || set_mode(SET_MODE_4),
    shutdown: silence,
};

fn set_mode(mode: u8) {
    // SAFETY: as above; nothing is counted before a count is written.
    unsafe { outb_p(COMMAND, mode) };
}

/// Keeps the channel from raising its line, as firmware may have left it doing.
pub(in crate::arch::x86) fn silence() {
    set_mode(SET_MODE_0);
}

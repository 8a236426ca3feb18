//! The interval timer (Intel 8253/8254), channel 2: a stop-watch for the calibration of the time-stamp counter, and then a clocksource.
//!
//! Channel 2 has a gate and no interrupt. It is started once, early, counts down from 65536 and reaches the end after 55 ms; what is read from it later tells
//! how much real time has passed.

pub(super) mod clockevent;
mod clocksource;

pub(super) use clockevent::silence;

use x86::io::{inb, outb};

use crate::arch::x86::io_delay::outb_p;
use crate::arch::x86::tsc::rdtsc;
use crate::prelude::*;

/// Counts per second.
pub const PIT_TICK_RATE: u32 = 1_193_182;

const CHANNEL_0: u16 = 0x40;
const CHANNEL_2: u16 = 0x42;
const COMMAND: u16 = 0x43;
/// System control port B: bit 0 is the gate of channel 2, bit 1 lets it drive the speaker; the upper ones say why there was an NMI ([`super::nmi`]).
pub(super) const CONTROL_B: u16 = 0x61;
const GATE: u8 = 1 << 0;
const SPEAKER: u8 = 1 << 1;

/// Channel 2, low byte then high byte, mode 0 (count down once), binary.
const SET_MODE_0: u8 = 0xb0;
/// Read back status and count of channel 2.
const READ_BACK: u8 = 0xc8;
/// In the status: the output, which rises at the end of the count; and whether the count has not been taken over yet.
const STATUS_OUTPUT: u8 = 0x80;
const STATUS_NULL_COUNT: u8 = 0x40;
/// In the status: access and mode, as they were set.
const STATUS_MODE: u8 = 0x3f;
const STATUS_EXPECTED: u8 = 0x30;

/// Reads after which a timer that does not count is given up.
const STUCK_READS: u32 = 2000;

/// When the stop-watch was started.
#[derive(Debug, Clone, Copy)]
struct Started {
    tsc: u64,
    count: u16,
}

static STARTED: crate::locking::SpinLock<Option<Started>> = crate::locking::SpinLock::new(None);

/// Time on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Interval {
    /// Counts of the time-stamp counter.
    pub tsc: u64,
    /// Counts of the timer.
    pub ticks: u32,
}

/// Starts the stop-watch, if the machine has the timer.
#[init]
pub fn start() {
    // SAFETY: the ports belong to the timer and its gate. Only channel 2 is set, which nothing else uses; the speaker is kept quiet.
    unsafe {
        outb(CONTROL_B, inb(CONTROL_B) & !SPEAKER | GATE);
        outb_p(COMMAND, SET_MODE_0);
        outb_p(CHANNEL_2, 0xff);
        outb(CHANNEL_2, 0xff);
    }
    // The count is taken over with the timer's next tick; before that it reads as anything.
    let taken_over = (0..STUCK_READS)
        .map_while(|_| read())
        .any(|(status, _)| status & STATUS_NULL_COUNT == 0);
    *STARTED.lock() = if taken_over { at_tick() } else { None };
}

/// Whether the machine has the timer.
#[must_use]
pub fn is_present() -> bool {
    STARTED.lock().is_some()
}

/// How much time has passed since [`start`], waiting until it is at least `ticks`. `None` if there is no timer or it does not count. If its whole range has
/// passed, it is started anew.
#[init]
pub fn interval(ticks: u32) -> Option<Interval> {
    if is_over() {
        start();
    }
    let started = (*STARTED.lock())?;
    let mut stuck = 0;
    let mut last = started.count;
    loop {
        let (_, count) = read()?;
        if u32::from(started.count.wrapping_sub(count)) >= ticks {
            break;
        }
        stuck = if count == last { stuck + 1 } else { 0 };
        last = count;
        if stuck > STUCK_READS {
            return None;
        }
    }
    let now = at_tick()?;
    Some(Interval {
        tsc: now.tsc.wrapping_sub(started.tsc),
        ticks: u32::from(started.count.wrapping_sub(now.count)),
    })
}

/// Whether the timer has come to its end, so that the interval since [`start`] is not known any more; or is not there.
#[init]
pub fn is_over() -> bool {
    read().is_none_or(|(status, _)| status & STATUS_OUTPUT != 0)
}

/// The moment of one of the timer's next ticks, on both clocks: reading at a tick is exact to one port access, not to one tick. A reading that took much longer than another one is
/// not believed, since firmware or a hypervisor has come in between.
#[init]
fn at_tick() -> Option<Started> {
    let (_, mut last) = read()?;
    let mut shortest = 0;
    for _ in 0..STUCK_READS {
        let before = rdtsc();
        let (_, count) = read()?;
        let after = rdtsc();
        let took = after.wrapping_sub(before);
        if count != last && took / 2 <= shortest {
            return Some(Started {
                tsc: before.midpoint(after),
                count,
            });
        }
        shortest = if shortest == 0 { took } else { shortest.min(took) };
        last = count;
    }
    None
}

/// Status and count. `None` if no timer answers, for then the status is not the one that was set.
#[init]
fn read() -> Option<(u8, u16)> {
    // SAFETY: latches and reads channel 2, which is this file's.
    let (status, low, high) = unsafe {
        outb(COMMAND, READ_BACK);
        (inb(CHANNEL_2), inb(CHANNEL_2), inb(CHANNEL_2))
    };
    (status & STATUS_MODE == STATUS_EXPECTED).then_some((status, u16::from_le_bytes([low, high])))
}

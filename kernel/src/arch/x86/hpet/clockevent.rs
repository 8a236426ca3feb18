//! Timer 0 of the HPET in the place of the interval timer: a clock event device for machines whose local APICs have none.

use core::sync::atomic::AtomicU64;

use super::{CFG, CFG_LEGACY, COUNTER, ID, registers};
use crate::time::clockevents::{ClockEventDevice, Features};

/// [`ID`]: the timers can take over the lines of the interval timer and the CMOS clock.
const ID_LEGACY: u32 = 1 << 15;
/// Configuration of timer 0: edges, in 32 bits, once.
const TIMER_CONFIG: usize = 0x100;
const TIMER_COMPARATOR: usize = 0x108;
const TIMER_ENABLE: u32 = 1 << 2;
const TIMER_32BIT: u32 = 1 << 8;
/// What of the configuration is not kept: trigger, enable, period.
const TIMER_CHANGED: u32 = 0x0e;

/// So many counts ahead the comparator is not missed: Linux's `HPET_MIN_CYCLES`.
const MIN_CYCLES: i32 = 8;

pub(in crate::arch::x86) static HPET: ClockEventDevice = ClockEventDevice {
    name: "hpet",
    rating: 50,
    features: Features::PERIODIC.union(Features::ONESHOT),
    mult: AtomicU64::new(0),
    min_delta_ns: 15_000,
    max_delta_ticks: i32::MAX as u64,
    set_next_event: |ticks| set_comparator(ticks as u32),
    set_oneshot: || set_enabled(true),
    shutdown: || set_enabled(false),
};

/// Whether the timer can be used.
pub(in crate::arch::x86) fn is_usable() -> bool {
    registers().is_some_and(|registers| registers.read::<u32>(ID) & ID_LEGACY != 0)
}

fn set_enabled(is_enabled: bool) {
    let Some(registers) = registers() else { return };
    let timer = registers.read::<u32>(TIMER_CONFIG) & !TIMER_CHANGED;
    let config = registers.read::<u32>(CFG);
    if is_enabled {
        registers.write(TIMER_CONFIG, timer | TIMER_32BIT | TIMER_ENABLE);
        registers.write(CFG, config | CFG_LEGACY);
    } else {
        registers.write(TIMER_CONFIG, timer);
        registers.write(CFG, config & !CFG_LEGACY);
    }
}

/// The comparator strikes when the counter is equal to it: one that is set too late would not before the counter has gone round.
fn set_comparator(ticks: u32) {
    let Some(registers) = registers() else { return };
    let mut ahead = ticks;
    loop {
        let at = registers.read::<u32>(COUNTER).wrapping_add(ahead);
        registers.write(TIMER_COMPARATOR, at);
        if at.wrapping_sub(registers.read::<u32>(COUNTER)).cast_signed() >= MIN_CYCLES {
            return;
        }
        ahead = ahead.saturating_mul(2).min(i32::MAX as u32);
    }
}

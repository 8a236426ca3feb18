//! Interrupts that nobody cares for: a line that does nothing else is shut off, and named.

use core::sync::atomic::Ordering::Relaxed;

use super::desc::{IrqDesc, State};
use super::{manage, options, poll};
use crate::prelude::*;
use crate::time::sched_clock;

/// Of so many interrupts …
const OBSERVED: u32 = 100_000;
/// … more than this many may not be unhandled.
const TOLERATED: u32 = 99_900;
/// Unhandled ones that are further apart are not counted together: Linux's `HZ / 10`.
const GAP_NS: u64 = 100_000_000;

/// How often a line has come for nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unhandled {
    interrupts: u32,
    unhandled: u32,
    last_ns: u64,
}

impl Unhandled {
    pub(super) const fn new() -> Self {
        Unhandled {
            interrupts: 0,
            unhandled: 0,
            last_ns: 0,
        }
    }

    /// Counts one. Whether the line has come for nothing for too long.
    #[inline]
    fn note(&mut self, handled: bool, now: impl FnOnce() -> u64) -> bool {
        if !handled {
            let now = now();
            let is_near = now.saturating_sub(self.last_ns) <= GAP_NS;
            self.unhandled = if is_near { self.unhandled + 1 } else { 1 };
            self.last_ns = now;
        }
        if self.unhandled == 0 {
            return false;
        }
        self.interrupts += 1;
        if self.interrupts < OBSERVED {
            return false;
        }
        self.interrupts = 0;
        core::mem::take(&mut self.unhandled) > TOLERATED
    }
}

/// Counts an interrupt whose handlers have been called, and shuts the line off if it is a storm: Linux's `note_interrupt`. `elsewhere`: another line's handler has found the cause.
#[inline]
pub(super) fn note_interrupt(desc: &IrqDesc, state: &mut State, handled: bool, elsewhere: bool) {
    if !(handled || elsewhere) || state.unhandled.unhandled != 0 {
        count(desc, state, handled, elsewhere);
    }
}

/// What [`note_interrupt`] does with one that nobody has handled, and with all that follow it in the same observation.
#[cold]
fn count(desc: &IrqDesc, state: &mut State, handled: bool, elsewhere: bool) {
    if options::NOIRQDEBUG.load(Relaxed) {
        return;
    }
    if state.unhandled.note(handled || elsewhere, sched_clock) {
        report(desc, handled);
        pr_emerg!("Disabling IRQ #{}", desc.irq());
        manage::shut_off(desc, state);
        poll::start();
    }
}

/// Linux's `__report_bad_irq`. The line's descriptor is locked.
#[cold]
fn report(desc: &IrqDesc, handled: bool) {
    if handled {
        pr_err!("irq event {}: bogus return value", desc.irq());
    } else {
        pr_err!("irq {}: nobody cared (try booting with the \"irqpoll\" option)", desc.irq());
    }
    crate::arch::x86::dumpstack::dump_stack();
    pr_err!("handlers:");
    // SAFETY: the lock is held.
    for action in unsafe { desc.actions.iter() } {
        let address = action.handler.address();
        pr_err!("[<{address:016x}>] {} ({})", crate::panic::Symbol(address), action.name);
    }
}

#[ktest]
fn a_line_that_is_handled_now_and_then_is_let_be() {
    let mut line = Unhandled::new();
    // One in a thousand is handled: fewer than the tolerated ones are unhandled.
    let stopped = (0..5 * u64::from(OBSERVED)).any(|count| line.note(count % 999 == 0, || count));
    assert!(!stopped);
}

#[ktest]
fn a_storm_is_over_after_a_hundred_thousand() {
    let mut line = Unhandled::new();
    let first = (1..=2 * OBSERVED).find(|_| line.note(false, || 1));
    assert_eq!(first, Some(OBSERVED));
}

#[ktest]
fn odd_ones_that_are_far_apart_are_no_storm() {
    let mut line = Unhandled::new();
    assert!(!(1..=2 * u64::from(OBSERVED)).any(|count| line.note(false, || count * (GAP_NS + 1))));
}

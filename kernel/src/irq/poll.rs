//! Handlers that are asked without an interrupt of theirs: firmware may have told a wrong line, and a line that was shut off still has devices.
//!
//! Only those of shared lines are asked: they bear being called for nothing.

use core::sync::atomic::Ordering::Relaxed;

use super::desc::{IrqDesc, Status};
use super::{Flow, IrqFlagsSet, IrqGuard, flow, options};
use crate::prelude::*;
use crate::time::{HZ, Timer, jiffies};

/// How often handlers of lines that were shut off are asked, in ticks: Linux's `POLL_SPURIOUS_IRQ_INTERVAL`.
const INTERVAL: u64 = HZ / 10;

/// Asks them.
static POLL: Timer = Timer::new(poll_spurious_irqs);

/// A line is shut off: its handlers are asked in a while. In any interrupt.
pub(super) fn start() {
    POLL.mod_timer(jiffies() + INTERVAL);
}

/// Asks the handlers of all lines that are shut off, for as long as there are any: Linux's function of the same name.
fn poll_spurious_irqs(_: &Timer) {
    let mut is_any = false;
    super::for_each(|desc| {
        // As in an interrupt.
        let _interrupts_off = IrqGuard::new();
        if desc.lock().status.contains(Status::SPURIOUS_DISABLED) {
            is_any = true;
            try_one(desc, true);
        }
    });
    if is_any {
        start();
    }
}

/// With `irqfixup` and `irqpoll`, asks the handlers of all other lines whether the interrupt was theirs: firmware may have told a wrong line. Linux's `misrouted_irq`.
#[inline]
pub(super) fn look_elsewhere(desc: &IrqDesc, handled: bool) -> bool {
    options::IRQFIXUP.load(Relaxed) != 0 && wants_to_look(desc, handled) && try_others(desc.irq())
}

/// Whether this interrupt is an occasion to look: an unhandled one, and with `irqpoll` those of the timer.
#[cold]
fn wants_to_look(desc: &IrqDesc, handled: bool) -> bool {
    let polls = || {
        // SAFETY: the line is in progress, so what is taken out is not freed.
        let mut actions = unsafe { desc.actions.iter() };
        desc.irq() == 0 || actions.any(|action| action.flags.contains(IrqFlagsSet::IRQPOLL))
    };
    !handled || options::IRQFIXUP.load(Relaxed) == options::POLL && polls()
}

/// Calls the handlers of all shared lines but `irq`; whether one of them has found its device to be the cause.
#[cold]
fn try_others(irq: u32) -> bool {
    let mut found = false;
    super::for_each(|other| found |= other.irq() != irq && try_one(other, false));
    found
}

/// Calls the handlers of one line, if they share it and are not called already; with `force`, though it is disabled.
fn try_one(desc: &IrqDesc, force: bool) -> bool {
    let state = desc.lock();
    // SAFETY: the lock is held.
    let shared = unsafe { desc.actions.iter() }
        .next()
        .is_some_and(|action| action.flags.contains(IrqFlagsSet::SHARED) && !action.flags.contains(IrqFlagsSet::TIMER));
    let off = if force { Status::empty() } else { Status::DISABLED };
    if !shared || state.status.intersects(Status::IN_PROGRESS.union(off)) || state.flow == Flow::PerCpu {
        return false;
    }
    let (mut state, mut handled) = flow::poll_handlers(desc, state);
    // It has come by itself meanwhile, was masked and has left its handling to who was at it.
    while state.status.contains(Status::PENDING) && !state.status.intersects(off) {
        state.status.remove(Status::PENDING);
        let again;
        (state, again) = flow::poll_handlers(desc, state);
        handled |= again;
    }
    flow::unmask_unless_disabled(desc, &mut state);
    handled
}

#[ktest]
fn the_handlers_of_a_line_that_is_shut_off_are_asked_if_they_share_it() {
    use core::sync::atomic::AtomicU32;

    use super::{IrqReturn, manage, request_irq};
    /// A line of ISA that nobody has on a PC of today.
    const LINE: u32 = 10;
    static SHARING: AtomicU32 = AtomicU32::new(0);
    static ALONE: AtomicU32 = AtomicU32::new(0);
    fn count(calls: &AtomicU32) -> IrqReturn {
        assert!(crate::irq::irqs_disabled());
        calls.fetch_add(1, Relaxed);
        IrqReturn::Handled
    }
    let (sharing, alone) = (&|_| count(&SHARING), &|_| count(&ALONE));
    let Some(line) = super::desc(LINE) else { return };
    let shut_off = || manage::shut_off(line, &mut line.lock());
    let Ok(action) = request_irq(LINE, alone, IrqFlagsSet::empty(), "alone") else {
        // Without controllers of devices' lines.
        return;
    };
    shut_off();
    poll_spurious_irqs(&POLL);
    assert_eq!(ALONE.load(Relaxed), 0);
    drop(action);
    let action = request_irq(LINE, sharing, IrqFlagsSet::SHARED, "sharing").expect("the line");
    poll_spurious_irqs(&POLL);
    assert_eq!(SHARING.load(Relaxed), 0, "it is not shut off");
    shut_off();
    poll_spurious_irqs(&POLL);
    // The timer may have come, too.
    assert!(SHARING.load(Relaxed) >= 1);
    assert!(POLL.is_pending() && line.lock().status.contains(Status::DISABLED));
    drop(action);
    POLL.del_sync();
    poll_spurious_irqs(&POLL);
    assert!(!POLL.is_pending(), "there is no line that is shut off");
}

//! How a line is treated while it is handled, by what it signals with and what its controller wants to be told.

use super::desc::{IrqDesc, State, Status};
use super::{IrqReturn, poll, spurious};
use crate::locking::IrqSpinLockGuard;
use crate::prelude::*;

/// The kinds of treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Nobody has said how: the interrupt is counted, and a line without a controller is nobody's.
    Bad,
    /// Nothing is told to the controller.
    Simple,
    /// The line signals until its device is content, so it is masked while it is handled.
    Level,
    /// The line signals once: it is acknowledged first, and what comes while it is handled is noticed.
    Edge,
    /// The controller keeps the line quiet by itself until it is told that the interrupt is done.
    FastEoi,
    /// Each CPU has its own, and no other one is kept out.
    PerCpu,
}

impl Flow {
    /// What `/proc/interrupts` has behind the number of the input.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Flow::Bad => "",
            Flow::Simple => "simple",
            Flow::Level => "level",
            Flow::Edge => "edge",
            Flow::FastEoi => "fasteoi",
            Flow::PerCpu => "percpu",
        }
    }
}

type Locked<'a> = IrqSpinLockGuard<'a, State>;

/// Handles an interrupt of the line. Called by the architecture, between `irq_enter` and `irq_exit`, with interrupts off.
#[inline]
pub fn handle_irq(desc: &IrqDesc) {
    let state = desc.lock_irqs_off();
    desc.note();
    match state.flow {
        Flow::Edge => edge(desc, state),
        Flow::FastEoi => fasteoi(desc, state),
        Flow::Level => level(desc, state),
        Flow::Simple => simple(desc, state),
        Flow::PerCpu => percpu(desc, state),
        Flow::Bad => bad(desc, state),
    }
}

/// Whether the handlers can be called now. If not, the interrupt is kept for later.
#[inline]
fn can_run(desc: &IrqDesc, state: &mut State) -> bool {
    if state.status.intersects(Status::DISABLED.union(Status::IN_PROGRESS)) || desc.actions.is_empty() {
        state.status.insert(Status::PENDING);
        return false;
    }
    true
}

#[inline(never)]
fn simple(desc: &IrqDesc, mut state: Locked<'_>) {
    if can_run(desc, &mut state) {
        drop(call_handlers(desc, state));
    }
}

#[inline(never)]
fn level(desc: &IrqDesc, mut state: Locked<'_>) {
    state.chip.mask_ack(&desc.data);
    state.status.insert(Status::MASKED);
    if can_run(desc, &mut state) {
        unmask_unless_disabled(desc, &mut call_handlers(desc, state));
    }
}

#[inline]
fn edge<'a>(desc: &'a IrqDesc, mut state: Locked<'a>) {
    if !can_run(desc, &mut state) {
        state.chip.mask_ack(&desc.data);
        state.status.insert(Status::MASKED);
        return;
    }
    state.chip.ack(&desc.data);
    loop {
        // What has come meanwhile has masked the line, so that it would not come again and again.
        if state.status.contains(Status::PENDING) {
            unmask_unless_disabled(desc, &mut state);
        }
        state = call_handlers(desc, state);
        if !state.status.contains(Status::PENDING) || state.status.contains(Status::DISABLED) {
            return;
        }
    }
}

#[inline]
fn fasteoi(desc: &IrqDesc, mut state: Locked<'_>) {
    let mut state = if can_run(desc, &mut state) {
        call_handlers(desc, state)
    } else {
        mask(desc, &mut state);
        state
    };
    state.chip.eoi(&desc.data);
    if state.status.contains(Status::MASKED) {
        unmask_unless_disabled(desc, &mut state);
    }
}

#[inline(never)]
fn percpu(desc: &IrqDesc, state: Locked<'_>) {
    use core::sync::atomic::Ordering::{Relaxed, Release};
    let (chip, disabled) = (state.chip, state.status.contains(Status::DISABLED));
    desc.percpu_running.fetch_add(1, Relaxed);
    drop(state);
    chip.ack(&desc.data);
    if !disabled {
        call_each(desc);
    }
    chip.eoi(&desc.data);
    desc.percpu_running.fetch_sub(1, Release);
}

#[cold]
fn bad(desc: &IrqDesc, state: Locked<'_>) {
    state.chip.mask_ack(&desc.data);
    drop(state);
    pr_emerg_ratelimited!("unexpected IRQ trap at irq {}", desc.irq());
}

/// Masks the line, if it is not masked yet.
pub(super) fn mask(desc: &IrqDesc, state: &mut State) {
    if !state.status.contains(Status::MASKED) {
        state.chip.mask(&desc.data);
        state.status.insert(Status::MASKED);
    }
}

/// Lets the line through again, if it is masked and nobody has disabled it.
pub(super) fn unmask_unless_disabled(desc: &IrqDesc, state: &mut State) {
    if state.status.contains(Status::MASKED) && !state.status.contains(Status::DISABLED) {
        state.status.remove(Status::MASKED);
        state.chip.unmask(&desc.data);
    }
}

/// Calls the handlers without the lock, and looks at what they say. Interrupts are off, and stay so. Part of each flow, as what an interrupt takes counts.
#[inline(always)]
fn call_handlers<'a>(desc: &'a IrqDesc, mut state: Locked<'a>) -> Locked<'a> {
    state.status.remove(Status::PENDING);
    state.status.insert(Status::IN_PROGRESS);
    drop(state);
    let handled = call_each(desc);
    let elsewhere = poll::look_elsewhere(desc, handled);
    let mut state = desc.lock_irqs_off();
    state.status.remove(Status::IN_PROGRESS);
    spurious::note_interrupt(desc, &mut state, handled, elsewhere);
    state
}

/// Calls the handlers of a line that has not come by itself, without looking elsewhere; whether one of them has found its device to be the cause.
pub(super) fn poll_handlers<'a>(desc: &'a IrqDesc, mut state: Locked<'a>) -> (Locked<'a>, bool) {
    state.status.insert(Status::IN_PROGRESS);
    drop(state);
    let handled = call_each(desc);
    let mut state = desc.lock();
    state.status.remove(Status::IN_PROGRESS);
    (state, handled)
}

/// Calls each handler; whether one of them has found its device to be the cause.
#[inline]
fn call_each(desc: &IrqDesc) -> bool {
    let mut handled = false;
    // SAFETY: `IN_PROGRESS`, or the count of those that run it, keeps what is taken out from being freed.
    for action in unsafe { desc.actions.iter() } {
        handled |= action.handler.handle(desc.irq()) != IrqReturn::None;
        if !super::irqs_disabled() {
            disable_again(desc, action.name);
        }
    }
    handled
}

#[cold]
fn disable_again(desc: &IrqDesc, name: &str) {
    crate::warn_once!("irq {} handler {name} enabled interrupts", desc.irq());
    super::local_irq_disable();
}

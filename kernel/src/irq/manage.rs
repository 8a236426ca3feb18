//! Asking for a line, giving it back, and keeping it quiet meanwhile.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Acquire;

use super::action::Action;
use super::desc::{State, Status, desc};
use super::flow::{Flow, mask, unmask_unless_disabled};
use super::spurious::Unhandled;
use super::{IrqDesc, IrqFlagsSet, IrqHandler};
use crate::mm::Gfp;
use crate::mm::slab::KBox;
use crate::prelude::*;

/// The right to handle a line: given back when dropped, once the handler runs no more. Not to be dropped by the handler itself.
#[must_use = "dropping it gives the line back"]
pub struct IrqAction {
    desc: &'static IrqDesc,
    action: NonNull<Action>,
}

// SAFETY: an action is the handler, which is `Sync`, and links that change under the descriptor's lock.
unsafe impl Send for IrqAction {}
// SAFETY: as above.
unsafe impl Sync for IrqAction {}

impl IrqAction {
    /// The line's number.
    #[must_use]
    pub fn irq(&self) -> u32 {
        self.desc.irq()
    }

    /// Keeps the line for good.
    pub fn leak(self) {
        core::mem::forget(self);
    }
}

impl Drop for IrqAction {
    fn drop(&mut self) {
        let mut state = self.desc.lock();
        self.desc.actions.remove(self.action);
        if self.desc.actions.is_empty() {
            state.status.insert(Status::DISABLED | Status::MASKED);
            state.status.remove(Status::SPURIOUS_DISABLED);
            state.depth = 1;
            state.chip.shutdown(&self.desc.data);
        }
        drop(state);
        synchronize(self.desc);
        // SAFETY: made from a box by `request_irq`; it is out of the list, and nobody runs it any more.
        drop(unsafe { KBox::from_raw(self.action) });
    }
}

/// Has `handler` called for each interrupt of the line, until what is returned is dropped. `name` is the device's, for `/proc/interrupts`. The context is one that may sleep.
///
/// # Errors
///
/// `EINVAL` for a line that there is not, `ENOSYS` for one without a controller, `EBUSY` for one that somebody else has and does not share, `ENOSPC` without a vector, `ENOMEM`.
pub fn request_irq(irq: u32, handler: &'static dyn IrqHandler, flags: IrqFlagsSet, name: &'static str) -> Result<IrqAction, Errno> {
    crate::init::initcall::turn();
    let desc = desc(irq).ok_or(Errno::EINVAL)?;
    let action = KBox::new(Action::new(handler, flags, name), Gfp::KERNEL)?;
    let mut state = desc.lock();
    if state.flow == Flow::Bad {
        return Err(Errno::ENOSYS);
    }
    // SAFETY: the lock is held.
    let first = unsafe { desc.actions.iter() }.next();
    match first {
        Some(first) if !flags.goes_with(first.flags) => {
            let (theirs, owner) = (first.flags.bits(), first.name);
            drop(state);
            pr_err!(
                "genirq: Flags mismatch irq {irq}. {:08x} ({name}) vs. {theirs:08x} ({owner})",
                flags.bits()
            );
            return Err(Errno::EBUSY);
        }
        Some(_) => {}
        None => start(desc, &mut state, flags)?,
    }
    let action = NonNull::from(action.leak());
    desc.actions.push(action);
    Ok(IrqAction { desc, action })
}

/// Lets a line come for its first handler. The lock keeps what comes at once until the handler is there.
fn start(desc: &IrqDesc, state: &mut State, flags: IrqFlagsSet) -> Result<(), Errno> {
    if let Some(trigger) = flags.trigger() {
        match state.chip.set_type(&desc.data, trigger) {
            Ok(flow) => state.flow = flow,
            Err(Errno::ENOSYS) => {}
            Err(error) => return Err(error),
        }
    }
    state.unhandled = Unhandled::new();
    state.chip.startup(&desc.data)?;
    state.status = state.status.intersection(Status::IN_PROGRESS);
    state.depth = 0;
    Ok(())
}

/// Waits until no CPU calls the line's handlers any more. Not from one of them.
fn synchronize(desc: &IrqDesc) {
    while desc.lock().status.contains(Status::IN_PROGRESS) || desc.percpu_running.load(Acquire) != 0 {
        core::hint::spin_loop();
    }
}

/// Waits until no CPU calls the line's handlers any more. Not from one of them: Linux's function of the same name.
pub fn synchronize_irq(irq: u32) {
    if let Some(desc) = desc(irq) {
        synchronize(desc);
    }
}

/// Keeps the line's handlers from being called until [`enable_irq`] has been called as often, without waiting for those that run.
///
/// The line is masked only when it comes: then its interrupt is kept for later.
pub fn disable_irq_nosync(irq: u32) {
    if let Some(desc) = desc(irq) {
        let mut state = desc.lock();
        state.depth = state.depth.saturating_add(1);
        state.status.insert(Status::DISABLED);
    }
}

/// [`disable_irq_nosync`], and waits for the handlers that run. Not from one of them.
pub fn disable_irq(irq: u32) {
    disable_irq_nosync(irq);
    synchronize_irq(irq);
}

/// Undoes one [`disable_irq`]. An interrupt that has come meanwhile is handled then.
pub fn enable_irq(irq: u32) {
    let Some(desc) = desc(irq) else { return };
    let mut state = desc.lock();
    match state.depth {
        0 => {
            drop(state);
            crate::warn!("Unbalanced enable for IRQ {irq}");
        }
        1 if !desc.actions.is_empty() && !state.status.contains(Status::SPURIOUS_DISABLED) => {
            state.depth = 0;
            state.status.remove(Status::DISABLED);
            unmask_unless_disabled(desc, &mut state);
            // A line that signals by its level still does so if its device wants something.
            if state.status.contains(Status::PENDING) && state.flow == Flow::Edge {
                state.status.remove(Status::PENDING);
                state.chip.retrigger(&desc.data);
            }
        }
        _ => state.depth -= 1,
    }
}

/// Keeps a line quiet for good that nobody cares for.
pub(super) fn shut_off(desc: &IrqDesc, state: &mut State) {
    state.status.insert(Status::SPURIOUS_DISABLED | Status::DISABLED);
    state.depth += 1;
    mask(desc, state);
}

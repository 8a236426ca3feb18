//! Who handles a line: the entries of a descriptor's list.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::Trigger;

/// What a handler says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IrqReturn {
    /// The interrupt was not from its device.
    None,
    /// It was, and is handled.
    Handled,
    /// It was, and the rest is for the handler's thread.
    WakeThread,
}

/// What handles a line: any function that takes the line's number.
pub trait IrqHandler: Sync {
    /// Called with interrupts off, in the context of a hard interrupt, for the same line by one CPU at a time.
    fn handle(&self, irq: u32) -> IrqReturn;

    /// Where the code is, for reports.
    fn address(&self) -> usize {
        Self::handle as fn(&Self, u32) -> IrqReturn as usize
    }
}

impl<F: Fn(u32) -> IrqReturn + Sync> IrqHandler for F {
    #[inline]
    fn handle(&self, irq: u32) -> IrqReturn {
        self(irq)
    }
}

bitflags::bitflags! {
    /// How a line is asked for: Linux's `IRQF_` values.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct IrqFlagsSet: u32 {
        /// It signals by rising.
        const TRIGGER_RISING = 0x1;
        /// It signals by falling.
        const TRIGGER_FALLING = 0x2;
        /// It signals for as long as it is high.
        const TRIGGER_HIGH = 0x4;
        /// It signals for as long as it is low.
        const TRIGGER_LOW = 0x8;
        /// Others may handle it, too.
        const SHARED = 0x80;
        /// It is a timer's, and stays on in sleep.
        const TIMER = 0x200;
        /// Each CPU has its own, so nobody is kept out while one handles it.
        const PERCPU = 0x400;
        /// It stays on its CPU.
        const NOBALANCING = 0x800;
        /// With `irqpoll`, its interrupt is the occasion to look at all others.
        const IRQPOLL = 0x1000;
    }
}

impl IrqFlagsSet {
    /// All that say what the line signals by.
    const TRIGGERS: IrqFlagsSet = Self::TRIGGER_RISING
        .union(Self::TRIGGER_FALLING)
        .union(Self::TRIGGER_HIGH)
        .union(Self::TRIGGER_LOW);

    /// What the line is to signal by, if the caller says so.
    #[must_use]
    pub fn trigger(self) -> Option<Trigger> {
        [
            (Self::TRIGGER_RISING, Trigger::EdgeRising),
            (Self::TRIGGER_FALLING, Trigger::EdgeFalling),
            (Self::TRIGGER_HIGH, Trigger::LevelHigh),
            (Self::TRIGGER_LOW, Trigger::LevelLow),
        ]
        .into_iter()
        .find_map(|(flag, trigger)| self.contains(flag).then_some(trigger))
    }

    /// Whether two handlers can have the same line: both say so, and mean the same kind of line.
    pub(super) fn goes_with(self, other: Self) -> bool {
        let kind = Self::TRIGGERS.union(Self::PERCPU);
        self.intersection(other).contains(Self::SHARED) && self.intersection(kind) == other.intersection(kind)
    }
}

/// One who handles a line.
pub(super) struct Action {
    pub(super) handler: &'static dyn IrqHandler,
    pub(super) flags: IrqFlagsSet,
    pub(super) name: &'static str,
    next: AtomicPtr<Action>,
}

impl Action {
    pub(super) const fn new(handler: &'static dyn IrqHandler, flags: IrqFlagsSet, name: &'static str) -> Self {
        Action {
            handler,
            flags,
            name,
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

/// All who handle a line, in the order in which they asked.
pub(super) struct Actions(AtomicPtr<Action>);

impl Actions {
    pub(super) const fn new() -> Self {
        Actions(AtomicPtr::new(ptr::null_mut()))
    }

    /// Whether nobody does.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed).is_null()
    }

    /// Each of them.
    ///
    /// # Safety
    ///
    /// What is taken out meanwhile is not freed before the caller is done: it holds the descriptor's lock, or is counted as one who runs the handlers.
    #[inline]
    pub(super) unsafe fn iter(&self) -> impl Iterator<Item = &Action> {
        // SAFETY: either null or an action that stays, as the caller says.
        let follow = |place: &AtomicPtr<Action>| unsafe { place.load(Ordering::Acquire).as_ref() };
        core::iter::successors(follow(&self.0), move |action| follow(&action.next))
    }

    /// Puts one at the end. Under the descriptor's lock.
    pub(super) fn push(&self, action: ptr::NonNull<Action>) {
        // SAFETY: the lock is held.
        let last = unsafe { self.iter() }.last().map_or(&self.0, |last| &last.next);
        last.store(action.as_ptr(), Ordering::Release);
    }

    /// Takes one out. Under the descriptor's lock.
    pub(super) fn remove(&self, action: ptr::NonNull<Action>) {
        // SAFETY: the lock is held.
        let links = core::iter::once(&self.0).chain(unsafe { self.iter() }.map(|action| &action.next));
        for link in links {
            if link.load(Ordering::Relaxed) == action.as_ptr() {
                // SAFETY: it is in the list, so it has not been freed.
                let next = unsafe { action.as_ref() }.next.load(Ordering::Relaxed);
                link.store(next, Ordering::Release);
                return;
            }
        }
    }
}

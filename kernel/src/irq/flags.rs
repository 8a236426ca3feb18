//! Whether interrupts may come: this CPU's interrupt flag.
//!
//! Code that shares data with interrupt handlers holds an [`IrqGuard`] meanwhile. What the handlers are and how a line finds its handler is not decided here.

use core::marker::PhantomData;

use crate::arch::x86::irqflags;
use crate::prelude::*;

/// The interrupt flag as [`local_irq_save`] found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the state must be restored"]
pub struct IrqFlags(u64);

impl IrqFlags {
    /// Whether interrupts were kept from the CPU: Linux's `irqs_disabled_flags`.
    #[inline]
    #[must_use]
    pub const fn irqs_disabled(self) -> bool {
        self.0 & irqflags::X86_EFLAGS_IF == 0
    }

    /// Whether they were kept from it both times or neither time.
    #[inline]
    #[must_use]
    pub const fn agree_with(self, other: IrqFlags) -> bool {
        (self.0 ^ other.0) & irqflags::X86_EFLAGS_IF == 0
    }
}

/// Interrupts are off, and were on if `were_on`.
#[inline]
fn gone_off(were_on: impl FnOnce() -> bool) {
    #[cfg(CONFIG_IRQSOFF_TRACER)]
    if crate::static_branch_unlikely!(super::irqsoff::TRACING) && were_on() {
        super::irqsoff::hardirqs_off();
    }
    #[cfg(not(CONFIG_IRQSOFF_TRACER))]
    let _ = were_on;
}

/// Interrupts are about to go on.
#[inline]
fn going_on() {
    #[cfg(CONFIG_IRQSOFF_TRACER)]
    if crate::static_branch_unlikely!(super::irqsoff::TRACING) {
        super::irqsoff::hardirqs_on();
    }
}

/// Keeps interrupts from this CPU.
#[inline]
pub fn local_irq_disable() {
    irqflags::cli();
    gone_off(|| true);
}

/// Lets interrupts come to this CPU.
///
/// A caller that holds a lock which a handler takes brings about a deadlock, nothing worse: each vector has a gate from the first instructions on.
#[inline]
pub fn local_irq_enable() {
    going_on();
    irqflags::sti();
}

/// Whether interrupts are kept from this CPU.
#[inline]
#[must_use]
pub fn irqs_disabled() -> bool {
    local_save_flags().irqs_disabled()
}

/// How it is with interrupts on this CPU, for a comparison: Linux's `local_save_flags`.
#[inline]
pub fn local_save_flags() -> IrqFlags {
    IrqFlags(irqflags::save_flags())
}

/// Keeps interrupts from this CPU and says how it was before.
#[inline]
pub fn local_irq_save() -> IrqFlags {
    let flags = local_save_flags();
    irqflags::cli();
    gone_off(|| !flags.irqs_disabled());
    flags
}

/// Lets interrupts come again if they could when [`local_irq_save`] was called. If not, they still cannot, unless somebody has let them meanwhile.
#[inline]
pub fn local_irq_restore(flags: IrqFlags) {
    if !flags.irqs_disabled() {
        going_on();
        irqflags::sti();
    }
}

/// A hard interrupt has begun, which the processor keeps others from. Interrupts are off, and were on.
#[inline]
pub(crate) fn interrupt_began() {
    gone_off(|| true);
}

/// A hard interrupt or the last words before a sleep end: what comes next lets interrupts on.
#[inline]
pub(crate) fn interrupt_ends() {
    going_on();
}

/// Keeps interrupts from this CPU for as long as it lives, then restores how it was.
pub struct IrqGuard(IrqFlags, PhantomData<*mut ()>);

impl IrqGuard {
    /// [`local_irq_save`] until the guard is dropped.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        IrqGuard(local_irq_save(), PhantomData)
    }

    /// A guard for a caller that has interrupts off already: it restores that.
    #[inline]
    #[must_use]
    pub(crate) fn already_off() -> Self {
        debug_assert!(irqs_disabled());
        IrqGuard(IrqFlags(0), PhantomData)
    }
}

impl Default for IrqGuard {
    fn default() -> Self {
        IrqGuard::new()
    }
}

impl Drop for IrqGuard {
    #[inline]
    fn drop(&mut self) {
        local_irq_restore(self.0);
    }
}

#[ktest]
fn a_guard_inside_a_guard_leaves_interrupts_off() {
    let before = irqs_disabled();
    {
        let _outer = IrqGuard::new();
        {
            let _inner = IrqGuard::new();
            assert!(irqs_disabled());
        }
        assert!(irqs_disabled());
    }
    assert_eq!(irqs_disabled(), before);
}

//! Whether interrupts may come: this CPU's interrupt flag.
//!
//! Code that shares data with interrupt handlers holds an [`IrqGuard`] meanwhile. What the handlers are and how a line finds its handler is not decided here.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use crate::arch::x86::irqflags;
use crate::prelude::*;

/// The interrupt flag as [`local_irq_save`] found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the state must be restored"]
pub struct IrqFlags(u64);

/// Keeps interrupts from this CPU.
#[inline]
pub fn local_irq_disable() {
    irqflags::cli();
}

/// Lets interrupts come to this CPU.
///
/// A caller that holds a lock which a handler takes brings about a deadlock, nothing worse: each vector has a gate from the first instructions on.
#[inline]
pub fn local_irq_enable() {
    irqflags::sti();
}

/// Whether interrupts are kept from this CPU.
#[inline]
#[must_use]
pub fn irqs_disabled() -> bool {
    irqflags::save_flags() & irqflags::X86_EFLAGS_IF == 0
}

/// Keeps interrupts from this CPU and says how it was before.
#[inline]
pub fn local_irq_save() -> IrqFlags {
    let flags = IrqFlags(irqflags::save_flags());
    irqflags::cli();
    flags
}

/// Makes it again as [`local_irq_save`] found it.
#[inline]
pub fn local_irq_restore(flags: IrqFlags) {
    if flags.0 & irqflags::X86_EFLAGS_IF != 0 {
        irqflags::sti();
    } else {
        irqflags::cli();
    }
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

/// A spin lock that keeps interrupts from this CPU while it is held, for data that interrupt handlers use too.
pub struct IrqMutex<T>(spin::Mutex<T>);

/// The right to use what an [`IrqMutex`] protects, until dropped.
pub struct IrqMutexGuard<'a, T> {
    // Dropped in this order: an interrupt between the two would wait for a lock that its own CPU holds.
    inner: spin::MutexGuard<'a, T>,
    _interrupts_off: IrqGuard,
    /// With interrupts off nothing is preempted, but who must not sleep is found by the count.
    #[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
    _preemption_off: crate::preempt::PreemptGuard,
}

impl<T> IrqMutex<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        IrqMutex(spin::Mutex::new(value))
    }

    /// Waits for the lock and takes it.
    pub fn lock(&self) -> IrqMutexGuard<'_, T> {
        let interrupts_off = IrqGuard::new();
        IrqMutexGuard {
            inner: self.0.lock(),
            _interrupts_off: interrupts_off,
            #[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
            _preemption_off: crate::preempt::PreemptGuard::new(),
        }
    }
}

impl<T> Deref for IrqMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for IrqMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
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

#[ktest]
fn a_held_mutex_keeps_interrupts_off() {
    let before = irqs_disabled();
    let mutex = IrqMutex::new(1);
    {
        let mut value = mutex.lock();
        *value += 1;
        assert!(irqs_disabled());
    }
    assert_eq!((*mutex.lock(), irqs_disabled()), (2, before));
}

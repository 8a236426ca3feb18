//! A spin lock around data that interrupt handlers touch, too.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

use super::RawSpinLock;
use crate::irq::IrqGuard;
use crate::prelude::*;

/// Data that one CPU at a time uses, with its interrupts off: Linux's `spinlock_t` as `spin_lock_irqsave` takes it. There is no other way to take it, so nobody can hold it while
/// a handler comes that wants it.
#[derive(Default)]
pub struct IrqSpinLock<T> {
    lock: RawSpinLock,
    data: UnsafeCell<T>,
}

// SAFETY: the data are reached by one CPU at a time, so they are sent from one to the next.
unsafe impl<T: Send> Sync for IrqSpinLock<T> {}

/// The right to use what an [`IrqSpinLock`] protects, with interrupts off on this CPU, until dropped.
pub struct IrqSpinLockGuard<'a, T> {
    // Dropped in this order: an interrupt between the two would wait for a lock that its own CPU holds.
    inner: Held<'a, T>,
    _interrupts_off: IrqGuard,
}

/// The lock, given back when dropped.
struct Held<'a, T>(&'a IrqSpinLock<T>);

impl<T> IrqSpinLock<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        IrqSpinLock {
            lock: RawSpinLock::new(),
            data: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody has the data and takes them; what the interrupt flag was is restored afterwards. May be asked for anywhere but in a non-maskable interrupt, and not by
    /// who has the data already.
    #[inline]
    pub fn lock(&self) -> IrqSpinLockGuard<'_, T> {
        let interrupts_off = IrqGuard::new();
        self.lock.lock();
        self.guard(interrupts_off)
    }

    /// [`lock`](Self::lock) for a caller that knows interrupts to be off, and lets them stay off for longer than it has the data: an interrupt's handling.
    #[inline]
    pub(crate) fn lock_irqs_off(&self) -> IrqSpinLockGuard<'_, T> {
        let still_off = IrqGuard::already_off();
        self.lock.lock();
        self.guard(still_off)
    }

    /// Takes the data if nobody has them. In any context.
    #[inline]
    pub fn try_lock(&self) -> Option<IrqSpinLockGuard<'_, T>> {
        let interrupts_off = IrqGuard::new();
        self.lock.try_lock().then(|| self.guard(interrupts_off))
    }

    /// The data, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Gives the lock back in place of who has it.
    ///
    /// # Safety
    ///
    /// Who has it never uses the data again, and never gives it back.
    pub unsafe fn force_unlock(&self) {
        // SAFETY: the caller vouches for it.
        unsafe { self.lock.force_unlock() };
    }

    #[inline]
    fn guard(&self, interrupts_off: IrqGuard) -> IrqSpinLockGuard<'_, T> {
        IrqSpinLockGuard {
            inner: Held(self),
            _interrupts_off: interrupts_off,
        }
    }
}

impl<T> Drop for Held<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: whoever made this had the lock.
        unsafe { self.0.lock.unlock() };
    }
}

impl<T> Deref for IrqSpinLockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is the right to use the data.
        unsafe { &*self.inner.0.data.get() }
    }
}

impl<T> DerefMut for IrqSpinLockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed for as long as the reference lives.
        unsafe { &mut *self.inner.0.data.get() }
    }
}

#[ktest]
fn a_held_lock_keeps_interrupts_off() {
    use crate::irq::irqs_disabled;
    let before = irqs_disabled();
    let lock = IrqSpinLock::new(1);
    {
        let mut value = lock.lock();
        *value += 1;
        assert!(irqs_disabled() && lock.try_lock().is_none() && irqs_disabled());
    }
    assert_eq!((irqs_disabled(), *lock.lock()), (before, 2));
}

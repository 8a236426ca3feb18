//! A spin lock around data that interrupt handlers do not touch.

use core::cell::UnsafeCell;
use core::fmt;
use core::ops::{Deref, DerefMut};

use super::RawSpinLock;
use crate::preempt::PreemptGuard;
use crate::prelude::*;

/// Data that one CPU at a time uses, and no interrupt handler: Linux's `spinlock_t` as `spin_lock` takes it.
///
/// A handler that took it would wait for its own CPU. What handlers use is in an [`IrqSpinLock`](super::IrqSpinLock).
#[derive(Default)]
pub struct SpinLock<T> {
    lock: RawSpinLock,
    data: UnsafeCell<T>,
}

// SAFETY: the data are reached by one CPU at a time, so they are sent from one to the next.
unsafe impl<T: Send> Sync for SpinLock<T> {}

/// The right to use what a [`SpinLock`] protects, with preemption off, until dropped.
pub struct SpinLockGuard<'a, T> {
    lock: &'a SpinLock<T>,
    _preemption_off: PreemptGuard,
}

impl<T> SpinLock<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        SpinLock {
            lock: RawSpinLock::new(),
            data: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody has the data and takes them. May not be asked for by who has them already, nor by an interrupt handler.
    #[inline]
    pub fn lock(&self) -> SpinLockGuard<'_, T> {
        let preemption_off = PreemptGuard::new();
        self.lock.lock();
        SpinLockGuard {
            lock: self,
            _preemption_off: preemption_off,
        }
    }

    /// Takes the data if nobody has them.
    #[inline]
    pub fn try_lock(&self) -> Option<SpinLockGuard<'_, T>> {
        let preemption_off = PreemptGuard::new();
        // Made only if the lock was taken: dropping a guard gives it back.
        self.lock.try_lock().then(|| SpinLockGuard {
            lock: self,
            _preemption_off: preemption_off,
        })
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

    /// The data, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }
}

impl<T> fmt::Debug for SpinLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpinLock").field("lock", &self.lock).finish_non_exhaustive()
    }
}

impl<'a, T> SpinLockGuard<'a, T> {
    /// The data for good: the lock is never free again.
    #[must_use]
    pub fn leak(guard: Self) -> &'a mut T
    where
        T: 'a,
    {
        let guard = core::mem::ManuallyDrop::new(guard);
        crate::preempt::enable();
        // SAFETY: the lock stays taken, so nobody else gets to the data.
        unsafe { &mut *guard.lock.data.get() }
    }
}

impl<T> Deref for SpinLockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is the right to use the data.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> DerefMut for SpinLockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed for as long as the reference lives.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T> Drop for SpinLockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guard had the lock, and is gone.
        unsafe { self.lock.lock.unlock() };
    }
}

#[ktest]
fn a_lock_that_is_taken_is_not_to_be_had_twice() {
    let lock = SpinLock::new(1);
    {
        let mut value = lock.lock();
        *value += 1;
        assert!(lock.try_lock().is_none());
        assert!(lock.try_lock().is_none(), "who did not get it gave it back");
    }
    assert_eq!(lock.try_lock().map(|value| *value), Some(2));
}

#[ktest]
fn preemption_is_off_for_as_long_as_the_lock_is_taken() {
    let before = crate::preempt::count();
    let lock = SpinLock::new(());
    {
        let _guard = lock.lock();
        assert_eq!(crate::preempt::count(), before + crate::preempt::PREEMPT_OFFSET);
        assert!(lock.try_lock().is_none());
        assert_eq!(crate::preempt::count(), before + crate::preempt::PREEMPT_OFFSET);
    }
    assert_eq!(crate::preempt::count(), before);
}

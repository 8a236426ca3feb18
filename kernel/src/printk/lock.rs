//! The lock of the log and of console drivers: one that a dying kernel can break.
//!
//! An ordinary spin lock turns a fault inside the log, or inside a console driver, into silence: the report waits for the lock that the reporter itself
//! holds. This one waits for a bounded time. When that has passed, a kernel that is reporting its own failure ([`oops_in_progress`]) takes the lock by
//! force; any other caller is told that the lock was not to be had, which happens only to code that interrupted the holder (a machine check, an NMI).

use core::sync::atomic::{AtomicU32, Ordering};

use crate::locking::{IrqSpinLock, IrqSpinLockGuard};

/// Turns of the waiting loop before a lock counts as stuck: milliseconds, far beyond what any holder needs.
const SPIN_LIMIT: u32 = 1 << 18;

static OOPS_DEPTH: AtomicU32 = AtomicU32::new(0);

/// Whether the kernel is reporting a failure of its own, so that what stands in the way of the report may be broken.
#[must_use]
pub fn oops_in_progress() -> bool {
    OOPS_DEPTH.load(Ordering::Acquire) != 0
}

/// Begins a failure report (Linux's `bust_spinlocks(1)`): from here on a stuck [`BustableLock`] is broken.
pub fn oops_enter() {
    OOPS_DEPTH.fetch_add(1, Ordering::AcqRel);
}

/// Ends a failure report that [`oops_enter`] began; a panic never does.
pub fn oops_exit() {
    OOPS_DEPTH.fetch_sub(1, Ordering::AcqRel);
}

/// A spin lock with interrupts off on this CPU while it is held, breakable during a failure report.
pub struct BustableLock<T>(IrqSpinLock<T>);

/// The right to use what a [`BustableLock`] protects, and interrupts off on this CPU, until dropped.
pub type BustableGuard<'a, T> = IrqSpinLockGuard<'a, T>;

impl<T> BustableLock<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        BustableLock(IrqSpinLock::new(value))
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<BustableGuard<'_, T>> {
        self.0.try_lock()
    }

    /// Takes the lock, from any context. `None`: the context that holds it is underneath this one and cannot go on.
    pub fn lock(&self) -> Option<BustableGuard<'_, T>> {
        for _ in 0..SPIN_LIMIT {
            if let Some(guard) = self.0.try_lock() {
                return Some(guard);
            }
            core::hint::spin_loop();
        }
        if !oops_in_progress() {
            return None;
        }
        // SAFETY: the holder has had the lock for longer than any holder needs, while the kernel is dying. It is the context that failed, which does not go on, or one that was
        // stopped: neither touches the value again while this report is made.
        unsafe { self.0.force_unlock() };
        self.0.try_lock()
    }
}

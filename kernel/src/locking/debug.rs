//! Who has a lock: finds who waits for itself, and who gives back what another CPU has taken (`CONFIG_DEBUG_SPINLOCK`).

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::RawSpinLock;
use crate::panic::taint::{self, Taint};
use crate::panic::task;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// What stands for nobody.
const NOBODY: u32 = u32::MAX;

/// The CPU that has a lock.
#[derive(Debug)]
pub(super) struct Owner(AtomicU32);

impl Default for Owner {
    fn default() -> Self {
        Owner::new()
    }
}

impl Owner {
    pub(super) const fn new() -> Self {
        Owner(AtomicU32::new(NOBODY))
    }

    /// Notes that this CPU has the lock.
    #[inline]
    pub(super) fn set(&self) {
        self.0.store(smp_processor_id() as u32, Relaxed);
    }

    /// Reports if this CPU has the lock already: it would wait for itself.
    #[inline]
    pub(super) fn before_lock(&self, lock: &RawSpinLock) {
        if self.0.load(Relaxed) == smp_processor_id() as u32 {
            self.bug("recursion", lock);
        }
    }

    /// Notes that nobody has the lock.
    #[inline]
    pub(super) fn clear(&self) {
        self.0.store(NOBODY, Relaxed);
    }

    /// Reports if the lock is free or another CPU's.
    #[inline]
    pub(super) fn before_unlock(&self, lock: &RawSpinLock) {
        if !lock.is_locked() {
            self.bug("already unlocked", lock);
        } else if self.0.load(Relaxed) != smp_processor_id() as u32 {
            self.bug("wrong CPU", lock);
        }
    }

    /// Linux's `spin_bug`.
    #[cold]
    fn bug(&self, what: &str, lock: &RawSpinLock) {
        pr_emerg!(
            "BUG: spinlock {what} on CPU#{}, {}/{}",
            smp_processor_id(),
            task::comm(),
            task::pid()
        );
        let owner = self.0.load(Relaxed) as i32;
        pr_emerg!(
            " lock: {:p}, .locked: {}, .owner_cpu: {owner}",
            &raw const *lock,
            u8::from(lock.is_locked())
        );
        crate::arch::x86::dumpstack::dump_stack();
        taint::add(Taint::Warn);
    }
}

//! A spin lock without data: Linux's `raw_spinlock_t`.

use core::arch::asm;
use core::sync::atomic::AtomicU32;

use incipit_lib::qspinlock;

#[cfg(CONFIG_DEBUG_SPINLOCK)]
use super::debug::Owner;
#[cfg(CONFIG_SMP)]
use super::mcs::Cpus;

/// A lock that is waited for by spinning, in the order of asking.
///
/// It turns nothing off: a caller whose data are used by interrupt handlers has interrupts off, every caller stays on its CPU. Who has data to put behind it takes
/// [`SpinLock`](super::SpinLock) or [`IrqSpinLock`](super::IrqSpinLock).
#[derive(Debug, Default)]
pub struct RawSpinLock {
    word: AtomicU32,
    #[cfg(CONFIG_DEBUG_SPINLOCK)]
    owner: Owner,
}

impl RawSpinLock {
    /// A free lock.
    #[must_use]
    pub const fn new() -> Self {
        RawSpinLock {
            word: AtomicU32::new(0),
            #[cfg(CONFIG_DEBUG_SPINLOCK)]
            owner: Owner::new(),
        }
    }

    /// Waits until the lock is free and takes it. With `CONFIG_DEBUG_SPINLOCK` a CPU that has it already says so instead of waiting for itself without a word.
    #[inline]
    pub fn lock(&self) {
        #[cfg(CONFIG_DEBUG_SPINLOCK)]
        self.owner.before_lock(self);
        #[cfg(CONFIG_SMP)]
        if !qspinlock::take(&self.word) {
            queued_spin_lock_slowpath(&self.word);
        }
        #[cfg(not(CONFIG_SMP))]
        while !qspinlock::try_lock(&self.word) {
            core::hint::spin_loop();
        }
        #[cfg(CONFIG_DEBUG_SPINLOCK)]
        self.owner.set();
    }

    /// Takes the lock if it is free.
    #[inline]
    #[must_use]
    pub fn try_lock(&self) -> bool {
        let taken = qspinlock::try_lock(&self.word);
        #[cfg(CONFIG_DEBUG_SPINLOCK)]
        if taken {
            self.owner.set();
        }
        taken
    }

    /// Gives the lock back.
    ///
    /// # Safety
    ///
    /// The caller has it: it took it and has not given it back.
    #[inline]
    pub unsafe fn unlock(&self) {
        #[cfg(CONFIG_DEBUG_SPINLOCK)]
        self.owner.before_unlock(self);
        // SAFETY: the caller has the lock.
        unsafe { self.force_unlock() };
    }

    /// Gives the lock back in place of who has it.
    ///
    /// # Safety
    ///
    /// Who has it never uses again what it protects, and never gives it back.
    #[inline]
    pub unsafe fn force_unlock(&self) {
        #[cfg(CONFIG_DEBUG_SPINLOCK)]
        self.owner.clear();
        // SAFETY: the lowest byte of the word is written by nobody else while the lock is taken. What the caller has written is seen before it, for the processor keeps stores
        // in order and the instruction is one that the compiler moves no memory access across.
        unsafe { asm!("mov byte ptr [{word}], 0", word = in(reg) self.word.as_ptr(), options(nostack, preserves_flags)) };
    }

    /// Whether somebody has the lock, which may be over by the time the answer is there.
    #[inline]
    #[must_use]
    pub fn is_locked(&self) -> bool {
        qspinlock::is_locked(&self.word)
    }

    /// Whether somebody waits for the lock.
    #[inline]
    #[must_use]
    pub fn is_contended(&self) -> bool {
        qspinlock::is_contended(&self.word)
    }
}

/// Waits for a lock that was not free. In a section of its own, so that a profile charges the waiting to the caller.
#[cfg(CONFIG_SMP)]
#[cold]
#[inline(never)]
#[unsafe(link_section = ".spinlock.text")]
fn queued_spin_lock_slowpath(word: &AtomicU32) {
    qspinlock::lock_slowpath(word, &Cpus);
}

//! Which CPU's wheel a timer belongs to, and how it moves to another while others look for it.
//!
//! A timer's [`Home`] changes only under the lock of the base that it names, so whoever has taken that lock and finds it unchanged has the timer. Between two bases it names
//! none, and the seekers wait. While its function runs, a base names the timer as the one that runs, and it does not move: so who deletes it and wants to be sure that its function
//! is over has one base to watch.

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, Release},
};

use crate::atomic::Atomic;

/// In a home: on the way to another one. The number of no CPU.
const MIGRATING: u32 = 1 << 31;

/// The bases of all CPUs.
pub trait Bases {
    /// The right to use one of them.
    type Guard<'a>
    where
        Self: 'a;

    /// The number of no CPU, and of none behind it; 2^31 at the most.
    const END: u32;

    /// Waits until nobody has the base of `cpu` and takes it.
    fn lock(&self, cpu: u32) -> Self::Guard<'_>;
}

/// The base that a timer belongs to, whether it is pending or not.
#[derive(Debug, Default)]
pub struct Home<W = AtomicU32>(W);

impl Home {
    /// A timer that belongs to CPU 0 until it is added elsewhere.
    #[must_use]
    pub const fn new() -> Self {
        Home(AtomicU32::new(0))
    }
}

impl<W: Atomic<u32>> Home<W> {
    /// The base that the timer belongs to, locked, and the number of its CPU: Linux's `lock_timer_base`.
    #[inline]
    pub fn lock<'a, B: Bases>(&self, bases: &'a B) -> (u32, B::Guard<'a>) {
        loop {
            let cpu = self.0.load(Relaxed);
            if cpu < B::END {
                let guard = bases.lock(cpu);
                // Ordered by the lock: who changes it has it.
                if self.0.load(Relaxed) == cpu {
                    return (cpu, guard);
                }
            }
            W::relax();
        }
    }

    /// Takes the timer, which is in no wheel and whose function does not run, from the base that `from` has locked to that of `to`, which is locked then.
    #[inline]
    pub fn migrate<'a, B: Bases>(&self, bases: &'a B, from: B::Guard<'a>, to: u32) -> B::Guard<'a> {
        self.0.store(MIGRATING, Relaxed);
        drop(from);
        let guard = bases.lock(to);
        self.0.store(to, Release);
        guard
    }

    /// Says that the timer belongs to `to` from now on, for a caller who has the locks of both bases.
    #[inline]
    pub fn set(&self, to: u32) {
        self.0.store(to, Release);
    }
}

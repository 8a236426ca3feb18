//! What each CPU has of timers, behind a lock of its own, and who may take two of them.
//!
//! A timer finds the base that it belongs to by its [`Home`](incipit_lib::timer_wheel::home::Home). What is in a base is the business of [`super::timer`] and [`super::hrtimer`].

use incipit_lib::timer_wheel::home::Bases;

use crate::arch::x86::cpu::masks::NR_CPUS;
use crate::irq::IrqGuard;
use crate::locking::{IrqSpinLock, IrqSpinLockGuard};
use crate::percpu::{PerCpu, smp_processor_id};

/// A base's lock, taken.
pub(super) type Locked<T> = IrqSpinLockGuard<'static, T>;

/// The bases of all CPUs, one each.
pub(super) struct PerCpuBases<T: 'static>(&'static PerCpu<IrqSpinLock<T>>);

impl<T: Send> PerCpuBases<T> {
    pub(super) const fn new(bases: &'static PerCpu<IrqSpinLock<T>>) -> Self {
        PerCpuBases(bases)
    }

    /// The base of `cpu`, if there can be such a CPU and nobody has its base: for who only looks.
    pub(super) fn try_lock(&self, cpu: usize) -> Option<Locked<T>> {
        self.0.per_cpu(cpu)?.try_lock()
    }

    /// The base of this CPU. Interrupts are off, or preemption is.
    #[inline]
    pub(super) fn lock_this_cpu(&self) -> Locked<T> {
        // SAFETY: the caller stays on the CPU; the copies are initialised and stay.
        unsafe { &*self.0.this_cpu_ptr() }.lock()
    }

    /// The bases of two CPUs, taken in the order of their numbers, so that nobody waits for a second one in the other order.
    fn lock_two(&self, one: usize, other: usize) -> (Locked<T>, Locked<T>) {
        let (low, high) = (self.lock(one.min(other) as u32), self.lock(one.max(other) as u32));
        if one < other { (low, high) } else { (high, low) }
    }

    /// Lets `take_one` take timers from the base of `dead`, a CPU that does not run any more, to that of this CPU, whose number it is told, until it says that there is none left.
    pub(super) fn take_over(&self, dead: usize, mut take_one: impl FnMut(&mut T, &mut T, u32) -> bool) {
        let interrupts_off = IrqGuard::new();
        let here = smp_processor_id();
        let mut goes_on = true;
        while goes_on {
            let (mut from, mut to) = self.lock_two(dead, here);
            goes_on = take_one(&mut from, &mut to, here as u32);
        }
        drop(interrupts_off);
    }
}

impl<T: Send> Bases for PerCpuBases<T> {
    type Guard<'a> = Locked<T>;
    const END: u32 = NR_CPUS as u32;

    #[inline]
    fn lock(&self, cpu: u32) -> Self::Guard<'_> {
        // SAFETY: homes are 0 or numbers of CPUs that have run, whose areas stay.
        unsafe { &*self.0.per_cpu_ptr(cpu as usize) }.lock()
    }
}

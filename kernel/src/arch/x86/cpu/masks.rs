//! Which CPUs there are: Linux's four masks.
//!
//! A CPU is *possible* if it can ever be there, *present* if it is, *online* if it runs the kernel, *active* if it takes work. Each mask is part of the one
//! before it. Who finds CPUs (firmware tables) or starts them sets them here.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::prelude::*;

/// The most CPUs that the kernel can use.
#[cfg(CONFIG_SMP)]
pub const NR_CPUS: usize = crate::config::CONFIG_NR_CPUS as usize;
/// The most CPUs that the kernel can use.
#[cfg(not(CONFIG_SMP))]
pub const NR_CPUS: usize = 1;

/// A set of CPUs.
#[derive(Default)]
pub struct CpuMask(AtomicU64);

const _: () = assert!(NR_CPUS <= u64::BITS as usize, "a mask is one word");

/// CPUs that can ever be there.
pub static POSSIBLE: CpuMask = CpuMask::new();
/// CPUs that are there.
pub static PRESENT: CpuMask = CpuMask::new();
/// CPUs that run the kernel.
pub static ONLINE: CpuMask = CpuMask::new();
/// CPUs that take work.
pub static ACTIVE: CpuMask = CpuMask::new();

impl CpuMask {
    /// A set without a CPU.
    #[must_use]
    pub const fn new() -> Self {
        CpuMask(AtomicU64::new(0))
    }

    /// Puts a CPU in or takes it out; a number beyond [`NR_CPUS`] changes nothing.
    pub fn set(&self, cpu: usize, value: bool) {
        let bit = if cpu < NR_CPUS { 1 << cpu } else { 0 };
        if value {
            self.0.fetch_or(bit, Relaxed);
        } else {
            self.0.fetch_and(!bit, Relaxed);
        }
    }

    /// Whether the CPU is in.
    #[inline]
    #[must_use]
    pub fn contains(&self, cpu: usize) -> bool {
        cpu < NR_CPUS && self.0.load(Relaxed) & 1 << cpu != 0
    }

    /// The CPUs that are in at the moment of the call, in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        Cpus(self.0.load(Relaxed))
    }

    /// The CPUs that are in this one and in `other`, but not `cpu`.
    #[inline]
    #[must_use]
    pub fn and_without(&self, other: &CpuMask, cpu: usize) -> CpuMask {
        let without = if cpu < NR_CPUS { !(1 << cpu) } else { u64::MAX };
        CpuMask(AtomicU64::new(self.0.load(Relaxed) & other.0.load(Relaxed) & without))
    }

    /// Whether the same CPUs are in both.
    #[inline]
    #[must_use]
    pub fn is_same(&self, other: &CpuMask) -> bool {
        self.0.load(Relaxed) == other.0.load(Relaxed)
    }

    /// How many are in.
    #[inline]
    #[must_use]
    pub fn weight(&self) -> usize {
        self.0.load(Relaxed).count_ones() as usize
    }
}

/// CPUs that are still to come, a bit each.
#[derive(Clone)]
struct Cpus(u64);

impl Iterator for Cpus {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let cpu = self.0.trailing_zeros() as usize;
        // Without its lowest bit; nothing is left of nothing.
        self.0 &= self.0.wrapping_sub(1);
        (cpu < NR_CPUS).then_some(cpu)
    }
}

impl Clone for CpuMask {
    fn clone(&self) -> Self {
        CpuMask(AtomicU64::new(self.0.load(Relaxed)))
    }
}

/// The number behind the last possible CPU's.
#[must_use]
pub fn nr_cpu_ids() -> usize {
    (u64::BITS - POSSIBLE.0.load(Relaxed).leading_zeros()) as usize
}

#[ktest]
fn a_mask_holds_what_was_put_in_and_nothing_beyond_its_end() {
    let mask = CpuMask::new();
    let last = NR_CPUS - 1;
    for cpu in [0, last, NR_CPUS, usize::MAX] {
        mask.set(cpu, true);
    }
    assert!(mask.contains(0) && mask.contains(last) && !mask.contains(NR_CPUS) && !mask.contains(usize::MAX));
    assert!(mask.iter().eq(if last == 0 { 0..1 } else { 0..2 }.map(|index| index * last)));
    mask.set(last, false);
    assert_eq!(mask.weight(), usize::from(last != 0));
}

#[ktest]
fn masks_are_intersected_and_compared() {
    let (one, other) = (CpuMask::new(), CpuMask::new());
    assert!(one.is_same(&other) && one.and_without(&other, 0).is_same(&other));
    (0..NR_CPUS).for_each(|cpu| one.set(cpu, true));
    (0..NR_CPUS).step_by(2).for_each(|cpu| other.set(cpu, true));
    assert!(one.and_without(&other, NR_CPUS).is_same(&other));
    assert!(one.and_without(&other, usize::MAX).is_same(&other));
    assert!(one.and_without(&other, 0).iter().eq((2..NR_CPUS).step_by(2)));
    assert_eq!(one.is_same(&other), NR_CPUS == 1);
}

#[ktest]
fn the_cpu_that_runs_this_is_in_every_mask() {
    let cpu = crate::percpu::smp_processor_id();
    for mask in [&POSSIBLE, &PRESENT, &ONLINE, &ACTIVE] {
        assert!(mask.contains(cpu));
    }
    assert!(cpu < nr_cpu_ids());
}

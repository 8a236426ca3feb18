//! Counts that all CPUs change often and somebody reads seldom (Linux's `percpu_counter`).
//!
//! Each CPU counts for itself, and hands its part on when that has become as large as a batch. What is read without asking every CPU is off by less than a batch for each.

use core::sync::atomic::{AtomicI32, AtomicI64, Ordering::Relaxed};

use super::{PerCpu, masks};
use crate::preempt::PreemptGuard;

/// From what on a CPU hands its part on: Linux's least.
const BATCH: i32 = 32;

/// A count. Its parts are a per-CPU static of its own, which stays when a CPU goes, so that nothing is to be done then.
pub struct PercpuCounter {
    count: AtomicI64,
    parts: &'static PerCpu<AtomicI32>,
    batch: i32,
}

impl PercpuCounter {
    /// A count of 0 with `parts`, which are 0 and nobody else's. For use when each CPU has its own data.
    #[must_use]
    pub const fn new(parts: &'static PerCpu<AtomicI32>) -> Self {
        Self::with_batch(parts, BATCH)
    }

    /// The same, with parts that are handed on from `batch` on.
    #[must_use]
    pub const fn with_batch(parts: &'static PerCpu<AtomicI32>, batch: i32) -> Self {
        PercpuCounter {
            count: AtomicI64::new(0),
            parts,
            batch,
        }
    }

    /// Adds `amount`, which may be negative. Any context.
    #[inline]
    pub fn add(&self, amount: i64) {
        let batch = u64::from(self.batch.unsigned_abs());
        if amount.unsigned_abs() >= batch {
            self.count.fetch_add(amount, Relaxed);
            return;
        }
        let stay = PreemptGuard::new();
        let part = self.parts.this_cpu(&stay);
        let new = i64::from(part.fetch_add(amount as i32, Relaxed)) + amount;
        if new.unsigned_abs() >= batch {
            self.count.fetch_add(part.swap(0, Relaxed).into(), Relaxed);
        }
    }

    /// About how much it is: off by less than [`PercpuCounter::error`].
    #[inline]
    #[must_use]
    pub fn read(&self) -> i64 {
        self.count.load(Relaxed)
    }

    /// By how much [`PercpuCounter::read`] can be off.
    #[must_use]
    pub fn error(&self) -> i64 {
        i64::from(self.batch) * masks::POSSIBLE.weight() as i64
    }

    /// How much it is, by asking every CPU; exact as far as nobody counts meanwhile.
    #[must_use]
    pub fn sum(&self) -> i64 {
        let parts = masks::POSSIBLE.iter().filter_map(|cpu| self.parts.per_cpu(cpu));
        self.read() + parts.map(|part| i64::from(part.load(Relaxed))).sum::<i64>()
    }

    /// How it compares to `other`; every CPU is asked only if they are close to each other. Linux's `percpu_counter_compare`.
    #[must_use]
    pub fn compare(&self, other: i64) -> core::cmp::Ordering {
        let count = self.read();
        if count.abs_diff(other) > self.error().unsigned_abs() {
            count.cmp(&other)
        } else {
            self.sum().cmp(&other)
        }
    }
}

#[cfg(CONFIG_KUNIT)]
mod tests {
    use core::cmp::Ordering;

    use super::*;
    use crate::prelude::*;
    use crate::smp::on_each_cpu;

    #[percpu]
    static PARTS: AtomicI32 = AtomicI32::new(0);
    static COUNTER: PercpuCounter = PercpuCounter::new(&PARTS);

    #[ktest]
    fn what_all_cpus_count_is_summed_up_and_read_nearly() {
        const TIMES: i64 = 1000;
        let cpus = masks::ONLINE.weight() as i64;
        let before = COUNTER.sum();
        on_each_cpu(&|| (0..TIMES).for_each(|_| COUNTER.add(1)));
        assert_eq!(COUNTER.sum() - before, TIMES * cpus);
        assert!(COUNTER.read().abs_diff(COUNTER.sum()) < COUNTER.error().unsigned_abs());
        on_each_cpu(&|| (0..TIMES).for_each(|_| COUNTER.add(-1)));
        assert_eq!(COUNTER.sum(), before);
    }

    #[ktest]
    fn comparing_asks_every_cpu_only_where_it_matters() {
        #[percpu]
        static FEW: AtomicI32 = AtomicI32::new(0);
        static COUNTED: PercpuCounter = PercpuCounter::with_batch(&FEW, 8);
        COUNTED.add(7);
        assert_eq!((COUNTED.read(), COUNTED.sum()), (0, 7));
        assert_eq!(COUNTED.compare(7), Ordering::Equal);
        assert_eq!((COUNTED.compare(6), COUNTED.compare(8)), (Ordering::Greater, Ordering::Less));
        assert_eq!(COUNTED.compare(1_000_000), Ordering::Less);
        COUNTED.add(1);
        assert_eq!((COUNTED.read(), COUNTED.sum()), (8, 8));
        COUNTED.add(-3);
        COUNTED.add(-5);
        assert_eq!((COUNTED.read(), COUNTED.sum()), (0, 0));
    }
}

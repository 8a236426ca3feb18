//! Failing each allocation in turn.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::ARMED as ALL_ARMED;
use super::callers::Callers;
use crate::locking::IrqSpinLock;
use crate::preempt;
use crate::prelude::*;

/// The bit of [`super::ARMED`] while [`every_site`] runs.
pub(super) const ARMED: u32 = 1 << 31;

/// How many allocations on this CPU until one fails: it does when this becomes 0. 0: none does.
#[percpu]
static FAIL_NTH: AtomicU32 = AtomicU32::new(0);

static STRUCK: IrqSpinLock<Option<Site>> = IrqSpinLock::new(None);
/// None of the kernel's own locks: who has it allocates as one who may sleep.
static ONE_AT_A_TIME: spin::Mutex<()> = spin::Mutex::new(());

/// An allocation that was made to fail.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// The how many-th it was, from 1.
    pub nth: u32,
    /// What failed: `failslab` or `fail_page_alloc`.
    pub name: &'static str,
    callers: Callers,
}

impl Site {
    /// The return addresses on the stack, the innermost first.
    #[must_use]
    pub fn trace(&self) -> &[usize] {
        self.callers.addresses()
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "allocation {} ({}){}", self.nth, self.name, self.callers)
    }
}

/// Calls `run` again and again; the first time its first allocation fails, then its second, until it comes through untouched. Each outcome goes to `check`, with
/// the allocation that failed, or nothing for the last. The answer is the number of allocations.
///
/// Only what `run` allocates on this CPU outside of interrupts counts, and what must not fail does not. One caller at a time: others wait.
pub fn every_site<T>(mut run: impl FnMut() -> T, mut check: impl FnMut(Option<Site>, T)) -> u32 {
    let _alone = ONE_AT_A_TIME.lock();
    for nth in 1.. {
        *STRUCK.lock() = None;
        FAIL_NTH.this_cpu_write(nth);
        super::arm(ARMED);
        let outcome = run();
        super::disarm(ARMED);
        FAIL_NTH.this_cpu_write(0);
        let struck = STRUCK.lock().take().map(|site| Site { nth, ..site });
        check(struck, outcome);
        if struck.is_none() {
            return nth - 1;
        }
    }
    u32::MAX
}

/// Calls `run`, whose allocations [`every_site`] does not count: those of a checker, which are none of what is tested.
pub fn exempt<T>(run: impl FnOnce() -> T) -> T {
    let left = FAIL_NTH.this_cpu_read();
    FAIL_NTH.this_cpu_write(0);
    let outcome = run();
    FAIL_NTH.this_cpu_write(left);
    outcome
}

/// Counts an allocation of this CPU and says whether it is the one that fails; nothing if they are not counted.
pub(super) fn strikes(name: &'static str) -> Option<bool> {
    if ALL_ARMED.load(Relaxed) & ARMED == 0 || preempt::in_interrupt() {
        return None;
    }
    let left = FAIL_NTH.this_cpu_read();
    if left == 0 {
        // Behind the one that failed nothing else does, nor by chance.
        return STRUCK.lock().is_some().then_some(false);
    }
    FAIL_NTH.this_cpu_write(left - 1);
    if left > 1 {
        return Some(false);
    }
    let callers = Callers::here(0);
    *STRUCK.lock() = Some(Site { nth: 0, name, callers });
    Some(true)
}

#[cfg(CONFIG_FAILSLAB)]
mod tests {
    use super::*;
    use crate::mm::Gfp;
    use crate::mm::fault_inject::should_failslab;

    /// Allocates thrice, and gives up at the first failure.
    fn allocates_thrice() -> Result<(), usize> {
        for done in 0..3 {
            if should_failslab(Gfp::KERNEL, 64) {
                return Err(done);
            }
        }
        Ok(())
    }

    #[ktest]
    fn each_allocation_fails_once_and_the_last_run_is_untouched() {
        let mut seen = [None; 4];
        let mut runs = 0;
        let sites = every_site(allocates_thrice, |site, outcome| {
            assert_eq!(site.map_or(Ok(()), |site| Err(site.nth as usize - 1)), outcome);
            seen[runs] = site.map(|site| site.name);
            runs += 1;
        });
        assert_eq!(
            (sites, runs, seen),
            (3, 4, [Some("failslab"), Some("failslab"), Some("failslab"), None])
        );
        assert!(!should_failslab(Gfp::ATOMIC, 64));
    }

    #[ktest]
    fn a_retry_comes_through_and_what_must_not_fail_is_not_counted() {
        let run = || {
            assert!(!should_failslab(Gfp::KERNEL | Gfp::NOFAIL, 64));
            (0..2).map(|_| should_failslab(Gfp::KERNEL, 64)).filter(|failed| *failed).count()
        };
        let sites = every_site(run, |site, failed| assert_eq!(failed, usize::from(site.is_some())));
        assert_eq!(sites, 2);
    }

    #[ktest]
    fn what_is_exempt_neither_fails_nor_counts() {
        let run = || {
            assert!(!exempt(|| should_failslab(Gfp::KERNEL, 64)));
            allocates_thrice()
        };
        assert_eq!(every_site(run, |_, _| ()), 3);
    }

    #[ktest]
    fn a_failed_allocation_is_named_by_its_callers() {
        every_site(allocates_thrice, |site, _| {
            if let Some(site) = site {
                assert!(site.trace().iter().all(|address| crate::mm::sections::is_text(*address)));
                assert!(!site.trace().is_empty());
            }
        });
    }
}

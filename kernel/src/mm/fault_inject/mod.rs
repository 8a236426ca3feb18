//! Making allocations fail: at random, as `failslab=` and `fail_page_alloc=` ask for, or each in turn, as [`every_site`] does
//! for a piece of code and `fail_nth=` for the boot.
//!
//! The allocators ask [`should_failslab`] and [`should_fail_alloc_page`] before they do anything; as long as nothing is to fail that is a look at one flag. What
//! is decided by chance follows Linux's `fault_attr`, [`incipit_lib::fault_attr`]. Nothing is allocated here.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit_lib::fault_attr::FaultAttr;
use incipit_lib::order::SplitMix64;

use super::slab::kmalloc;
use super::{Gfp, PAGE_SHIFT};
use crate::locking::IrqSpinLock;
use crate::prelude::*;

mod boot;
mod callers;
mod nth;
#[cfg(CONFIG_FAULT_INJECTION)]
mod options;
#[cfg(all(CONFIG_KUNIT, CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC))]
mod sites;

pub use boot::finish_boot;
pub use nth::{Site, every_site, exempt};

/// Where something is made to fail: a bit for each [`Fault`] that is on, [`nth::ARMED`] and [`boot::ARMED`].
static ARMED: AtomicU32 = AtomicU32::new(0);

/// Something that can be made to fail.
struct Fault {
    /// Linux's name.
    name: &'static str,
    /// Its bit of [`ARMED`].
    bit: u32,
    terms: IrqSpinLock<Terms>,
}

struct Terms {
    attr: FaultAttr,
    /// Begins alike on each boot, so that a failure can be had again.
    random: SplitMix64,
}

static FAILSLAB: Fault = Fault::new("failslab", 1 << 0);
static FAIL_PAGE_ALLOC: Fault = Fault::new("fail_page_alloc", 1 << 1);

/// How much is said of a failure: 0 nothing, 1 that there is one, 2 where it is, too.
#[cfg_attr(CONFIG_FAULT_INJECTION, param(name = "verbose", module = "fault_inject", perm = 0o644))]
static VERBOSE: AtomicU32 = AtomicU32::new(2);

/// Leaves allocations alone that may sleep: those should not fail in good times.
#[cfg_attr(CONFIG_FAILSLAB, param(name = "ignore_gfp_wait", module = "failslab", perm = 0o644))]
static SLAB_IGNORE_GFP_WAIT: AtomicU32 = AtomicU32::new(1);

/// Leaves allocations of pages alone that may sleep.
#[cfg_attr(CONFIG_FAIL_PAGE_ALLOC, param(name = "ignore_gfp_wait", module = "fail_page_alloc", perm = 0o644))]
static PAGE_IGNORE_GFP_WAIT: AtomicU32 = AtomicU32::new(1);

/// Leaves allocations of pages alone that user space will have.
#[cfg_attr(
    CONFIG_FAIL_PAGE_ALLOC,
    param(name = "ignore_gfp_highmem", module = "fail_page_alloc", perm = 0o644)
)]
static PAGE_IGNORE_GFP_HIGHMEM: AtomicU32 = AtomicU32::new(1);

/// Leaves allocations of smaller blocks of pages alone.
#[cfg_attr(CONFIG_FAIL_PAGE_ALLOC, param(name = "min_order", module = "fail_page_alloc", perm = 0o644))]
static PAGE_MIN_ORDER: AtomicU32 = AtomicU32::new(1);

/// Whether the allocation of an object of `size` bytes has to fail.
#[inline]
#[must_use]
pub fn should_failslab(gfp: Gfp, size: usize) -> bool {
    cfg!(CONFIG_FAILSLAB) && ARMED.load(Relaxed) != 0 && failslab(gfp, size)
}

/// Whether any allocation may have to fail.
#[inline]
#[must_use]
pub fn is_armed() -> bool {
    (cfg!(CONFIG_FAIL_PAGE_ALLOC) || cfg!(CONFIG_FAILSLAB)) && ARMED.load(Relaxed) != 0
}

/// Whether the allocation of 2^`order` pages has to fail.
#[inline]
#[must_use]
pub fn should_fail_alloc_page(gfp: Gfp, order: u32) -> bool {
    cfg!(CONFIG_FAIL_PAGE_ALLOC) && ARMED.load(Relaxed) != 0 && fail_alloc_page(gfp, order)
}

/// Makes allocations look whether they fail, for one of the bits of [`ARMED`].
fn arm(bit: u32) {
    ARMED.fetch_or(bit, Relaxed);
    kmalloc::follow_fault_injection();
}

/// Takes one of the bits back, and says whether it was set.
fn disarm(bit: u32) -> bool {
    let was_armed = ARMED.fetch_and(!bit, Relaxed) & bit != 0;
    kmalloc::follow_fault_injection();
    was_armed
}

#[cold]
fn failslab(gfp: Gfp, size: usize) -> bool {
    let exempt = SLAB_IGNORE_GFP_WAIT.load(Relaxed) != 0 && gfp.allows_blocking();
    FAILSLAB.strikes(gfp, exempt, size as u64)
}

#[cold]
fn fail_alloc_page(gfp: Gfp, order: u32) -> bool {
    let exempt = order < PAGE_MIN_ORDER.load(Relaxed)
        || (PAGE_IGNORE_GFP_HIGHMEM.load(Relaxed) != 0 && gfp.intersects(Gfp::HIGHMEM))
        || (PAGE_IGNORE_GFP_WAIT.load(Relaxed) != 0 && gfp.allows_blocking());
    FAIL_PAGE_ALLOC.strikes(gfp, exempt, 1 << (order + PAGE_SHIFT))
}

impl Fault {
    const fn new(name: &'static str, bit: u32) -> Fault {
        let terms = Terms {
            attr: FaultAttr::OFF,
            random: SplitMix64::new(0),
        };
        Fault {
            name,
            bit,
            terms: IrqSpinLock::new(terms),
        }
    }

    /// Fails on these terms from now on.
    fn set(&self, attr: FaultAttr) {
        self.terms.lock().attr = attr;
        if attr.is_on() {
            arm(self.bit);
        } else {
            disarm(self.bit);
        }
    }

    /// Whether it strikes this time. What is `exempt` from chance is still counted by [`every_site`].
    fn strikes(&self, gfp: Gfp, exempt: bool, size: u64) -> bool {
        if gfp.intersects(Gfp::NOFAIL) {
            return false;
        }
        if let Some(fails) = nth::strikes(self.name).or_else(|| boot::strikes(self.name)) {
            return fails;
        }
        if exempt || ARMED.load(Relaxed) & self.bit == 0 {
            return false;
        }
        let mut terms = self.terms.lock();
        let Terms { attr, random } = &mut *terms;
        let before = *attr;
        let fails = attr.should_fail(size, random);
        if !attr.is_on() {
            disarm(self.bit);
        }
        drop(terms);
        if fails && !gfp.intersects(Gfp::NOWARN) {
            self.report(&before);
        }
        fails
    }

    /// Says that something is made to fail, in Linux's words.
    fn report(&self, attr: &FaultAttr) {
        static LIMIT: crate::printk::RateLimit = crate::printk::RateLimit::new();
        let verbose = VERBOSE.load(Relaxed);
        if verbose == 0 || !LIMIT.allows("fail_dump") {
            return;
        }
        pr_notice!("FAULT_INJECTION: forcing a failure.");
        pr_notice!("name {}, {attr}", self.name);
        if verbose > 1 {
            crate::arch::x86::dumpstack::dump_stack();
        }
    }
}

#[cfg(CONFIG_FAILSLAB)]
mod tests {
    use super::*;

    #[ktest]
    fn what_may_not_fail_does_not() {
        let before = FAILSLAB.terms.lock().attr;
        FAILSLAB.set(FaultAttr::parse(b"1,100,0,2").expect("four integers"));
        let verbose = VERBOSE.swap(0, Relaxed);
        assert!(!should_failslab(Gfp::ATOMIC | Gfp::NOFAIL, 8));
        assert!(!should_failslab(Gfp::KERNEL, 8));
        assert!(should_failslab(Gfp::ATOMIC, 8));
        assert!(should_failslab(Gfp::NOWAIT, 8));
        assert!(!should_failslab(Gfp::ATOMIC, 8), "two times are up");
        assert_eq!(ARMED.load(Relaxed) & FAILSLAB.bit, 0);
        VERBOSE.store(verbose, Relaxed);
        FAILSLAB.set(before);
    }
}

//! Softirqs: what an interrupt leaves to be done when it is over, with interrupts on again, before the interrupted code goes on.
//!
//! There are ten, as in Linux, and each has at most one handler, declared where it stands by [`macro@softirq`]. They run on the CPU that raised them, when the outermost
//! interrupt ends or a [`BhGuard`] is dropped; what keeps being raised is left for the next occasion after a while, so that the interrupted code comes to its turn.

#[cfg(CONFIG_KDB)]
mod proc;
mod tasklet;
#[cfg(CONFIG_KUNIT)]
mod tests;

use core::marker::PhantomData;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed};

use linkme::distributed_slice;

use crate::irq::{self, IrqGuard};
use crate::preempt::{self, HARDIRQ_OFFSET, SOFTIRQ_OFFSET};
use crate::prelude::*;
use crate::time::{sched_clock, tick};

pub use tasklet::Tasklet;

/// The softirqs, in the order in which they are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are Linux's")]
pub enum Softirq {
    Hi = 0,
    Timer = 1,
    NetTx = 2,
    NetRx = 3,
    Block = 4,
    IrqPoll = 5,
    Tasklet = 6,
    Sched = 7,
    Hrtimer = 8,
    Rcu = 9,
}

/// How many there are.
pub const NR_SOFTIRQS: usize = 10;

impl Softirq {
    /// All of them, in the order in which they are run.
    pub const ALL: [Softirq; NR_SOFTIRQS] = [
        Softirq::Hi,
        Softirq::Timer,
        Softirq::NetTx,
        Softirq::NetRx,
        Softirq::Block,
        Softirq::IrqPoll,
        Softirq::Tasklet,
        Softirq::Sched,
        Softirq::Hrtimer,
        Softirq::Rcu,
    ];

    /// What `/proc/softirqs` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Softirq::Hi => "HI",
            Softirq::Timer => "TIMER",
            Softirq::NetTx => "NET_TX",
            Softirq::NetRx => "NET_RX",
            Softirq::Block => "BLOCK",
            Softirq::IrqPoll => "IRQ_POLL",
            Softirq::Tasklet => "TASKLET",
            Softirq::Sched => "SCHED",
            Softirq::Hrtimer => "HRTIMER",
            Softirq::Rcu => "RCU",
        }
    }
}

/// What a softirq does.
pub struct SoftirqAction {
    /// Which one.
    pub nr: Softirq,
    /// Called with interrupts on, in softirq context: it may not sleep.
    pub handler: fn(),
}

/// All handlers: what the attribute adds to.
#[distributed_slice]
pub static SOFTIRQS: [SoftirqAction];

/// The handlers by number; null where there is none.
static VECTORS: [AtomicPtr<SoftirqAction>; NR_SOFTIRQS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; NR_SOFTIRQS];

/// Softirqs that are to be run on this CPU, a bit each.
#[percpu]
static PENDING: AtomicU32 = AtomicU32::new(0);

/// How often each has run on a CPU.
struct Counts([AtomicU64; NR_SOFTIRQS]);

#[percpu]
static COUNTS: Counts = Counts([const { AtomicU64::new(0) }; NR_SOFTIRQS]);

/// For how long softirqs that are raised again and again are run at a time: Linux's `MAX_SOFTIRQ_TIME`.
const MAX_NS: u64 = 2_000_000;
/// How often they are looked at again in that time: Linux's `MAX_SOFTIRQ_RESTART`.
const MAX_RESTARTS: u32 = 10;

/// Lets the declared handlers be called: Linux's stage of the same name.
///
/// # Panics
///
/// If two are declared for the same softirq.
#[init]
#[stage(after(crate::collections::nodes::prio_tree_init))]
pub fn softirq_init() {
    for action in SOFTIRQS {
        let before = VECTORS[action.nr as usize].swap((&raw const *action).cast_mut(), Relaxed);
        assert!(before.is_null(), "softirq {} has two handlers", action.nr.name());
    }
}

/// How often a softirq has run on `cpu`.
#[must_use]
pub fn count(nr: Softirq, cpu: usize) -> u64 {
    COUNTS.per_cpu(cpu).map_or(0, |counts| counts.0[nr as usize].load(Relaxed))
}

/// The softirqs that are to be run on this CPU, a bit each: Linux's `local_softirq_pending`.
#[inline]
#[must_use]
pub fn pending() -> u32 {
    PENDING.this_cpu_read()
}

/// Lets a softirq be run on this CPU soon: at the end of the interrupt or the [`BhGuard`] that the caller is in, otherwise at once.
pub fn raise(nr: Softirq) {
    let interrupts_off = IrqGuard::new();
    raise_irqoff(nr);
    drop(interrupts_off);
    if !preempt::in_interrupt() && !irq::irqs_disabled() {
        run_pending();
    }
}

/// [`raise`] for a caller with interrupts off, which lets them on again by itself: the softirq is run at the end of the next interrupt at the latest.
#[inline]
pub fn raise_irqoff(nr: Softirq) {
    PENDING.this_cpu_write(PENDING.this_cpu_read() | 1 << nr as u32);
}

/// Raises here what was raised on a CPU that runs no longer.
fn take_over_pending(dead: usize) {
    let left = PENDING.per_cpu(dead).map_or(0, |pending| pending.swap(0, Relaxed));
    let _interrupts_off = IrqGuard::new();
    PENDING.this_cpu_write(PENDING.this_cpu_read() | left);
}

/// The beginning of each hard interrupt.
#[inline]
pub fn irq_enter() {
    preempt::add(HARDIRQ_OFFSET);
    tick::irq_enter();
}

/// The end of each hard interrupt: runs what it has raised, if it has interrupted neither another one nor a softirq. Interrupts are off.
#[inline]
pub fn irq_exit() {
    preempt::sub(HARDIRQ_OFFSET);
    if pending() != 0 && !preempt::in_interrupt() {
        handle_softirqs();
    }
}

/// Runs what is to be run on this CPU. Not from an interrupt or a softirq.
pub fn run_pending() {
    let _interrupts_off = IrqGuard::new();
    if pending() != 0 && !preempt::in_interrupt() {
        handle_softirqs();
    }
}

/// Linux's `__do_softirq`: called with interrupts off, and comes back with them off.
#[cold]
fn handle_softirqs() {
    preempt::add(SOFTIRQ_OFFSET);
    let begin = sched_clock();
    for _ in 0..MAX_RESTARTS {
        let raised = PENDING.this_cpu_read();
        if raised == 0 || sched_clock() - begin > MAX_NS {
            break;
        }
        PENDING.this_cpu_write(0);
        irq::local_irq_enable();
        Softirq::ALL.into_iter().filter(|&nr| raised & 1 << nr as u32 != 0).for_each(run);
        irq::local_irq_disable();
    }
    preempt::sub(SOFTIRQ_OFFSET);
}

/// Calls one handler. One that leaves the preempt count changed is named, and the count repaired: Linux's message.
fn run(nr: Softirq) {
    COUNTS.with_this_cpu(|counts| counts.0[nr as usize].fetch_add(1, Relaxed));
    // SAFETY: either null or an element of the slice.
    let Some(action) = (unsafe { VECTORS[nr as usize].load(Relaxed).as_ref() }) else {
        return;
    };
    let before = preempt::count();
    (action.handler)();
    let after = preempt::count();
    if after != before {
        pr_err!(
            "huh, entered softirq {} {} {} with preempt_count {before:08x}, exited with {after:08x}?",
            nr as u8,
            nr.name(),
            crate::panic::Symbol(action.handler as usize)
        );
        preempt::set_count(before);
    }
}

/// Keeps softirqs from this CPU for as long as it lives: Linux's `local_bh_disable`. Those that were raised meanwhile are run when the last one is dropped, if interrupts are on.
pub struct BhGuard(PhantomData<*mut ()>);

/// [`BhGuard`]s count twice, so that being in a softirq and keeping them away can be told apart.
const BH_OFFSET: u32 = 2 * SOFTIRQ_OFFSET;

impl BhGuard {
    /// No softirq comes to this CPU until the guard is dropped.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        preempt::add(BH_OFFSET);
        BhGuard(PhantomData)
    }
}

impl Default for BhGuard {
    fn default() -> Self {
        BhGuard::new()
    }
}

impl Drop for BhGuard {
    #[inline]
    fn drop(&mut self) {
        preempt::sub(BH_OFFSET);
        if pending() != 0 && !preempt::in_interrupt() && !irq::irqs_disabled() {
            run_pending();
        }
    }
}

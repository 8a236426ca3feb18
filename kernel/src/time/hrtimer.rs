//! Timers that expire to the nanosecond, by the clock event device of the CPU that started them (Linux's `struct hrtimer`).
//!
//! Each CPU has two queues: timers whose functions run in the interrupt itself, with interrupts off, and those that leave it to the HRTIMER softirq. Before there is a device they
//! wait. The tick is one of them, see [`super::tick`].

use core::fmt;
use core::marker::PhantomPinned;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::rbtree::{self, Id, RbNode};
use incipit_lib::timer_wheel::home::{Bases, Home};
use incipit_lib::timerqueue::{self, Timerqueue, TimerqueueNode};
use linkme::distributed_slice;

use super::clockevents;
use crate::irq::IrqGuard;
use crate::locking::{IrqSpinLock, IrqSpinLockGuard};
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::softirq::{self, SOFTIRQS, Softirq, SoftirqAction};
use crate::time::sched_clock;

/// What a timer's function says at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// It is over.
    No,
    /// The timer goes on, at what [`HrTimer::forward`] has set.
    Yes,
}

/// How the time of a timer is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A time of the monotonic clock.
    Absolute,
    /// From now.
    Relative,
}

/// Where a timer's function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// In the interrupt, with interrupts off: for what is short.
    Hard = 0,
    /// In a softirq, with interrupts on.
    Soft = 1,
}

/// A function that is called at a time of the monotonic clock, not before and as soon after as the device can.
///
/// As a [`Timer`](super::timer::Timer), it stays where it is while it is started, and dropping it cancels it.
pub struct HrTimer {
    node: TimerqueueNode,
    home: Home,
    is_queued: AtomicBool,
    context: Context,
    function: fn(&HrTimer) -> Restart,
    _pinned: PhantomPinned,
}

/// Timers by their addresses.
struct Memory;

impl Memory {
    #[inline]
    fn timer_at(&self, id: Id) -> &HrTimer {
        // SAFETY: numbers in the queues are those of timers that were started, which are pinned, and take themselves out before they go.
        unsafe { &*ptr::with_exposed_provenance::<HrTimer>(id.get()) }
    }
}

impl rbtree::Arena for Memory {
    #[inline]
    fn node(&self, id: Id) -> &RbNode {
        self.timer_at(id).node.links()
    }
}

impl timerqueue::Arena for Memory {
    #[inline]
    fn timer(&self, id: Id) -> &TimerqueueNode {
        &self.timer_at(id).node
    }
}

/// A CPU's timers, by [`Context`].
struct Base {
    queues: [Timerqueue; 2],
    /// The timers whose functions are being called.
    running: [Option<Id>; 2],
    /// What the device is set to.
    next_event: u64,
}

impl Base {
    /// When the first timer of a queue expires.
    fn first(&self, context: Context) -> u64 {
        let first = self.queues[context as usize].first();
        first.map_or(u64::MAX, |id| Memory.timer_at(id).node.expires())
    }

    /// Takes out the first timer of a queue if it is due at `now`.
    fn pop_due(&mut self, context: Context, now: u64) -> Option<&'static HrTimer> {
        let queue = &mut self.queues[context as usize];
        // SAFETY: as in `Memory::timer_at`; whoever drops the timer waits while it is the one that runs, which the caller notes with the lock held.
        let timer = unsafe { &*ptr::from_ref(Memory.timer_at(queue.first()?)) };
        if timer.node.expires() > now {
            return None;
        }
        queue.remove(&Memory, timer.id());
        timer.is_queued.store(false, Relaxed);
        self.running[context as usize] = Some(timer.id());
        Some(timer)
    }

    #[inline]
    fn enqueue(&mut self, timer: &HrTimer) {
        timer.is_queued.store(true, Relaxed);
        self.queues[timer.context as usize].add(&Memory, timer.id());
    }

    #[inline]
    fn dequeue(&mut self, timer: &HrTimer) -> bool {
        let was_queued = timer.is_queued.load(Relaxed);
        if was_queued {
            self.queues[timer.context as usize].remove(&Memory, timer.id());
            timer.is_queued.store(false, Relaxed);
        }
        was_queued
    }

    fn is_running(&self, timer: &HrTimer) -> bool {
        self.running[timer.context as usize] == Some(timer.id())
    }

    /// Sets the device of this CPU, whose base this is, to `expires` if that is before what it is set to.
    #[inline]
    fn reprogram(&mut self, expires: u64, now: u64) {
        if expires < self.next_event
            && let Some(device) = clockevents::this_cpu()
        {
            self.next_event = expires;
            device.program(expires.saturating_sub(now));
        }
    }
}

#[percpu]
static BASES: IrqSpinLock<Base> = IrqSpinLock::new(Base {
    queues: [const { Timerqueue::new() }; 2],
    running: [None; 2],
    next_event: u64::MAX,
});

/// Where the bases of all CPUs are.
struct AllBases;

impl Bases for AllBases {
    type Guard<'a> = IrqSpinLockGuard<'static, Base>;

    #[inline]
    fn lock(&self, cpu: u32) -> Self::Guard<'_> {
        // SAFETY: homes are 0 or numbers of CPUs that have run, whose areas stay.
        unsafe { &*BASES.per_cpu_ptr(cpu as usize) }.lock()
    }
}

/// The time of the monotonic clock, in ns.
#[inline]
#[must_use]
pub(super) fn now() -> u64 {
    sched_clock()
}

impl HrTimer {
    /// A timer that is not started, for `function`, which is called in `context` and may not sleep.
    #[must_use]
    pub const fn new(context: Context, function: fn(&HrTimer) -> Restart) -> HrTimer {
        HrTimer {
            node: TimerqueueNode::new(),
            home: Home::new(),
            is_queued: AtomicBool::new(false),
            context,
            function,
            _pinned: PhantomPinned,
        }
    }

    #[inline]
    fn id(&self) -> Id {
        NonZeroUsize::new(ptr::from_ref(self).expose_provenance()).unwrap_or(NonZeroUsize::MIN)
    }

    /// Whether it waits for its time.
    #[inline]
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.is_queued.load(Relaxed)
    }

    /// When it expires, on the monotonic clock in ns; of no meaning unless it was started.
    #[inline]
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.node.expires()
    }

    /// Lets the function be called at `time`, in ns, on this CPU, and no longer when it would have been. Any context but a non-maskable interrupt.
    pub fn start_pinned(self: Pin<&Self>, time: u64, mode: Mode) {
        let interrupts_off = IrqGuard::new();
        let this_cpu = smp_processor_id() as u32;
        let now = now();
        let expires = match mode {
            Mode::Absolute => time,
            Mode::Relative => now.saturating_add(time),
        };
        let (home, mut base) = self.home.lock(&AllBases);
        base.dequeue(&self);
        let is_here = home == this_cpu;
        // One whose function runs elsewhere stays there: that CPU looks at its queue when the function is over.
        let stays = is_here || base.is_running(&self);
        if !stays {
            base = self.home.migrate(&AllBases, base, this_cpu);
        }
        self.node.set_expires(expires);
        base.enqueue(&self);
        if is_here || !stays {
            base.reprogram(expires, now);
        }
        drop(base);
        drop(interrupts_off);
    }

    /// [`HrTimer::start_pinned`] for a timer that is never dropped.
    pub fn start(&'static self, time: u64, mode: Mode) {
        Pin::static_ref(self).start_pinned(time, mode);
    }

    /// Cancels it unless its function runs. Says whether it was queued, or nothing if its function runs. Any context but a non-maskable interrupt.
    pub fn try_to_cancel(&self) -> Option<bool> {
        let (_, mut base) = self.home.lock(&AllBases);
        // What the device is set to stays: an interrupt for nothing costs less than setting it each time.
        if base.is_running(self) { None } else { Some(base.dequeue(self)) }
    }

    /// Cancels it and waits until its function is over. Says whether it was queued. Neither from its function nor from what may have interrupted it.
    pub fn cancel(&self) -> bool {
        loop {
            if let Some(was_queued) = self.try_to_cancel() {
                return was_queued;
            }
            core::hint::spin_loop();
        }
    }

    /// Moves its time on by as many intervals of `interval` ns as it takes to be behind `now`, and says by how many. From its function.
    pub fn forward(&self, now: u64, interval: u64) -> u64 {
        let expires = self.node.expires();
        let Some(behind) = now.checked_sub(expires) else { return 0 };
        let intervals = behind / interval.max(1) + 1;
        self.node.set_expires(expires + intervals * interval.max(1));
        intervals
    }
}

impl Drop for HrTimer {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// High-resolution timers can be started; they expire from when there is a device: Linux's stage of the same name.
#[init]
#[stage(after(super::timer::init_timers), before(crate::softirq::softirq_init), provides(HrTimers))]
pub fn hrtimers_init() {
    // The count is looked at when the device is needed, so that what the boot does meanwhile is what it is measured by.
    crate::arch::x86::apic::timer::start_calibration();
}

/// High-resolution timers can be started.
#[capability]
pub struct HrTimers;

/// Calls the functions of the timers of a queue that are due.
fn run_queue(context: Context) -> IrqSpinLockGuard<'static, Base> {
    let this_cpu = smp_processor_id() as u32;
    let mut base = AllBases.lock(this_cpu);
    // Seen once: a timer that expires meanwhile is found by the interrupt that is set for it.
    let now = now();
    while let Some(timer) = base.pop_due(context, now) {
        drop(base);
        let restart = (timer.function)(timer);
        base = AllBases.lock(this_cpu);
        base.running[context as usize] = None;
        if restart == Restart::Yes && !timer.is_queued() {
            base.enqueue(timer);
        }
    }
    base
}

/// The device has interrupted: calls what is due and sets it to what comes next.
pub(crate) fn hrtimer_interrupt() {
    let mut base = run_queue(Context::Hard);
    let now = now();
    if base.first(Context::Soft) <= now {
        softirq::raise_irqoff(Softirq::Hrtimer);
    }
    base.next_event = u64::MAX;
    // The softirq sets it to the soft ones when it has called those that are due.
    let soft = base.first(Context::Soft);
    let next = base.first(Context::Hard).min(if soft <= now { u64::MAX } else { soft });
    base.reprogram(next, now);
}

#[distributed_slice(SOFTIRQS)]
static HRTIMER_SOFTIRQ: SoftirqAction = SoftirqAction {
    nr: Softirq::Hrtimer,
    handler: || {
        let mut base = run_queue(Context::Soft);
        let next = base.first(Context::Soft);
        base.reprogram(next, now());
    },
};

/// Sets the device, which is new, to the first timer of this CPU. Interrupts are off.
pub(super) fn start_device() {
    BASES.with_this_cpu(|base| {
        let mut base = base.lock();
        let next = base.first(Context::Hard).min(base.first(Context::Soft));
        base.next_event = u64::MAX;
        base.reprogram(next, now());
    });
}

/// Takes over the timers of a CPU that does not run any more: Linux's `hrtimers_dead_cpu`.
fn hrtimers_dead_cpu(dead: usize) {
    let interrupts_off = IrqGuard::new();
    let here = smp_processor_id();
    for context in [Context::Hard, Context::Soft] {
        loop {
            // In the order of their numbers, as nobody else takes two.
            let (mut low, mut high) = (AllBases.lock(here.min(dead) as u32), AllBases.lock(here.max(dead) as u32));
            let (from, to) = if dead < here {
                (&mut low, &mut high)
            } else {
                (&mut high, &mut low)
            };
            let Some(id) = from.queues[context as usize].first() else { break };
            let timer = Memory.timer_at(id);
            from.dequeue(timer);
            timer.home.set(here as u32);
            to.enqueue(timer);
            to.reprogram(timer.node.expires(), now());
            drop(high);
            drop(low);
        }
    }
    drop(interrupts_off);
}

/// Lets the device of a CPU that comes be set to whatever is first.
#[cpu_state(prepare, name = "hrtimers:prepare", teardown = hrtimers_dead_cpu)]
fn hrtimers_prepare_cpu(cpu: usize) -> Result<(), Errno> {
    AllBases.lock(cpu as u32).next_event = u64::MAX;
    Ok(())
}

/// Writes the timers of `cpu`, for `timer_list`. Waits for nobody.
pub(super) fn list(cpu: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    let Some(base) = BASES.per_cpu(cpu) else { return Ok(()) };
    let Some(base) = base.try_lock() else {
        return writeln!(out, "  active timers: busy");
    };
    for (name, queue) in ["hard", "soft"].into_iter().zip(&base.queues) {
        writeln!(out, " {name}:\n active timers:")?;
        let (mut result, mut number) = (Ok(()), 0);
        queue.for_each(&Memory, |id| {
            let timer = Memory.timer_at(id);
            let function = crate::panic::Symbol(timer.function as usize);
            let expires = timer.node.expires();
            result = result.and_then(|()| writeln!(out, " #{number}: <{id:#x}>, {function}\n # expires at {expires} nsecs"));
            number += 1;
        });
        result?;
    }
    writeln!(out, "  .next_event: {} nsecs", base.next_event)
}

#[cfg(CONFIG_KUNIT)]
mod tests {
    use core::sync::atomic::{AtomicU32, AtomicU64};

    use super::*;

    static CALLS: AtomicU32 = AtomicU32::new(0);
    static EARLY: AtomicU32 = AtomicU32::new(0);
    static WORST: AtomicU64 = AtomicU64::new(0);

    fn count(timer: &HrTimer) -> Restart {
        let now = now();
        EARLY.fetch_add(u32::from(now < timer.expires()), Relaxed);
        WORST.fetch_max(now.saturating_sub(timer.expires()), Relaxed);
        CALLS.fetch_add(1, Relaxed);
        Restart::No
    }

    fn interrupt_until(mut done: impl FnMut() -> bool) {
        let flags = crate::irq::local_irq_save();
        while !done() {
            crate::arch::x86::irqflags::safe_halt();
            crate::irq::local_irq_disable();
        }
        crate::irq::local_irq_restore(flags);
    }

    #[ktest]
    fn timers_expire_by_the_device_and_none_early() {
        if !super::super::tick::is_running() {
            return;
        }
        static HARD: [HrTimer; 16] = [const { HrTimer::new(Context::Hard, count) }; 16];
        static SOFT: [HrTimer; 16] = [const { HrTimer::new(Context::Soft, count) }; 16];
        let before = (CALLS.load(Relaxed), EARLY.load(Relaxed));
        for (index, (hard, soft)) in HARD.iter().zip(&SOFT).enumerate() {
            // In an order that is not that of their times.
            let time = (index as u64 * 7 % 16) * 50_000;
            hard.start(time, Mode::Relative);
            soft.start(time, Mode::Relative);
        }
        assert!(HARD[5].cancel() && !HARD[5].cancel());
        interrupt_until(|| HARD.iter().chain(&SOFT).all(|timer| !timer.is_queued()));
        HARD.iter().chain(&SOFT).for_each(|timer| assert!(!timer.cancel()));
        assert_eq!((CALLS.load(Relaxed), EARLY.load(Relaxed)), (before.0 + 31, before.1));
    }

    #[ktest]
    fn a_timer_that_restarts_comes_again() {
        static TURNS: AtomicU32 = AtomicU32::new(0);
        static AGAIN: HrTimer = HrTimer::new(Context::Hard, |timer| {
            timer.forward(now(), 20_000);
            if TURNS.fetch_add(1, Relaxed) < 4 {
                Restart::Yes
            } else {
                Restart::No
            }
        });
        if super::super::tick::is_running() {
            TURNS.store(0, Relaxed);
            AGAIN.start(0, Mode::Relative);
            interrupt_until(|| TURNS.load(Relaxed) == 5);
            assert!(!AGAIN.cancel());
        }
    }

    #[ktest]
    fn forward_goes_behind_now_and_not_farther() {
        let timer = HrTimer::new(Context::Hard, |_| Restart::No);
        timer.node.set_expires(100);
        assert_eq!((timer.forward(99, 10), timer.expires()), (0, 100));
        assert_eq!((timer.forward(100, 10), timer.expires()), (1, 110));
        assert_eq!((timer.forward(135, 10), timer.expires()), (3, 140));
    }
}

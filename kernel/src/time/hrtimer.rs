//! Timers that expire to the nanosecond, by the clock event device of the CPU that started them (Linux's `struct hrtimer`).
//!
//! Each CPU has queues for timers whose functions run in the interrupt itself, with interrupts off, and for those that leave it to the HRTIMER softirq, by the clock that they go
//! by: when real time is set, what waits for it moves. Before there is a device they wait. The tick is one of them, see [`super::tick`].

use core::fmt;
use core::marker::PhantomPinned;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::ptr;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use incipit_lib::rbtree::{self, Id, RbNode};
use incipit_lib::timer_wheel::home::{Bases, Home};
use incipit_lib::timerqueue::{self, Timerqueue, TimerqueueNode};

use super::bases::{Locked, PerCpuBases};
use super::tick::TICK_NSEC;
use super::{clockevents, jiffies, timekeeping};
use crate::arch::x86::apic;
use crate::arch::x86::cpu::masks;
use crate::irq::IrqGuard;
use crate::locking::IrqSpinLock;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::softirq::{self, Softirq};

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
    /// A time of the timer's clock.
    Absolute,
    /// From now: so long, whatever the clock is set to meanwhile.
    Relative,
}

/// The clock that a timer goes by; the values are this file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// [`ktime_get`](super::ktime_get).
    Monotonic = 0,
    /// [`ktime_get_real`](super::ktime_get_real), which can be set.
    Realtime = 1,
    /// [`ktime_get_boottime`](super::ktime_get_boottime).
    Boottime = 2,
}

/// How many clocks there are.
const CLOCKS: usize = 3;

impl Clock {
    const ALL: [Clock; CLOCKS] = [Clock::Monotonic, Clock::Realtime, Clock::Boottime];

    const fn name(self) -> &'static str {
        match self {
            Clock::Monotonic => "monotonic",
            Clock::Realtime => "realtime",
            Clock::Boottime => "boottime",
        }
    }

    /// How far it is ahead of the monotonic clock, in ns.
    #[inline]
    fn offset(self) -> u64 {
        match self {
            Clock::Monotonic => 0,
            Clock::Realtime => timekeeping::real_offset_ns(),
            Clock::Boottime => timekeeping::boot_offset_ns(),
        }
    }
}

/// Where a timer's function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// In the interrupt, with interrupts off: for what is short.
    Hard = 0,
    /// In a softirq, with interrupts on.
    Soft = 1,
}

impl Context {
    const ALL: [Context; 2] = [Context::Hard, Context::Soft];

    /// The number of its queue for a clock.
    #[inline]
    const fn queue(self, clock: Clock) -> usize {
        self as usize * CLOCKS + clock as usize
    }
}

/// [`HrTimer::queue`] of one that is in none.
const NOT_QUEUED: u8 = u8::MAX;

/// A function that is called at a time of a clock, not before and as soon after as the device can.
///
/// As a [`Timer`](super::timer::Timer), it stays where it is while it is started, and dropping it cancels it.
pub struct HrTimer {
    node: TimerqueueNode,
    home: Home,
    /// The number of the queue that it waits in.
    queue: AtomicU8,
    clock: Clock,
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

/// A CPU's timers.
struct Base {
    /// By [`Context::queue`].
    queues: [Timerqueue; 2 * CLOCKS],
    /// The timers whose functions are being called, by [`Context`].
    running: [Option<Id>; 2],
    /// What the device is set to, on the monotonic clock as all times here.
    next_event: u64,
}

impl Base {
    /// When the first timer of a queue expires.
    #[inline]
    fn first_of(&self, context: Context, clock: Clock) -> u64 {
        let first = self.queues[context.queue(clock)].first();
        first.map_or(u64::MAX, |id| Memory.timer_at(id).node.expires().saturating_sub(clock.offset()))
    }

    /// When the first timer of a context expires.
    fn first(&self, context: Context) -> u64 {
        Clock::ALL
            .into_iter()
            .fold(u64::MAX, |first, clock| first.min(self.first_of(context, clock)))
    }

    /// Takes out a timer that is due at `now`, and says which clock's queue it was in.
    fn pop_due(&mut self, context: Context, now: u64) -> Option<(&'static HrTimer, Clock)> {
        let clock = Clock::ALL.into_iter().find(|&clock| self.first_of(context, clock) <= now)?;
        let first = self.queues[context.queue(clock)].first()?;
        // SAFETY: as in `Memory::timer_at`; whoever drops the timer waits while it is the one that runs, which is noted with the lock held.
        let timer = unsafe { &*ptr::from_ref(Memory.timer_at(first)) };
        self.dequeue(timer);
        self.running[context as usize] = Some(first);
        Some((timer, clock))
    }

    /// Puts a timer in, by a time of `clock`.
    #[inline]
    fn enqueue(&mut self, timer: &HrTimer, clock: Clock) {
        let queue = timer.context.queue(clock);
        timer.queue.store(queue as u8, Relaxed);
        self.queues[queue].add(&Memory, timer.id());
    }

    #[inline]
    fn dequeue(&mut self, timer: &HrTimer) -> bool {
        let queue = self.queues.get_mut(usize::from(timer.queue.load(Relaxed)));
        let was_queued = queue.map(|queue| queue.remove(&Memory, timer.id())).is_some();
        timer.queue.store(NOT_QUEUED, Relaxed);
        was_queued
    }

    fn is_running(&self, timer: &HrTimer) -> bool {
        self.running[timer.context as usize] == Some(timer.id())
    }

    /// Sets the device of this CPU, whose base this is, to `expires` if that is before what it is set to.
    #[inline]
    fn reprogram(&mut self, expires: u64) {
        if expires < self.next_event
            && let Some(device) = clockevents::this_cpu()
        {
            let is_set = core::mem::replace(&mut self.next_event, expires) != u64::MAX;
            if timekeeping::is_continuous() {
                device.program(expires.saturating_sub(now()));
            } else if !is_set {
                // Time stands still until it comes, and what is under way must not be put off.
                device.program(TICK_NSEC);
            }
        }
    }

    /// Sets the device of this CPU to whatever is first.
    fn reprogram_first(&mut self) {
        let first = self.first(Context::Hard).min(self.first(Context::Soft));
        self.next_event = u64::MAX;
        self.reprogram(first);
    }
}

#[percpu]
static BASES: IrqSpinLock<Base> = IrqSpinLock::new(Base {
    queues: [const { Timerqueue::new() }; 2 * CLOCKS],
    running: [None; 2],
    next_event: u64::MAX,
});

static ALL_BASES: PerCpuBases<Base> = PerCpuBases::new(&BASES);

/// The time of the monotonic clock, in ns.
#[inline]
#[must_use]
pub(super) fn now() -> u64 {
    timekeeping::ktime_get().as_ns()
}

impl HrTimer {
    /// A timer that is not started, for `function`, which is called in `context` at a time of `clock` and may not sleep.
    #[must_use]
    pub const fn new(clock: Clock, context: Context, function: fn(&HrTimer) -> Restart) -> HrTimer {
        HrTimer {
            node: TimerqueueNode::new(),
            home: Home::new(),
            queue: AtomicU8::new(NOT_QUEUED),
            clock,
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
        self.queue.load(Relaxed) != NOT_QUEUED
    }

    /// When it expires, on its clock in ns, or on the monotonic one if it was started with a length of time; of no meaning unless it was started.
    #[inline]
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.node.expires()
    }

    /// Lets the function be called at `time`, in ns, on this CPU, and no longer when it would have been. Any context but a non-maskable interrupt.
    pub fn start_pinned(self: Pin<&Self>, time: u64, mode: Mode) {
        let interrupts_off = IrqGuard::new();
        let this_cpu = smp_processor_id() as u32;
        let (clock, expires) = match mode {
            Mode::Absolute => (self.clock, time),
            Mode::Relative => (Clock::Monotonic, now().saturating_add(time)),
        };
        let (home, mut base) = self.home.lock(&ALL_BASES);
        base.dequeue(&self);
        let is_here = home == this_cpu;
        // One whose function runs elsewhere stays there: that CPU looks at its queue when the function is over.
        let stays = is_here || base.is_running(&self);
        if !stays {
            base = self.home.migrate(&ALL_BASES, base, this_cpu);
        }
        self.node.set_expires(expires);
        base.enqueue(&self, clock);
        if is_here || !stays {
            base.reprogram(expires.saturating_sub(clock.offset()));
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
        let (_, mut base) = self.home.lock(&ALL_BASES);
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

    /// Moves its time on by as many intervals of `interval` ns as it takes to be behind `now`, a time of the same clock, and says by how many. From its function.
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

/// Calls the functions of the timers of a context that are due.
fn run_due(context: Context) -> Locked<Base> {
    let this_cpu = smp_processor_id() as u32;
    let mut base = ALL_BASES.lock(this_cpu);
    // Seen once: a timer that expires meanwhile is found by the interrupt that is set for it.
    let now = now();
    while let Some((timer, clock)) = base.pop_due(context, now) {
        drop(base);
        let restart = (timer.function)(timer);
        base = ALL_BASES.lock(this_cpu);
        base.running[context as usize] = None;
        if restart == Restart::Yes && !timer.is_queued() {
            base.enqueue(timer, clock);
        }
    }
    base
}

/// The device of this CPU has interrupted.
pub(crate) fn device_interrupt() {
    jiffies::device_interrupt();
    hrtimer_interrupt();
}

/// Calls what is due and sets the device to what comes next.
fn hrtimer_interrupt() {
    let mut base = run_due(Context::Hard);
    let soft = base.first(Context::Soft);
    base.next_event = u64::MAX;
    let next = if soft <= now() {
        softirq::raise_irqoff(Softirq::Hrtimer);
        // The softirq sets it to the soft ones when it has called those that are due.
        base.first(Context::Hard)
    } else {
        base.first(Context::Hard).min(soft)
    };
    base.reprogram(next);
}

/// Calls the functions of the timers of this CPU that are due and may be called in a softirq.
#[softirq(Hrtimer)]
fn hrtimer_run_softirq() {
    let mut base = run_due(Context::Soft);
    let next = base.first(Context::Soft);
    base.reprogram(next);
}

/// Sets the device, which is new, or whose timers have moved, to the first timer of this CPU. Interrupts are off.
pub(super) fn start_device() {
    ALL_BASES.lock_this_cpu().reprogram_first();
}

/// Whether what the device of `cpu` is set to was due more than `overdue` ns ago. One that is being set is in time.
pub(super) fn is_overdue(cpu: usize, overdue: u64) -> bool {
    let next_event = ALL_BASES.try_lock(cpu).map_or(u64::MAX, |base| base.next_event);
    next_event.saturating_add(overdue) < now()
}

/// Real time was set: what waits for it on this CPU moves now, and on the others as soon as they are told. Any context but a non-maskable interrupt.
pub(super) fn clock_was_set() {
    let interrupts_off = IrqGuard::new();
    start_device();
    let here = smp_processor_id();
    masks::ONLINE.iter().filter(|&cpu| cpu != here).for_each(apic::interrupt_timer);
    drop(interrupts_off);
}

/// Takes over the timers of a CPU that does not run any more: Linux's `hrtimers_dead_cpu`.
fn hrtimers_dead_cpu(dead: usize) {
    ALL_BASES.take_over(dead, |from, to, here| {
        let Some(id) = from.queues.iter().find_map(Timerqueue::first) else {
            return false;
        };
        let timer = Memory.timer_at(id);
        let clock = Clock::ALL[usize::from(timer.queue.load(Relaxed)) % CLOCKS];
        from.dequeue(timer);
        timer.home.set(here);
        to.enqueue(timer, clock);
        to.reprogram(timer.node.expires().saturating_sub(clock.offset()));
        true
    });
}

/// Lets the device of a CPU that comes be set to whatever is first.
#[cpu_state(prepare, name = "hrtimers:prepare", teardown = hrtimers_dead_cpu)]
fn hrtimers_prepare_cpu(cpu: usize) -> Result<(), Errno> {
    ALL_BASES.lock(cpu as u32).next_event = u64::MAX;
    Ok(())
}

/// Writes the timers of `cpu`, for `timer_list`. Waits for nobody.
pub(super) fn list(cpu: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    let Some(base) = ALL_BASES.try_lock(cpu) else {
        return writeln!(out, "  active timers: busy");
    };
    let queues = Context::ALL
        .into_iter()
        .flat_map(|context| Clock::ALL.map(|clock| (context, clock)));
    for (context, clock) in queues {
        let queue = &base.queues[context.queue(clock)];
        let softly = if context == Context::Soft { ", in softirqs" } else { "" };
        writeln!(
            out,
            " clock {}{softly}:\n  .offset: {} nsecs\n active timers:",
            clock.name(),
            clock.offset()
        )?;
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

    use incipit_lib::time::{Ktime, NSEC_PER_SEC};

    use super::*;
    use crate::time::sleep::halt_until;

    static CALLS: AtomicU32 = AtomicU32::new(0);
    static EARLY: AtomicU32 = AtomicU32::new(0);
    static WORST: AtomicU64 = AtomicU64::new(0);

    const HOUR: u64 = 3600 * NSEC_PER_SEC;

    fn count(timer: &HrTimer) -> Restart {
        let now = now();
        EARLY.fetch_add(u32::from(now < timer.expires()), Relaxed);
        WORST.fetch_max(now.saturating_sub(timer.expires()), Relaxed);
        CALLS.fetch_add(1, Relaxed);
        Restart::No
    }

    #[ktest]
    fn timers_expire_by_the_device_and_none_early() {
        if !super::super::tick::is_running() {
            return;
        }
        static HARD: [HrTimer; 16] = [const { HrTimer::new(Clock::Monotonic, Context::Hard, count) }; 16];
        static SOFT: [HrTimer; 16] = [const { HrTimer::new(Clock::Monotonic, Context::Soft, count) }; 16];
        let before = (CALLS.load(Relaxed), EARLY.load(Relaxed));
        for (index, (hard, soft)) in HARD.iter().zip(&SOFT).enumerate() {
            // In an order that is not that of their times; the one that is to be cancelled would come too late for the test.
            let time = if index == 5 { HOUR } else { (index as u64 * 7 % 16) * 50_000 };
            hard.start(time, Mode::Relative);
            soft.start(time, Mode::Relative);
        }
        assert!(HARD[5].cancel() && !HARD[5].cancel() && SOFT[5].cancel());
        halt_until(|| HARD.iter().chain(&SOFT).all(|timer| !timer.is_queued()));
        HARD.iter().chain(&SOFT).for_each(|timer| assert!(!timer.cancel()));
        assert_eq!((CALLS.load(Relaxed), EARLY.load(Relaxed)), (before.0 + 30, before.1));
    }

    #[ktest]
    fn a_timer_that_restarts_comes_again() {
        static TURNS: AtomicU32 = AtomicU32::new(0);
        static AGAIN: HrTimer = HrTimer::new(Clock::Monotonic, Context::Hard, |timer| {
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
            halt_until(|| TURNS.load(Relaxed) == 5);
            assert!(!AGAIN.cancel());
        }
    }

    #[ktest]
    fn what_waits_for_real_time_moves_when_it_is_set() {
        static MOMENT: HrTimer = HrTimer::new(Clock::Realtime, Context::Soft, count);
        static LENGTH: HrTimer = HrTimer::new(Clock::Realtime, Context::Soft, count);
        if !super::super::tick::is_running() {
            return;
        }
        let real = || timekeeping::ktime_get_real();
        MOMENT.start(real().as_ns() + HOUR, Mode::Absolute);
        LENGTH.start(HOUR, Mode::Relative);
        assert_eq!(timekeeping::set_real(real().add_ns(HOUR).into()), Ok(()));
        halt_until(|| !MOMENT.is_queued());
        assert!(!MOMENT.cancel() && LENGTH.cancel());
        assert_eq!(timekeeping::set_real((real() - Ktime::from_ns(HOUR)).into()), Ok(()));
    }

    #[ktest]
    fn forward_goes_behind_now_and_not_farther() {
        let timer = HrTimer::new(Clock::Monotonic, Context::Hard, |_| Restart::No);
        timer.node.set_expires(100);
        assert_eq!((timer.forward(99, 10), timer.expires()), (0, 100));
        assert_eq!((timer.forward(100, 10), timer.expires()), (1, 110));
        assert_eq!((timer.forward(135, 10), timer.expires()), (3, 140));
    }
}

//! Timers that need not be exact: they expire by the tick, a little late, and mostly are deleted before (Linux's `struct timer_list`).
//!
//! Each CPU has a [`Wheel`]; a timer belongs to the one of the CPU that armed it last. Their functions run in the TIMER softirq of that CPU. What must be exact is an
//! [`HrTimer`](super::hrtimer::HrTimer).

use core::fmt;
use core::marker::PhantomPinned;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit_lib::timer_wheel::home::{Bases, Home};
use incipit_lib::timer_wheel::{Arena, Id, TimerNode, Wheel};

use super::bases::PerCpuBases;
use crate::arch::x86::apic;
use crate::irq::IrqGuard;
use crate::locking::IrqSpinLock;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::softirq::{self, Softirq};

/// Ticks per second.
pub const HZ: u64 = crate::config::CONFIG_HZ as u64;

/// The ticks that have passed.
static JIFFIES: AtomicU64 = AtomicU64::new(0);

/// How many ticks have passed since the clock events began. Any context. On a CPU that was idle until this interrupt it may be behind until the tick is handled.
#[inline]
#[must_use]
pub fn jiffies() -> u64 {
    JIFFIES.load(Relaxed)
}

/// Lets `ticks` pass.
pub(super) fn advance_jiffies(ticks: u64) {
    JIFFIES.fetch_add(ticks, Relaxed);
}

/// How many ticks `milliseconds` are, at least.
#[must_use]
pub const fn msecs_to_jiffies(milliseconds: u64) -> u64 {
    milliseconds.saturating_mul(HZ).div_ceil(1000)
}

/// A function that is called in some ticks' time.
///
/// It lies where its owner put it and must stay there while it is armed, which is why it is armed through a [`Pin`]; a static is pinned. Dropping it deletes it, waiting for its
/// function to be over.
pub struct Timer {
    node: TimerNode,
    home: Home,
    function: fn(&Timer),
    _pinned: PhantomPinned,
}

/// Timers by their addresses.
struct Memory;

impl Memory {
    fn timer(&self, id: Id) -> &Timer {
        // SAFETY: numbers in the wheel are those of timers that were armed, which are pinned, and take themselves out before they go.
        unsafe { &*ptr::with_exposed_provenance::<Timer>(id.get()) }
    }
}

impl Arena for Memory {
    #[inline]
    fn node(&self, id: Id) -> &TimerNode {
        &self.timer(id).node
    }
}

/// A CPU's timers.
struct Base {
    wheel: Wheel,
    /// The timer whose function is being called.
    running: Option<Id>,
}

#[percpu]
static BASES: IrqSpinLock<Base> = IrqSpinLock::new(Base {
    wheel: Wheel::new(1),
    running: None,
});

static ALL_BASES: PerCpuBases<Base> = PerCpuBases::new(&BASES);

impl Timer {
    /// A timer that is not armed, for `function`, which is called in softirq context, with interrupts on: it may arm the timer anew and may not sleep.
    #[must_use]
    pub const fn new(function: fn(&Timer)) -> Timer {
        Timer {
            node: TimerNode::new(),
            home: Home::new(),
            function,
            _pinned: PhantomPinned,
        }
    }

    /// Its number, through which it is found again.
    #[inline]
    fn id(&self) -> Id {
        NonZeroUsize::new(ptr::from_ref(self).expose_provenance()).unwrap_or(NonZeroUsize::MIN)
    }

    /// Whether its function will be called. It may change before the caller does anything about it.
    #[inline]
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.node.is_pending()
    }

    /// The tick at whose end it expires; of no meaning unless it was armed.
    #[inline]
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.node.expires()
    }

    /// Lets the function be called when tick `expires` is over, on this CPU, and no longer when it would have been. Says whether it was armed. Any context but a non-maskable
    /// interrupt.
    pub fn modify(self: Pin<&Self>, expires: u64) -> bool {
        let (home, mut base) = self.home.lock(&ALL_BASES);
        if home == smp_processor_id() as u32 {
            base.wheel.forward(jiffies());
            return base.wheel.modify(&Memory, self.id(), expires).0;
        }
        drop(base);
        self.modify_here(expires)
    }

    /// The same for a timer that another CPU has, or had a moment ago.
    #[cold]
    #[inline(never)]
    fn modify_here(&self, expires: u64) -> bool {
        let interrupts_off = IrqGuard::new();
        let was_pending = self.move_to(smp_processor_id(), expires);
        drop(interrupts_off);
        was_pending
    }

    /// Arms it on `cpu`, where nobody looks at it before the next interrupt. One whose function runs elsewhere stays there. Says whether it was armed. Interrupts are off.
    fn move_to(&self, cpu: usize, expires: u64) -> bool {
        let cpu = cpu as u32;
        let (home, mut base) = self.home.lock(&ALL_BASES);
        let id = self.id();
        let was_pending = base.wheel.remove(&Memory, id);
        if home != cpu && base.running != Some(id) {
            base = self.home.migrate(&ALL_BASES, base, cpu);
        }
        base.wheel.forward(jiffies());
        base.wheel.add(&Memory, id, expires);
        was_pending
    }

    /// [`Timer::mod_timer`] on `cpu`, which is online, and is woken if it sleeps: Linux's `add_timer_on`.
    pub fn add_timer_on(&'static self, cpu: usize, expires: u64) {
        let interrupts_off = IrqGuard::new();
        self.move_to(cpu, expires);
        if cpu != smp_processor_id() {
            apic::interrupt_timer(cpu);
        }
        drop(interrupts_off);
    }

    /// [`Timer::modify`] for a timer that is never dropped: Linux's `mod_timer`.
    #[inline]
    pub fn mod_timer(&'static self, expires: u64) -> bool {
        Pin::static_ref(self).modify(expires)
    }

    /// Disarms it. Says whether it was armed. Its function may be running elsewhere. Any context but a non-maskable interrupt.
    pub fn del(&self) -> bool {
        // One that is in no wheel stays out of all for as long as nobody arms it, and who does so meanwhile does so afterwards.
        self.is_pending() && self.home.lock(&ALL_BASES).1.wheel.remove(&Memory, self.id())
    }

    /// Disarms it and waits until its function is over. Says whether it was armed. Not from its function, nor from an interrupt, which may have interrupted it.
    pub fn del_sync(&self) -> bool {
        loop {
            let (_, mut base) = self.home.lock(&ALL_BASES);
            if base.running != Some(self.id()) {
                return base.wheel.remove(&Memory, self.id());
            }
            drop(base);
            core::hint::spin_loop();
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.del_sync();
    }
}

/// Makes the wheel of the boot CPU ready: Linux's stage of the same name. Nothing is left to be done but to say when timers can be armed.
#[init]
#[stage(
    after(crate::collections::nodes::prio_tree_init),
    before(crate::softirq::softirq_init),
    provides(Timers)
)]
pub fn init_timers() {
    ALL_BASES.lock_this_cpu().wheel.forward(jiffies() + 1);
}

/// Timers can be armed.
#[capability]
pub struct Timers;

/// Lets the softirq run if a timer may be due on this CPU. From the tick, with interrupts off.
pub(super) fn run_local_timers() {
    if next_expiry().is_some_and(|next| next <= jiffies()) {
        softirq::raise_irqoff(Softirq::Timer);
    }
}

/// The tick at which this CPU must look at its timers next, if it has any. Interrupts are off.
pub(super) fn next_expiry() -> Option<u64> {
    ALL_BASES.lock_this_cpu().wheel.next_expiry()
}

/// Calls the functions of the timers of this CPU that are due.
#[softirq(Timer)]
fn run_timers() {
    // A softirq stays on its CPU.
    let this_cpu = smp_processor_id() as u32;
    let mut base = ALL_BASES.lock(this_cpu);
    while base.wheel.advance(&Memory, jiffies()) {
        while let Some(id) = base.wheel.pop_due(&Memory) {
            let timer = Memory.timer(id);
            base.running = Some(id);
            drop(base);
            (timer.function)(timer);
            // The function may have been the last to need its timer: it is not looked at any more.
            base = ALL_BASES.lock(this_cpu);
            base.running = None;
        }
    }
}

/// Takes over the timers of a CPU that does not run any more: Linux's `timers_dead_cpu`.
fn timers_dead_cpu(dead: usize) {
    ALL_BASES.take_over(dead, |from, to, here| {
        let Some(id) = from.wheel.pop_any(&Memory) else { return false };
        let timer = Memory.timer(id);
        to.wheel.forward(jiffies());
        timer.home.set(here);
        to.wheel.add(&Memory, id, timer.node.expires());
        true
    });
}

/// Lets the wheel of a CPU that comes begin with the present tick.
#[cpu_state(prepare, name = "timers:prepare", teardown = timers_dead_cpu)]
fn timers_prepare_cpu(cpu: usize) -> Result<(), Errno> {
    ALL_BASES.lock(cpu as u32).wheel.forward(jiffies() + 1);
    Ok(())
}

/// Writes the timers of the wheel of `cpu`, for `timer_list`. Waits for nobody: one that is being changed is said to be busy.
pub(super) fn list(cpu: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    let Some(mut base) = ALL_BASES.try_lock(cpu) else {
        return writeln!(out, "  wheel: busy");
    };
    let next = base.wheel.next_expiry();
    writeln!(
        out,
        "  wheel clk: {}, next expiry: {}",
        base.wheel.clk(),
        next.map_or(-1, u64::cast_signed)
    )?;
    let mut result = Ok(());
    base.wheel.for_each(&Memory, |id| {
        let timer = Memory.timer(id);
        let function = crate::panic::Symbol(timer.function as usize);
        result = result.and_then(|()| writeln!(out, "  timer {:#x}: {function}, expires at {}", id, timer.node.expires()));
    });
    result
}

#[cfg(CONFIG_KUNIT)]
mod tests {
    use core::sync::atomic::{AtomicU32, AtomicU64};

    use super::*;
    use crate::time::sleep::halt_until;

    static CALLS: AtomicU32 = AtomicU32::new(0);
    static EARLY: AtomicU32 = AtomicU32::new(0);
    static LAST: AtomicU64 = AtomicU64::new(0);

    fn count(timer: &Timer) {
        EARLY.fetch_add(u32::from(jiffies() <= timer.node.expires()), Relaxed);
        LAST.store(timer.node.expires(), Relaxed);
        CALLS.fetch_add(1, Relaxed);
    }

    #[ktest]
    fn timers_are_called_by_real_ticks_and_none_early() {
        if !crate::time::tick::is_running() {
            return;
        }
        static TIMERS: [Timer; 40] = [const { Timer::new(count) }; 40];
        CALLS.store(0, Relaxed);
        for (distance, timer) in TIMERS.iter().enumerate() {
            assert!(!timer.mod_timer(jiffies() + distance as u64 / 4));
        }
        // Each tenth is deleted again, so it must not come.
        let deleted = TIMERS.iter().rev().step_by(10).filter(|timer| timer.del()).count() as u32;
        assert_eq!(deleted, 4);
        halt_until(|| TIMERS.iter().all(|timer| !timer.is_pending()));
        TIMERS.iter().for_each(|timer| assert!(!timer.del_sync()));
        assert_eq!((CALLS.load(Relaxed), EARLY.load(Relaxed)), (36, 0));
    }

    #[ktest]
    fn a_timer_that_is_dropped_is_deleted() {
        let before = CALLS.load(Relaxed);
        {
            let _no_tick_comes = IrqGuard::new();
            let timer = core::pin::pin!(Timer::new(count));
            assert!(!timer.as_ref().modify(jiffies()));
            assert!(timer.as_ref().modify(jiffies() + 1) && timer.is_pending());
        }
        let until = jiffies() + 3;
        if crate::time::tick::is_running() {
            halt_until(|| jiffies() > until);
        }
        assert_eq!(CALLS.load(Relaxed), before);
    }

    #[ktest]
    fn milliseconds_are_rounded_up_to_ticks() {
        assert_eq!(
            (msecs_to_jiffies(0), msecs_to_jiffies(1), msecs_to_jiffies(1000)),
            (0, HZ.div_ceil(1000), HZ)
        );
    }
}

//! CPUs go and come back while each of them is at work, and nothing of that is lost: timers, calls, work left for later, interrupts of a device, pages.
//!
//! The device is the second serial port, where there is one: it interrupts for having nothing to send whenever that is asked of it, so that what it has sent can be counted.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::{CpuMask, NR_CPUS, ONLINE, cpu_down, cpu_up};
use crate::irq::test_port::{Before, COM2};
use crate::irq::{IrqAction, IrqFlagsSet, IrqReturn, request_irq, set_affinity};
use crate::irq_work::IrqWork;
use crate::mm::Gfp;
use crate::mm::page_alloc::Pages;
use crate::mm::zone::populated_zones;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::smp::{call_function_single, call_function_single_nowait};
use crate::softirq::Tasklet;
use crate::time::hrtimer::{Clock, Context, Mode, Restart};
use crate::time::{HrTimer, Timer, jiffies, ktime_get};

/// How often the test takes each CPU away and brings it back.
#[param(name = "rounds", module = "cpu_replug")]
static ROUNDS: AtomicU32 = AtomicU32::new(5);

/// How far apart a CPU's high-resolution timers are, in ns.
const INTERVAL: u64 = 200_000;
/// How far apart the device's interrupts are.
const RING_INTERVAL: u64 = 50_000;

/// Whether what is armed arms itself again.
static GOES_ON: AtomicBool = AtomicBool::new(false);

/// What a CPU is at.
struct Load {
    wheel: Timer,
    hard: HrTimer,
    soft: HrTimer,
    work: IrqWork,
    tasklet: Tasklet,
}

static LOADS: [Load; NR_CPUS] = [const {
    Load {
        wheel: Timer::new(again_in_a_tick),
        hard: HrTimer::new(Clock::Monotonic, Context::Hard, again_soon),
        soft: HrTimer::new(Clock::Monotonic, Context::Soft, again_soon),
        work: IrqWork::new(|_| note(&WORKS_DONE)),
        tasklet: Tasklet::new(|_| note(&TASKLETS_DONE)),
    }
}; NR_CPUS];

static WHEEL_CALLS: AtomicU32 = AtomicU32::new(0);
static HRTIMER_CALLS: AtomicU32 = AtomicU32::new(0);
static EARLY: AtomicU32 = AtomicU32::new(0);
static CALLS_ASKED: AtomicU32 = AtomicU32::new(0);
static CALLS_MADE: AtomicU32 = AtomicU32::new(0);
static WORKS_ASKED: AtomicU32 = AtomicU32::new(0);
static WORKS_DONE: AtomicU32 = AtomicU32::new(0);
static TASKLETS_DONE: AtomicU32 = AtomicU32::new(0);

fn note(count: &AtomicU32) {
    count.fetch_add(1, Relaxed);
}

fn again_in_a_tick(timer: &Timer) {
    note(&WHEEL_CALLS);
    if GOES_ON.load(Relaxed) {
        // SAFETY: all timers of this kind are statics.
        unsafe { core::pin::Pin::new_unchecked(timer) }.modify(jiffies() + 1);
    }
}

fn again_soon(timer: &HrTimer) -> Restart {
    note(&HRTIMER_CALLS);
    let now = ktime_get().as_ns();
    EARLY.fetch_add(u32::from(now < timer.expires()), Relaxed);
    if !GOES_ON.load(Relaxed) {
        return Restart::No;
    }
    timer.forward(now, INTERVAL);
    Restart::Yes
}

impl Load {
    /// Arms the timers on this CPU.
    fn arm(&'static self) {
        self.wheel.mod_timer(jiffies() + 1);
        self.hard.start(INTERVAL, Mode::Relative);
        self.soft.start(INTERVAL, Mode::Relative);
    }

    fn is_armed(&self) -> [bool; 3] {
        [self.wheel.is_pending(), self.hard.is_queued(), self.soft.is_queued()]
    }

    fn disarm(&self) {
        self.wheel.del_sync();
        self.hard.cancel();
        self.soft.cancel();
    }
}

/// What a CPU is left with right before it is to go.
fn leave_work() {
    note(&CALLS_MADE);
    let load = &LOADS[smp_processor_id()];
    WORKS_ASKED.fetch_add(u32::from(load.work.queue()), Relaxed);
    load.tasklet.schedule();
}

/// Takes a CPU away that is at work, and brings it back.
fn replug(cpu: usize, port: Option<&Port>) {
    LOADS[cpu].disarm();
    assert_eq!(call_function_single(cpu, &|| LOADS[cpu].arm()), Ok(()));
    // Its pages are at hand of it.
    assert_eq!(call_function_single(cpu, &|| drop(Pages::new(Gfp::ATOMIC, 0))), Ok(()));
    if let Some(port) = port {
        port.send_to(cpu);
    }
    assert_eq!(call_function_single_nowait(cpu, &leave_work), Ok(()));
    note(&CALLS_ASKED);
    assert_eq!(cpu_down(cpu), Ok(()));
    assert_eq!(call_function_single_nowait(cpu, &|| ()), Err(Errno::ENXIO));
    assert!(populated_zones().all(|zone| zone.free_at_hand_of(cpu) == 0));
    assert_eq!(cpu_up(cpu), Ok(()));
    assert_eq!(call_function_single(cpu, &|| assert_eq!(smp_processor_id(), cpu)), Ok(()));
}

/// Waits until `done`, which does not depend on how fast the machine is; `false` if it never will be.
fn comes(done: impl Fn() -> bool) -> bool {
    (0..2_000_000_000_u64).any(|_| {
        core::hint::spin_loop();
        done()
    })
}

#[ktest]
fn nothing_is_lost_while_cpus_go_and_come_back() {
    let this = smp_processor_id();
    let rounds = ROUNDS.load(Relaxed);
    let cpus = CpuMask::new();
    ONLINE.iter().filter(|&cpu| cpu != this).for_each(|cpu| cpus.set(cpu, true));
    let port = Port::open();
    GOES_ON.store(true, Relaxed);
    LOADS[this].arm();
    for _ in 0..rounds {
        cpus.iter().for_each(|cpu| replug(cpu, port.as_ref()));
    }
    // Each timer still comes, wherever it is now.
    for cpu in cpus.iter() {
        assert!(comes(|| LOADS[cpu].is_armed() == [true; 3]), "a timer of CPU {cpu} is lost");
    }
    let before = [&WHEEL_CALLS, &HRTIMER_CALLS].map(|calls| calls.load(Relaxed));
    assert!(comes(
        || WHEEL_CALLS.load(Relaxed) > before[0] + 8 && HRTIMER_CALLS.load(Relaxed) > before[1] + 8
    ));
    GOES_ON.store(false, Relaxed);
    LOADS.iter().for_each(Load::disarm);
    assert_eq!(EARLY.load(Relaxed), 0);
    assert_eq!(CALLS_MADE.load(Relaxed), CALLS_ASKED.load(Relaxed));
    assert!(comes(|| WORKS_DONE.load(Relaxed) == WORKS_ASKED.load(Relaxed)));
    assert!(comes(|| LOADS.iter().all(|load| !load.tasklet.is_scheduled())));
    assert!(TASKLETS_DONE.load(Relaxed) >= rounds.min(1) * cpus.weight() as u32);
    if let Some(port) = port {
        let (sent, handled) = port.close();
        pr_info!("cpu_replug: {sent} interrupts of the device, {handled} handled");
        assert_eq!(sent, handled);
        assert!(u64::from(rounds) * cpus.weight() as u64 <= sent);
    }
}

static SENT: AtomicU64 = AtomicU64::new(0);
static HANDLED: AtomicU64 = AtomicU64::new(0);

/// Lets the port send its next interrupt, if the last one was handled.
static RINGER: HrTimer = HrTimer::new(Clock::Monotonic, Context::Hard, |timer| {
    if SENT.load(Relaxed) == HANDLED.load(Relaxed) {
        SENT.fetch_add(1, Relaxed);
        COM2.ask();
    }
    if !GOES_ON.load(Relaxed) {
        return Restart::No;
    }
    timer.forward(ktime_get().as_ns(), RING_INTERVAL);
    Restart::Yes
});

/// The port, which interrupts until it is closed.
struct Port {
    action: IrqAction,
    before: Before,
}

impl Port {
    /// Nothing without such a port, or without a controller of its line.
    fn open() -> Option<Port> {
        let handle = &|_| {
            if !COM2.has_cause() {
                return IrqReturn::None;
            }
            HANDLED.fetch_add(1, Relaxed);
            IrqReturn::Handled
        };
        if !COM2.is_there() {
            return None;
        }
        let action = request_irq(COM2.irq(), handle, IrqFlagsSet::empty(), "cpu_replug").ok()?;
        let before = COM2.connect();
        GOES_ON.store(true, Relaxed);
        RINGER.start(RING_INTERVAL, Mode::Relative);
        Some(Port { action, before })
    }

    /// Lets the interrupts go to `cpu`, and waits until one has.
    fn send_to(&self, cpu: usize) {
        let only = CpuMask::new();
        only.set(cpu, true);
        // The 8259s have no choice.
        if set_affinity(self.action.irq(), &only).is_ok() {
            let count = || crate::irq::desc(self.action.irq()).map_or(0, |desc| desc.count(cpu));
            let before = count();
            assert!(comes(|| count() != before), "no interrupt comes to CPU {cpu}");
        }
    }

    /// How many interrupts have been sent, and how many handled.
    fn close(self) -> (u64, u64) {
        RINGER.cancel();
        let all_handled = || HANDLED.load(Relaxed) == SENT.load(Relaxed);
        comes(all_handled);
        COM2.restore(self.before);
        (SENT.load(Relaxed), HANDLED.load(Relaxed))
    }
}

//! `initcall_parallel=1`: the initcalls of a part on all CPUs at once, as far as relations let them.
//!
//! A CPU takes the first initcall that may begin ([`incipit_lib::walk`]). One that has been begun before its turn, while others that stand before it run, goes on until it does something that
//! others see in an order ([`super::turn`]), and waits there until all of those are over. So only what nobody sees goes on side by side, and the log and whatever is registered are as on one CPU.
//! There are no threads: the other CPUs work in their idle tasks.
//!
//! Nothing here waits where that might be for ever: not in an interrupt, not with interrupts off or a lock held, not in the report of a fault, and not for longer than [`PATIENCE_NS`]: the
//! one that is waited for may itself wait for something else that the other holds. What goes on without its turn is counted.

use core::hint::black_box;
use core::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use incipit_lib::walk::{Claim, Walk};

use super::named;
#[cfg(CONFIG_INITCALL_SHUFFLE)]
use super::shuffle;
use super::{INITCALL_DEBUG, InitcallEntry, call, do_one_initcall, initcalls, relations};
use crate::arch::x86::cpu::masks::ONLINE;
use crate::arch::x86::tsc::rdtsc;
use crate::init::info::{AnyCpu, EntryInfo, State, current};
use crate::jump_label::StaticKeyFalse;
use crate::locking::SpinLock;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::table::InitTable;
use crate::time::sched_clock;
use crate::{irq, preempt, printk, smp, softirq};

/// How long an initcall waits for its turn.
const PATIENCE_NS: u64 = 10_000_000_000;

/// What a CPU that runs no initcall, or one whose turn it is, waits for.
const NOTHING: u32 = u32::MAX;

/// Whether several CPUs are asked for. Turned before there are others, so that nobody waits for its branches; it stays on.
pub static REQUESTED: StaticKeyFalse = StaticKeyFalse::new();

/// How many CPUs there were for that, 0 if it was one after the other.
static CPUS: AtomicU32 = AtomicU32::new(0);

/// The place of the first initcall of this part that is not over.
static TURN: AtomicU32 = AtomicU32::new(0);

/// How often something was done out of turn, because it could not wait.
static OUT_OF_TURN: AtomicU32 = AtomicU32::new(0);

/// The place of the initcall that this CPU runs before its turn.
#[percpu]
static AHEAD: AtomicU32 = AtomicU32::new(NOTHING);

/// For how many ticks of the time stamp counter, and nanoseconds, the initcall that this CPU runs has waited.
#[percpu]
static WAITED: AtomicU64 = AtomicU64::new(0);
#[percpu]
static WAITED_NS: AtomicU64 = AtomicU64::new(0);

/// `initcall_parallel=1`: runs initcalls of a level on all CPUs at once where no relation keeps them apart; what others see of them comes in the same order all the same. Not with
/// `initcall_shuffle`, `initcall_stop_after` or `initcall_debug`.
#[init]
#[early_param("initcall_parallel")]
fn initcall_parallel(value: Option<&'static str>) -> Result<(), Errno> {
    let asked = incipit_lib::param::parse_bool(value.map(str::as_bytes)).map_err(|_| Errno::EINVAL)?;
    if asked {
        REQUESTED.enable();
    } else {
        REQUESTED.disable();
    }
    Ok(())
}

/// Lets several CPUs run the initcalls, if that is asked for, there are several, and nothing else is asked for that needs one after the other.
#[init]
pub(super) fn begin() {
    let cpus = ONLINE.weight();
    if !REQUESTED.is_enabled() || cpus == 1 {
        return;
    }
    match other_order() {
        Some(option) => pr_warn!("initcall_parallel: ignored, {option} has them run one after the other"),
        None => CPUS.store(cpus as u32, Relaxed),
    }
}

/// Says what was not in order.
#[init]
pub(super) fn end() {
    let count = OUT_OF_TURN.load(Relaxed);
    if count != 0 {
        pr_info!("initcall_parallel: out of turn, because they could not wait: {count}");
    }
}

/// The option that asks for an order which several CPUs would not keep.
#[init]
fn other_order() -> Option<&'static str> {
    #[cfg(CONFIG_INITCALL_SHUFFLE)]
    if shuffle::is_on() {
        return Some("initcall_shuffle");
    }
    if INITCALL_DEBUG.load(Relaxed) {
        return Some("initcall_debug");
    }
    named::one_is_the_last().then_some("initcall_stop_after")
}

/// How many CPUs there were for the initcalls, if it was not one after the other.
pub(super) fn cpus() -> Option<u32> {
    Some(CPUS.load(Relaxed)).filter(|cpus| *cpus != 0)
}

/// Runs the initcalls of a part on all CPUs; `false` if they are to be run by one, which was not begun.
#[init]
pub(super) fn run(calls: &InitTable<InitcallEntry>, init: InitMemory<'_>) -> bool {
    if calls.len() < 2 {
        return false;
    }
    let (Some(mut pairs), Some(mut waiting)) = (relations::pairs(calls, init), relations::zeros(calls.len())) else {
        return refuse(calls, "no memory to run");
    };
    let Ok(walk) = Walk::new(&mut pairs, &mut waiting) else {
        return refuse(calls, "relations go against the order of");
    };
    if !walk.has_choice() {
        return false;
    }
    TURN.store(0, Relaxed);
    let part = Part {
        calls,
        init,
        walk: SpinLock::new(walk),
        over: AtomicU32::new(0),
    };
    // Hidden from the compiler: where nobody else has work to share, it would call this from what shares it, which stays when this is gone.
    let work = || part.work();
    smp::work_on_each_cpu(black_box(&work as &(dyn Fn() + Sync))).is_ok() || refuse(calls, "no memory to share")
}

#[cold]
#[init]
fn refuse(calls: &InitTable<InitcallEntry>, why: &str) -> bool {
    pr_err!(
        "initcall_parallel: {why} {} initcalls, which are run one after the other",
        calls.len()
    );
    false
}

/// The initcalls that are being run.
struct Part<'a, 'boot> {
    calls: &'a InitTable<InitcallEntry>,
    init: InitMemory<'boot>,
    walk: SpinLock<Walk<'a>>,
    /// How many are over: what has to change before somebody who got nothing gets something.
    over: AtomicU32,
}

impl Part<'_, '_> {
    /// What each CPU does: takes one after the other until all are over.
    #[init]
    fn work(&self) {
        loop {
            let over = self.over.load(Acquire);
            let claim = self.walk.lock().claim();
            match claim {
                Claim::Entry(place) => self.run(place),
                Claim::Done if over as usize == self.calls.len() => return,
                Claim::Wait | Claim::Done => {
                    while self.over.load(Relaxed) == over {
                        relax();
                    }
                }
            }
        }
    }

    #[init]
    fn run(&self, place: usize) {
        if let Some(entry) = self.calls.get(self.init, place) {
            let place = place as u32;
            AHEAD.this_cpu_write(if TURN.load(Acquire) == place { NOTHING } else { place });
            WAITED.this_cpu_write(0);
            WAITED_NS.this_cpu_write(0);
            do_one_initcall(entry, call_anywhere);
            AHEAD.this_cpu_write(NOTHING);
            let waited_us = u32::try_from(WAITED_NS.this_cpu_read() / 1000).unwrap_or(u32::MAX);
            entry.info.set_place(smp_processor_id(), WAITED.this_cpu_read(), waited_us);
        }
        let mut walk = self.walk.lock();
        TURN.store(walk.finish(place) as u32, Release);
        self.over.fetch_add(1, Release);
    }
}

#[init]
fn call_anywhere(entry: &InitcallEntry) -> Result<(), Errno> {
    call::<AnyCpu>(entry)
}

/// What a CPU does while it waits for others: what they, or interrupts, want of it.
fn relax() {
    #[cfg(CONFIG_LOCKUP_DETECTOR)]
    crate::watchdog::touch_softlockup_watchdog();
    if softirq::pending() != 0 {
        softirq::run_pending();
    }
    if smp::has_work() {
        smp::run_work();
    }
    core::hint::spin_loop();
}

/// [`super::turn`] while several CPUs run initcalls.
#[cold]
pub(super) fn wait_for_turn() {
    let place = AHEAD.this_cpu_read();
    // An interrupt is nobody's doing.
    if place == NOTHING || preempt::in_interrupt() || printk::oops_in_progress() {
        return;
    }
    if TURN.load(Acquire) != place {
        if irq::irqs_disabled() || preempt::is_holding_locks() {
            OUT_OF_TURN.fetch_add(1, Relaxed);
            return;
        }
        let (ticks, since) = (rdtsc(), sched_clock());
        let came = wait_until_turn_of(place, since);
        // Before it was called, and after it is back, its time does not run.
        if current().is_some() {
            WAITED.this_cpu_add(rdtsc() - ticks);
            WAITED_NS.this_cpu_add(sched_clock() - since);
        }
        if !came {
            give_up();
        }
    }
    AHEAD.this_cpu_write(NOTHING);
}

/// Waits until it is the turn of `place`; `false` if that has taken too long since `since`.
fn wait_until_turn_of(place: u32, since: u64) -> bool {
    while TURN.load(Acquire) != place {
        if sched_clock() - since > PATIENCE_NS {
            return false;
        }
        relax();
    }
    true
}

/// Says who goes on without its turn, and whom it has waited for.
#[cold]
fn give_up() {
    // What follows is not to wait.
    AHEAD.this_cpu_write(NOTHING);
    OUT_OF_TURN.fetch_add(1, Relaxed);
    let name = |info: Option<&EntryInfo>| info.map_or("an initcall", EntryInfo::name);
    let own = current();
    let is_waited_for = |other: &&EntryInfo| other.state() == State::Running && own.is_none_or(|own| !core::ptr::eq(own, *other));
    pr_warn!(
        "initcall_parallel: {} has waited {} s for its turn, while {} runs, and goes on without it",
        name(own),
        PATIENCE_NS / 1_000_000_000,
        name(initcalls().find(is_waited_for))
    );
}

/// While there is one, this CPU does something that is no part of the initcall that it runs, and need not wait for its turn.
pub(crate) struct Aside(u32);

impl Aside {
    pub(crate) fn new() -> Aside {
        let ahead = AHEAD.this_cpu_read();
        AHEAD.this_cpu_write(NOTHING);
        Aside(ahead)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        AHEAD.this_cpu_write(self.0);
    }
}

//! CPUs that are stuck: one that runs something and does not come back from it, and one that does not even take interrupts (Linux's `kernel/watchdog.c`).
//!
//! A timer of each CPU looks every few seconds whether the CPU has come back to its idle loop, or has gone on to another initcall, since the last time; and whether the timer of the next
//! CPU has come. No counter of the processor raises NMIs in an emulator, and an I/O APIC that turns the PIT into one takes the timer away, so that the CPUs watch each other
//! (Linux's `CONFIG_HARDLOCKUP_DETECTOR_BUDDY`): with one CPU, nobody does.

use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::arch::x86::cpu::masks::{NR_CPUS, ONLINE};
use crate::arch::x86::dumpstack;
use crate::init::{self, EntryInfo};
use crate::irq::get_irq_regs;
use crate::panic::taint::{self, Taint};
use crate::panic::task;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::smp::trigger_single_cpu_backtrace;
use crate::time::hrtimer::{Clock, Context, HrTimer, Mode, Restart};
use crate::time::{ktime_get, sched_clock};

/// Seconds after which a CPU that takes no interrupts is stuck; twice as many for one that does. `watchdog_thresh=`.
static THRESHOLD: AtomicU32 = AtomicU32::new(10);
/// Whether CPUs are watched that do not come back, and those that take no interrupts.
static SOFT: AtomicBool = AtomicBool::new(true);
static HARD: AtomicBool = AtomicBool::new(true);
/// Whether a CPU that is stuck is a panic.
static SOFT_PANIC: AtomicBool = AtomicBool::new(false);
static HARD_PANIC: AtomicBool = AtomicBool::new(false);

/// How often the timer comes until the next CPU's must have come once.
const MISSES: u64 = 3;

/// What a CPU knows of itself and of the one that it watches.
struct Watch {
    timer: HrTimer,
    /// When the timer first saw that the CPU had come back; 0 if it has come back since the timer looked.
    touched: AtomicU64,
    is_reported: AtomicBool,
    /// The stage or initcall that was running.
    running: AtomicPtr<EntryInfo>,
    /// How often the timer has come.
    count: AtomicU64,
    /// Who is watched, what its count was, and whether that was told.
    buddy: AtomicU32,
    buddy_count: AtomicU64,
    is_buddy_reported: AtomicBool,
}

#[percpu]
static WATCH: Watch = Watch {
    timer: HrTimer::new(Clock::Monotonic, Context::Hard, watchdog_timer_fn),
    touched: AtomicU64::new(0),
    is_reported: AtomicBool::new(false),
    running: AtomicPtr::new(core::ptr::null_mut()),
    count: AtomicU64::new(0),
    buddy: AtomicU32::new(u32::MAX),
    buddy_count: AtomicU64::new(0),
    is_buddy_reported: AtomicBool::new(false),
};

/// `nmi_watchdog=[panic|nopanic,][0|1]`: whether CPUs that take no interrupts are looked for, and whether one is a panic.
#[setup("nmi_watchdog=")]
#[init]
fn hardlockup_panic_setup(value: &'static str) -> SetupResult {
    for word in value.split(',') {
        match word {
            "panic" => HARD_PANIC.store(true, Relaxed),
            "nopanic" => HARD_PANIC.store(false, Relaxed),
            "0" => HARD.store(false, Relaxed),
            "1" => HARD.store(true, Relaxed),
            other => pr_warn!("nmi_watchdog: '{other}' is none of panic, nopanic, 0, 1"),
        }
    }
    SetupResult::Consumed
}

/// `softlockup_panic=0|1`: whether a CPU that does not come back from what it does is a panic.
#[early_param("softlockup_panic")]
#[init]
fn softlockup_panic(value: Option<&'static str>) -> Result<(), Errno> {
    SOFT_PANIC.store(flag(value)?, Relaxed);
    Ok(())
}

/// `nosoftlockup`: does not look for CPUs that do not come back from what they do.
#[early_param("nosoftlockup")]
#[init]
fn nosoftlockup(_value: Option<&'static str>) -> Result<(), Errno> {
    SOFT.store(false, Relaxed);
    Ok(())
}

/// `nowatchdog`: does not look for CPUs that are stuck.
#[early_param("nowatchdog")]
#[init]
fn nowatchdog(_value: Option<&'static str>) -> Result<(), Errno> {
    SOFT.store(false, Relaxed);
    HARD.store(false, Relaxed);
    Ok(())
}

/// `watchdog_thresh=seconds`: after how long a CPU that takes no interrupts is stuck, 10 if nothing is said, 60 at the most; twice as long for one that does not come back. 0
/// looks for none.
#[early_param("watchdog_thresh")]
#[init]
fn watchdog_thresh(value: Option<&'static str>) -> Result<(), Errno> {
    let seconds = value.and_then(|value| value.parse().ok()).filter(|&seconds| seconds <= 60);
    THRESHOLD.store(seconds.ok_or(Errno::EINVAL)?, Relaxed);
    Ok(())
}

#[init]
fn flag(value: Option<&'static str>) -> Result<bool, Errno> {
    match value {
        Some("0") => Ok(false),
        Some("1") => Ok(true),
        _ => Err(Errno::EINVAL),
    }
}

/// After how many nanoseconds a CPU that does not come back is stuck: Linux's `get_softlockup_thresh`.
fn softlockup_thresh_ns() -> u64 {
    u64::from(THRESHOLD.load(Relaxed)) * 2 * 1_000_000_000
}

/// Nanoseconds between two looks: a fifth of that, as in Linux.
fn sample_period_ns() -> u64 {
    softlockup_thresh_ns() / 5
}

/// This CPU has come back from what it did: Linux's function of the same name.
#[inline]
pub fn touch_softlockup_watchdog() {
    // SAFETY: the copy is initialised, and every context may write the word.
    unsafe { (*WATCH.this_cpu_ptr()).touched.store(0, Relaxed) };
}

/// All CPUs begin anew, having been held.
pub fn touch_all_softlockup_watchdogs() {
    for watch in ONLINE.iter().filter_map(|cpu| WATCH.per_cpu(cpu)) {
        watch.touched.store(0, Relaxed);
        watch.buddy.store(u32::MAX, Relaxed);
    }
}

/// Lets the boot CPU be watched, and look at another one: Linux's `lockup_detector_init`.
#[initcall(early, requires(crate::time::hrtimer::HrTimers))]
#[init]
fn lockup_detector_init() -> Result<(), Errno> {
    start();
    Ok(())
}

/// The same for a CPU that comes; one that goes is not watched any more.
#[cpu_state(starting, name = "lockup_detector:starting", teardown = lockup_detector_stop, after(crate::arch::x86::apic::timer::start_this_cpu))]
fn lockup_detector_start(_cpu: usize) -> Result<(), Errno> {
    start();
    Ok(())
}

#[cfg_attr(not(CONFIG_SMP), expect(dead_code, reason = "with one CPU nobody goes"))]
fn lockup_detector_stop(_cpu: usize) {
    WATCH.with_this_cpu(|watch| watch.timer.cancel());
}

fn start() {
    if THRESHOLD.load(Relaxed) == 0 || !(SOFT.load(Relaxed) || HARD.load(Relaxed)) {
        return;
    }
    WATCH.with_this_cpu(|watch| {
        watch.touched.store(0, Relaxed);
        watch.buddy.store(u32::MAX, Relaxed);
        // SAFETY: the copies of per-CPU variables stay where they are.
        unsafe { core::pin::Pin::new_unchecked(&watch.timer) }.start_pinned(sample_period_ns(), Mode::Relative);
    });
}

/// Looks at this CPU and at the next one.
fn watchdog_timer_fn(timer: &HrTimer) -> Restart {
    WATCH.with_this_cpu(|watch| {
        let count = watch.count.fetch_add(1, Relaxed) + 1;
        if HARD.load(Relaxed) && count.is_multiple_of(MISSES) {
            look_at_buddy(watch);
        }
        if SOFT.load(Relaxed) {
            look_at_this_cpu(watch);
        }
    });
    timer.forward(ktime_get().as_ns(), sample_period_ns());
    Restart::Yes
}

fn look_at_this_cpu(watch: &Watch) {
    let now = sched_clock();
    let touched = watch.touched.load(Relaxed);
    let running = init::current().map_or(core::ptr::null_mut(), |info| core::ptr::from_ref(info).cast_mut());
    let has_gone_on = watch.running.swap(running, Relaxed) != running;
    if touched == 0 || has_gone_on || crate::kdb::is_active() {
        watch.touched.store(now.max(1), Relaxed);
        watch.is_reported.store(false, Relaxed);
        return;
    }
    let stuck = now.saturating_sub(touched);
    if stuck <= softlockup_thresh_ns() || watch.is_reported.swap(true, Relaxed) {
        return;
    }
    pr_emerg!(
        "watchdog: BUG: soft lockup - CPU#{} stuck for {}s! [{}:{}]",
        smp_processor_id(),
        stuck / 1_000_000_000,
        task::comm(),
        task::pid()
    );
    if let Some(regs) = get_irq_regs() {
        dumpstack::show_regs(regs);
    }
    taint::add(Taint::Softlockup);
    if SOFT_PANIC.load(Relaxed) {
        panic!("softlockup: hung tasks");
    }
}

/// Whether the timer of the next CPU has come since the last look; a CPU that was not watched then is only noted.
fn look_at_buddy(watch: &Watch) {
    let this = smp_processor_id();
    let next = (this + 1..NR_CPUS).chain(0..this).find(|&cpu| ONLINE.contains(cpu));
    let Some((cpu, count)) = next.and_then(|cpu| Some((cpu, WATCH.per_cpu(cpu)?.count.load(Relaxed)))) else {
        return;
    };
    let is_known = watch.buddy.swap(cpu as u32, Relaxed) == cpu as u32;
    let has_come = watch.buddy_count.swap(count, Relaxed) != count;
    if !is_known || has_come || crate::kdb::is_active() {
        watch.is_buddy_reported.store(false, Relaxed);
        return;
    }
    if watch.is_buddy_reported.swap(true, Relaxed) {
        return;
    }
    pr_emerg!("watchdog: Watchdog detected hard LOCKUP on cpu {cpu}");
    trigger_single_cpu_backtrace(cpu);
    taint::add(Taint::Softlockup);
    if HARD_PANIC.load(Relaxed) {
        panic!("Hard LOCKUP");
    }
}

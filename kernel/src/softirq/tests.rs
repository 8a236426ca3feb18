//! Softirqs that are raised in every way that there is. A handler of the test's takes the place of what is declared for the time of the test.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::*;
use crate::percpu::smp_processor_id;

/// Runs `test` with `handler` in the place of the handler of [`Softirq::IrqPoll`].
fn with_handler(handler: &'static SoftirqAction, test: impl FnOnce()) {
    let slot = &VECTORS[Softirq::IrqPoll as usize];
    let before = slot.swap((&raw const *handler).cast_mut(), Relaxed);
    test();
    slot.store(before, Relaxed);
}

/// How often the handlers of the tests have run.
static RAN: AtomicU32 = AtomicU32::new(0);

#[ktest]
fn a_softirq_that_is_raised_runs_once_and_is_counted() {
    static COUNT: SoftirqAction = SoftirqAction {
        nr: Softirq::IrqPoll,
        handler: || {
            assert!(preempt::in_interrupt() && !irq::irqs_disabled());
            RAN.fetch_add(1, Relaxed);
        },
    };
    with_handler(&COUNT, || {
        let interrupts_off = IrqGuard::new();
        let (ran, counted) = (RAN.load(Relaxed), count(Softirq::IrqPoll, smp_processor_id()));
        raise(Softirq::IrqPoll);
        raise(Softirq::IrqPoll);
        assert_eq!(
            (RAN.load(Relaxed), pending() & 1 << Softirq::IrqPoll as u32),
            (ran, 1 << Softirq::IrqPoll as u32)
        );
        run_pending();
        assert_eq!(RAN.load(Relaxed), ran + 1);
        assert_eq!(count(Softirq::IrqPoll, smp_processor_id()), counted + 1);
        assert!(irq::irqs_disabled() && !preempt::in_interrupt());
        drop(interrupts_off);
    });
}

#[ktest]
fn a_softirq_that_raises_itself_for_ever_leaves_the_cpu_to_others() {
    static AGAIN: SoftirqAction = SoftirqAction {
        nr: Softirq::IrqPoll,
        handler: || {
            RAN.fetch_add(1, Relaxed);
            raise(Softirq::IrqPoll);
        },
    };
    static ENOUGH: SoftirqAction = SoftirqAction {
        nr: Softirq::IrqPoll,
        handler: || (),
    };
    let interrupts_off = IrqGuard::new();
    with_handler(&AGAIN, || {
        let before = RAN.load(Relaxed);
        raise(Softirq::IrqPoll);
        run_pending();
        let rounds = RAN.load(Relaxed) - before;
        // Fewer if the rounds took too long.
        assert!((1..=MAX_RESTARTS).contains(&rounds), "{rounds}");
        assert!(pending() & 1 << Softirq::IrqPoll as u32 != 0, "what is left over is not forgotten");
    });
    with_handler(&ENOUGH, run_pending);
    assert_eq!(pending() & 1 << Softirq::IrqPoll as u32, 0);
    drop(interrupts_off);
}

#[ktest]
fn softirqs_wait_for_the_last_guard() {
    static COUNT: SoftirqAction = SoftirqAction {
        nr: Softirq::IrqPoll,
        handler: || {
            RAN.fetch_add(1, Relaxed);
        },
    };
    with_handler(&COUNT, || {
        let before = RAN.load(Relaxed);
        let outer = BhGuard::new();
        let inner = BhGuard::new();
        raise(Softirq::IrqPoll);
        run_pending();
        drop(inner);
        assert_eq!(RAN.load(Relaxed), before);
        drop(outer);
        // With interrupts off the guard cannot run it.
        run_pending();
        assert_eq!(RAN.load(Relaxed), before + 1);
    });
}

/// Runs what is scheduled, with as many rounds as there may be.
fn settle() {
    for _ in 0..3 {
        run_pending();
    }
}

static TASKLET_RAN: AtomicU64 = AtomicU64::new(0);

#[ktest]
fn a_tasklet_runs_once_however_often_it_is_scheduled() {
    static ONCE: Tasklet = Tasklet::new(|_| {
        TASKLET_RAN.fetch_add(1, Relaxed);
    });
    for schedule in [Tasklet::schedule, Tasklet::hi_schedule] {
        let before = TASKLET_RAN.load(Relaxed);
        let guard = BhGuard::new();
        schedule(&ONCE);
        schedule(&ONCE);
        assert!(ONCE.is_scheduled());
        drop(guard);
        settle();
        assert_eq!((TASKLET_RAN.load(Relaxed), ONCE.is_scheduled()), (before + 1, false));
    }
}

#[ktest]
fn a_disabled_tasklet_waits_and_a_killed_one_has_run() {
    static TIMES: AtomicU64 = AtomicU64::new(0);
    static WAITS: Tasklet = Tasklet::new_disabled(|_| {
        TIMES.fetch_add(1, Relaxed);
    });
    let before = TIMES.load(Relaxed);
    WAITS.disable();
    WAITS.schedule();
    settle();
    WAITS.enable();
    settle();
    assert_eq!((TIMES.load(Relaxed), WAITS.is_scheduled()), (before, true));
    WAITS.enable();
    WAITS.kill();
    assert_eq!((TIMES.load(Relaxed), WAITS.is_scheduled()), (before + 1, false));
    // As it was, for the next run.
    WAITS.disable();
}

#[ktest]
fn a_tasklet_may_schedule_itself() {
    static TIMES: AtomicU64 = AtomicU64::new(0);
    static SELF: Tasklet = Tasklet::new(|this| {
        if TIMES.fetch_add(1, Relaxed) % 3 != 2 {
            this.schedule();
        }
    });
    let before = TIMES.load(Relaxed);
    SELF.schedule();
    while TIMES.load(Relaxed) != before + 3 {
        run_pending();
    }
    SELF.kill();
    assert_eq!(TIMES.load(Relaxed), before + 3);
}

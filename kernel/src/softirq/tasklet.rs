//! Tasklets: work that a softirq does, by any number of users, each of them on one CPU at a time.

use core::ptr::NonNull;
use core::sync::atomic::AtomicPtr;

use super::Softirq;
use crate::collections::llist::{Entry, List};
use crate::irq::IrqGuard;
use crate::preempt;
use crate::prelude::*;
use incipit_lib::deferred::State;

/// Work that is done once, soon after it was scheduled, on the CPU that scheduled it: Linux's `tasklet_struct`.
pub struct Tasklet {
    link: AtomicPtr<Tasklet>,
    state: State,
    function: fn(&'static Tasklet),
}

impl Entry for Tasklet {
    #[inline]
    fn link(&self) -> &AtomicPtr<Tasklet> {
        &self.link
    }
}

/// Those that are to be run on a CPU, by `Softirq::Tasklet`.
#[percpu]
static NORMAL: List<Tasklet> = List::new();

/// Those that are to be run before anything else, by `Softirq::Hi`.
#[percpu]
static HIGH: List<Tasklet> = List::new();

#[softirq(Tasklet)]
fn tasklet_action() {
    run_all(Softirq::Tasklet);
}

#[softirq(Hi)]
fn tasklet_hi_action() {
    run_all(Softirq::Hi);
}

impl Tasklet {
    /// Work that `function` does, in softirq context with interrupts on: it may not sleep. It may schedule itself again.
    #[must_use]
    pub const fn new(function: fn(&'static Tasklet)) -> Self {
        Tasklet {
            link: AtomicPtr::new(core::ptr::null_mut()),
            state: State::new(),
            function,
        }
    }

    /// [`Tasklet::new`], not to be run before the first [`Tasklet::enable`].
    #[must_use]
    pub const fn new_disabled(function: fn(&'static Tasklet)) -> Self {
        Tasklet {
            state: State::disabled(),
            ..Tasklet::new(function)
        }
    }

    /// Lets it be run soon, once however often that is asked for before it begins. Any context but a non-maskable interrupt.
    pub fn schedule(&'static self) {
        self.schedule_by(Softirq::Tasklet);
    }

    /// [`Tasklet::schedule`], before all other softirqs.
    pub fn hi_schedule(&'static self) {
        self.schedule_by(Softirq::Hi);
    }

    fn schedule_by(&'static self, nr: Softirq) {
        if self.state.ask() {
            let interrupts_off = IrqGuard::new();
            self.put(nr);
            drop(interrupts_off);
            super::raise(nr);
        }
    }

    /// Puts it into this CPU's list. The caller was told to by the state.
    fn put(&'static self, nr: Softirq) {
        // SAFETY: the state lets one put it into a list until it has been taken out, and it lives for ever.
        list_of(nr).with_this_cpu(|list| unsafe { list.push(NonNull::from(self)) });
    }

    /// Keeps it from running until the matching [`Tasklet::enable`], and waits for a CPU that is at it. Not from the tasklet.
    pub fn disable(&self) {
        self.state.disable();
        self.wait();
    }

    /// [`Tasklet::disable`] without waiting: it may still be running.
    pub fn disable_nosync(&self) {
        self.state.disable();
    }

    /// Undoes one `disable`. If it was scheduled meanwhile it runs soon.
    pub fn enable(&self) {
        self.state.enable();
    }

    /// Whether it is to be run, or disabled before it could be.
    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        self.state.is_asked_for()
    }

    /// Waits until it has run if it is scheduled, and is not running: nobody schedules it again meanwhile. Not from an interrupt or a softirq, and not if it is disabled.
    pub fn kill(&self) {
        if warn_on!(preempt::in_interrupt(), "Attempt to kill tasklet from interrupt") {
            return;
        }
        while !self.state.ask() {
            // It may be on this CPU's list, and nothing else may come to run that.
            super::run_pending();
            core::hint::spin_loop();
        }
        self.wait();
        self.state.take_back();
    }

    fn wait(&self) {
        while self.state.is_running() {
            core::hint::spin_loop();
        }
    }

    /// Runs it, or puts it back if it is disabled or another CPU is still at it.
    fn run(&'static self, nr: Softirq) {
        if self.state.begin() {
            (self.function)(self);
            self.state.end();
        } else {
            let _interrupts_off = IrqGuard::new();
            self.put(nr);
            super::raise_irqoff(nr);
        }
    }
}

fn list_of(nr: Softirq) -> &'static crate::percpu::PerCpu<List<Tasklet>> {
    if nr == Softirq::Hi { &HIGH } else { &NORMAL }
}

fn run_all(nr: Softirq) {
    let scheduled = list_of(nr).with_this_cpu(List::take_all);
    // SAFETY: tasklets live for ever.
    scheduled.for_each(|tasklet| unsafe { tasklet.as_ref() }.run(nr));
}

#[cpu_state(prepare, name = "softirq:dead", teardown = take_over)]
fn softirq_prepare_cpu(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

/// What was scheduled on a CPU that runs no longer is run on the CPU that took it down: Linux's `takeover_tasklets`. The same holds for every other softirq that was raised there.
fn take_over(dead: usize) {
    super::take_over_pending(dead);
    for nr in [Softirq::Hi, Softirq::Tasklet] {
        let Some(list) = list_of(nr).per_cpu(dead) else { continue };
        let interrupts_off = IrqGuard::new();
        for tasklet in list.take_all() {
            // SAFETY: tasklets live for ever.
            unsafe { tasklet.as_ref() }.put(nr);
            super::raise_irqoff(nr);
        }
        drop(interrupts_off);
    }
}

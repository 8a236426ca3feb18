//! What a non-maskable interrupt, which may use no lock, leaves to an interrupt that comes right behind it (Linux's `irq_work`).
//!
//! The lists are without a lock, so work may be queued anywhere. The CPU sends itself an interrupt; one without a local APIC does the work at the next tick, which asks [`tick`].

use core::ptr::NonNull;
use core::sync::atomic::AtomicPtr;

use incipit_lib::deferred::State;
use linkme::distributed_slice;

use crate::arch::x86::apic;
use crate::arch::x86::irq::{IRQ_WORK_VECTOR, SYSVECS, SysVec};
use crate::collections::llist::{Entry, List};
use crate::preempt::PreemptGuard;
use crate::prelude::*;

/// Work that is done once, in a hard interrupt on the CPU that queued it.
pub struct IrqWork {
    link: AtomicPtr<IrqWork>,
    state: State,
    function: fn(&'static IrqWork),
}

impl Entry for IrqWork {
    #[inline]
    fn link(&self) -> &AtomicPtr<IrqWork> {
        &self.link
    }
}

/// What a CPU is to do.
#[percpu]
static RAISED: List<IrqWork> = List::new();

#[distributed_slice(SYSVECS)]
static IRQ_WORK: SysVec = SysVec {
    vector: IRQ_WORK_VECTOR,
    mnemonic: "IWI",
    description: "IRQ work interrupts",
    handler: |_| run(),
};

impl IrqWork {
    /// Work that `function` does, with interrupts off.
    #[must_use]
    pub const fn new(function: fn(&'static IrqWork)) -> Self {
        IrqWork {
            link: AtomicPtr::new(core::ptr::null_mut()),
            state: State::new(),
            function,
        }
    }

    /// Lets it be done soon on this CPU, once however often that is asked for before it begins; whether it was not asked for yet. Any context.
    pub fn queue(&'static self) -> bool {
        let _stay = PreemptGuard::new();
        let is_new = self.state.ask();
        if is_new {
            self.put();
        }
        is_new
    }

    fn put(&'static self) {
        // SAFETY: the state lets one put it into a list until it has been taken out, and it lives for ever.
        let was_empty = RAISED.with_this_cpu(|list| unsafe { list.push(NonNull::from(self)) });
        if was_empty && apic::is_present() {
            apic::send_ipi_self(IRQ_WORK_VECTOR);
        }
    }

    /// Whether it is still to be done, or a CPU is at it.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.state.is_asked_for() || self.state.is_running()
    }

    /// Waits until it is done if it was queued. With interrupts on, in no interrupt.
    pub fn sync(&self) {
        while self.is_busy() {
            core::hint::spin_loop();
        }
    }
}

/// Does what is queued on this CPU. Interrupts are off.
fn run() {
    for work in RAISED.with_this_cpu(List::take_all) {
        // SAFETY: work lives for ever.
        let work = unsafe { work.as_ref() };
        if work.state.begin() {
            (work.function)(work);
            work.state.end();
        } else {
            // Another CPU is still at it: this one comes back to it.
            work.put();
        }
    }
}

/// A CPU that goes does its work before: the interrupt that it has sent itself does not come any more.
#[cpu_state(
    starting,
    name = "irq_work:dying",
    teardown = irq_work_dying_cpu,
    after(crate::mm::slab::shrink::slub_cpu_starting)
)]
pub(crate) fn irq_work_starting_cpu(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

fn irq_work_dying_cpu(_cpu: usize) {
    // What another CPU is still at is put back, and comes here again as soon as that is over.
    while !RAISED.with_this_cpu(List::is_empty) {
        run();
    }
}

/// The tick has come: does what a CPU without a local APIC could not send itself an interrupt for. Interrupts are off.
#[inline]
pub fn tick() {
    if !RAISED.with_this_cpu(List::is_empty) && !apic::is_present() {
        run();
    }
}

#[ktest]
fn work_that_is_queued_is_done_once_in_an_interrupt() {
    use crate::irq::{IrqGuard, local_irq_disable, local_irq_enable};
    use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static DONE: AtomicU32 = AtomicU32::new(0);
    static WORK: IrqWork = IrqWork::new(|_| {
        assert!(crate::preempt::in_interrupt() && crate::irq::irqs_disabled());
        DONE.fetch_add(1, Relaxed);
    });
    if !apic::is_present() {
        return;
    }
    let _as_before = IrqGuard::new();
    let before = DONE.load(Relaxed);
    assert!(WORK.queue() && !WORK.queue() && WORK.is_busy());
    assert_eq!(DONE.load(Relaxed), before);
    local_irq_enable();
    WORK.sync();
    local_irq_disable();
    assert_eq!(DONE.load(Relaxed), before + 1);
}

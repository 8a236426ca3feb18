//! The queues of calls, one for each CPU, and the interrupts that say that there is something in them.

use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{
    AtomicPtr, AtomicU32,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

use linkme::distributed_slice;

use super::trigger_single_cpu_backtrace;
use crate::arch::x86::apic;
use crate::arch::x86::cpu::masks::{CpuMask, ONLINE};
use crate::arch::x86::irq::{CALL_FUNCTION_SINGLE_VECTOR, CALL_FUNCTION_VECTOR, SYSVECS, SysVec};
use crate::collections::llist::{Entry, List};
use crate::irq;
use crate::percpu::{PerCpu, smp_processor_id};
use crate::prelude::*;
use crate::time::sched_clock;

/// What is called.
type Function = dyn Fn() + Sync;

/// Nobody uses the call.
const FREE: u32 = 0;
/// The caller waits until the function has returned.
const WAITED_FOR: u32 = 1;
/// The caller waits for nothing.
const FORGOTTEN: u32 = 2;
/// The CPU has gone offline before it came to the call: it was never made, and nobody uses it.
const DROPPED: u32 = 3;

/// A call for one CPU: Linux's `call_single_data_t`. It is in use from when its owner claims it until the other CPU needs it no longer.
pub(super) struct Call {
    link: AtomicPtr<Call>,
    state: AtomicU32,
    function: UnsafeCell<Option<NonNull<Function>>>,
}

// SAFETY: `function` is written by who has claimed the call and read by who has taken it out of a queue, which come one after the other.
unsafe impl Sync for Call {}

impl Entry for Call {
    #[inline]
    fn link(&self) -> &AtomicPtr<Call> {
        &self.link
    }
}

/// What each CPU is to call.
pub(super) type Queue = PerCpu<List<Call>>;

/// What each CPU is to call when it is interrupted for it.
#[percpu]
pub(super) static QUEUE: List<Call> = List::new();

/// Lets other CPUs' functions be called by interrupts: Linux's stage of the same name. Nothing can be in the queue of this CPU yet.
///
/// # Panics
///
/// If somebody has asked for a call before.
#[init]
#[stage(
    after(crate::softirq::softirq_init, crate::time::time_init),
    before(crate::init::stage::local_irq_enable),
    requires(crate::arch::x86::irq::Interrupts)
)]
pub fn call_function_init() {
    assert!(QUEUE.with_this_cpu(List::is_empty), "a call before there are any");
}

#[distributed_slice(SYSVECS)]
static ONE: SysVec = SysVec {
    vector: CALL_FUNCTION_SINGLE_VECTOR,
    mnemonic: "CAL",
    description: "Function call interrupts",
    handler: |_| flush_queue(&QUEUE),
};

#[distributed_slice(SYSVECS)]
static MANY: SysVec = SysVec {
    vector: CALL_FUNCTION_VECTOR,
    mnemonic: "CAL",
    description: "Function call interrupts",
    handler: |_| flush_queue(&QUEUE),
};

impl Call {
    pub(super) const fn new() -> Self {
        Call {
            link: AtomicPtr::new(core::ptr::null_mut()),
            state: AtomicU32::new(FREE),
            function: UnsafeCell::new(None),
        }
    }

    /// Puts the call of `function` into `cpu`'s part of `queue`; whether `cpu` is to be told. Waits until the call's last use, which was by the same queue and CPU, is over.
    ///
    /// # Safety
    ///
    /// The call stays where it is until it is free, and has one user at a time. The function lives until it has returned: that is until [`Call::wait`] returns if it is waited for,
    /// for ever if not.
    pub(super) unsafe fn queue(&self, queue: &Queue, cpu: usize, function: *const Function, is_waited_for: bool) -> bool {
        self.wait(queue, cpu);
        self.state.store(if is_waited_for { WAITED_FOR } else { FORGOTTEN }, Relaxed);
        // SAFETY: the call is free, and its only user is here.
        unsafe { *self.function.get() = NonNull::new(function.cast_mut()) };
        // SAFETY: the caller vouches for the call, and it is in no queue because it was free. A CPU that is online is possible.
        unsafe { (*queue.per_cpu_ptr(cpu)).push(NonNull::from(self)) }
    }

    /// Waits until `cpu`, in whose part of `queue` it was the last time, needs the call no longer. `false` if the CPU has gone offline before it came to the call, which is not made then.
    #[inline]
    pub(super) fn wait(&self, queue: &Queue, cpu: usize) -> bool {
        // Most often nothing was asked before.
        self.state.load(Acquire) == FREE || self.wait_for_answer(queue, cpu)
    }

    fn wait_for_answer(&self, queue: &Queue, cpu: usize) -> bool {
        let (mut patience, mut looks) = (None, 0_u32);
        wait_until(|| {
            let is_over = self.is_over(queue, cpu);
            looks = looks.wrapping_add(1);
            if !is_over && looks.is_multiple_of(LOOKS_AT_THE_CLOCK) {
                look_at_the_clock(&mut patience, cpu);
            }
            is_over
        });
        self.state.load(Acquire) == FREE
    }

    /// Whether [`Call::wait`] would not wait.
    pub(super) fn is_over(&self, queue: &Queue, cpu: usize) -> bool {
        if !ONLINE.contains(cpu) {
            drop_queue(queue, cpu);
        }
        matches!(self.state.load(Acquire), FREE | DROPPED)
    }

    /// Whether `cpu` will make the call, which was just put into its part of `queue`, or has made it: `false` if it has gone offline, and nobody looks into the queue any more.
    pub(super) fn is_accepted(&self, queue: &Queue, cpu: usize) -> bool {
        // Either this CPU sees that the other one goes, or that one, which says so before it looks into its queue for the last time, sees the call.
        fence(SeqCst);
        if ONLINE.contains(cpu) {
            return true;
        }
        drop_queue(queue, cpu);
        self.state.load(Acquire) != DROPPED
    }

    /// Calls the function. The owner may use the call again as soon as it is free, so nothing touches it after that.
    fn run(&self) {
        // SAFETY: taken out of the queue, so it was written before, and is written again only when it is free.
        let function = unsafe { *self.function.get() };
        let is_waited_for = self.state.load(Relaxed) == WAITED_FOR;
        if !is_waited_for {
            self.state.store(FREE, Release);
        }
        if let Some(function) = function {
            // SAFETY: who queued it vouches for it until it has returned.
            unsafe { function.as_ref()() };
        }
        if is_waited_for {
            self.state.store(FREE, Release);
        }
    }
}

/// Calls what others have put into this CPU's part of a queue. For [`QUEUE`], interrupts are off.
pub(super) fn flush_queue(queue: &Queue) {
    let calls = queue.with_this_cpu(List::take_all);
    // SAFETY: a call stays until it is free, which is after it has been taken.
    calls.for_each(|call| unsafe { call.as_ref() }.run());
}

/// Takes calls out of the queue of a CPU that is offline; they are not made. A CPU that is just going has as much right to them as who waits: one of the two gets each.
fn drop_queue(queue: &Queue, cpu: usize) {
    // SAFETY: as in `Call::queue` and `flush_queue`.
    unsafe {
        (*queue.per_cpu_ptr(cpu))
            .take_all()
            .for_each(|call| call.as_ref().state.store(DROPPED, Release))
    };
}

/// A CPU makes the calls that were asked of it before it goes: while it still has its slabs, and what it leaves to an [`IrqWork`](crate::irq_work::IrqWork) is still done. One that
/// comes begins with an empty queue, or who finds something in it would not tell it.
#[cpu_state(
    starting,
    name = "smpcfd:dying",
    teardown = smpcfd_dying_cpu,
    after(crate::mm::slab::shrink::slub_cpu_starting, crate::irq_work::irq_work_starting_cpu)
)]
fn smpcfd_starting_cpu(cpu: usize) -> Result<(), Errno> {
    drop_queue(&QUEUE, cpu);
    Ok(())
}

fn smpcfd_dying_cpu(_cpu: usize) {
    // With `Call::is_accepted`.
    fence(SeqCst);
    flush_queue(&QUEUE);
}

/// After how many milliseconds a CPU that does not do what was asked of it is named, and shows where it is; 0 for never.
#[param(module = "smp", name = "csd_lock_timeout", perm = 0o644)]
static CSD_LOCK_TIMEOUT: AtomicU32 = AtomicU32::new(5000);

/// Who waits looks at the clock every so many turns: reading it takes longer than most answers.
const LOOKS_AT_THE_CLOCK: u32 = 64;

/// Names `cpu` once if it has been waited for too long: Linux's `csd_lock_wait_toolong`. `since` is when the waiting began; what is over is `u64::MAX`.
#[cold]
fn look_at_the_clock(since: &mut Option<u64>, cpu: usize) {
    let now = sched_clock();
    let begin = *since.get_or_insert(now);
    let timeout = u64::from(CSD_LOCK_TIMEOUT.load(Relaxed)) * 1_000_000;
    if timeout == 0 || now.saturating_sub(begin) < timeout {
        return;
    }
    *since = Some(u64::MAX);
    pr_alert!(
        "smp: csd: Detected non-responsive CSD lock (#1) on CPU#{}, waiting {} ns for CPU#{cpu:02}.",
        smp_processor_id(),
        now - begin
    );
    trigger_single_cpu_backtrace(cpu);
}

/// Waits for other CPUs. If one of them waits for this CPU meanwhile, and this one has interrupts off, both would wait for ever: that is named once, and what the other wants is
/// done here.
pub(super) fn wait_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        if !QUEUE.with_this_cpu(List::is_empty) && irq::irqs_disabled() {
            warn_once!("a function call waits with interrupts off while another CPU waits for this one");
            flush_queue(&QUEUE);
        }
        core::hint::spin_loop();
    }
}

/// Tells one CPU.
#[inline]
pub(super) fn tell(cpu: usize) {
    apic::send_ipi(cpu, CALL_FUNCTION_SINGLE_VECTOR);
}

/// Tells each CPU of a set.
pub(super) fn tell_all(cpus: &CpuMask) {
    apic::send_ipi_mask(cpus, CALL_FUNCTION_VECTOR);
}

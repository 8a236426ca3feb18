//! Calling a function on another CPU, on several, on all.

use super::queue::{self, Call, QUEUE};
use crate::arch::x86::cpu::masks::{CpuMask, NR_CPUS, ONLINE};
use crate::irq::IrqGuard;
use crate::percpu::smp_processor_id;
use crate::preempt::{self, PreemptGuard};
use crate::prelude::*;

/// A CPU's calls of others, one for each: so that it can call all at once.
struct Calls([Call; NR_CPUS]);

#[percpu]
static CALLS: Calls = Calls([const { Call::new() }; NR_CPUS]);

/// Calls `f` on `cpu`, which may be this one, and waits until it has returned. `f` runs with interrupts off; the caller has them on, and is in no interrupt, since two CPUs that
/// wait for each other would wait for ever.
///
/// # Errors
///
/// `ENXIO` if the CPU is not online, or goes before it has come to the call.
pub fn call_function_single(cpu: usize, f: &(dyn Fn() + Sync)) -> Result<(), Errno> {
    // SAFETY: waited for.
    unsafe { call_single(cpu, f, true) }
}

/// [`call_function_single`] without waiting. The call is done in the order in which this CPU asked for it; asking for the next one waits until this one has begun.
///
/// # Errors
///
/// `ENXIO` if the CPU is not online, or goes before it has come to the call.
pub fn call_function_single_nowait(cpu: usize, f: &'static (dyn Fn() + Sync)) -> Result<(), Errno> {
    // SAFETY: it lives for ever.
    unsafe { call_single(cpu, f, false) }
}

/// # Safety
///
/// `f` lives until it has returned: until the end of this function if it waits.
unsafe fn call_single(cpu: usize, f: &(dyn Fn() + Sync), wait: bool) -> Result<(), Errno> {
    let stay = PreemptGuard::new();
    if !ONLINE.contains(cpu) {
        return Err(Errno::ENXIO);
    }
    if cpu == smp_processor_id() {
        call_here(f);
        return Ok(());
    }
    check_context();
    let call = &CALLS.this_cpu(&stay).0[cpu];
    // SAFETY: the call is a static of this CPU, which the caller stays on outside of interrupts, so it is its only user; the function is vouched for.
    if unsafe { call.queue(&QUEUE, cpu, forget_lifetime(f), wait) } {
        queue::tell(cpu);
    }
    let is_made = if wait {
        call.wait(&QUEUE, cpu)
    } else {
        call.is_accepted(&QUEUE, cpu)
    };
    is_made.then_some(()).ok_or(Errno::ENXIO)
}

/// Calls `f` on each CPU of `cpus` that is online but this one, all at the same time, and waits until it has returned on all of them but those that go meanwhile. As for [`call_function_single`].
pub fn call_function_many(cpus: &CpuMask, f: &(dyn Fn() + Sync)) {
    call_many(cpus, f, || ());
}

/// Calls `f` on each CPU that is online, this one included, and waits until it has returned on all. As for [`call_function_single`].
pub fn on_each_cpu(f: &(dyn Fn() + Sync)) {
    let _stay = PreemptGuard::new();
    call_many(&ONLINE, f, || call_here(f));
}

/// Calls `f` on the others and `here` while they are at it; then waits for them.
pub(super) fn call_many<R>(cpus: &CpuMask, f: &(dyn Fn() + Sync), here: impl FnOnce() -> R) -> R {
    let stay = PreemptGuard::new();
    let this = smp_processor_id();
    // Who goes meanwhile was asked all the same, and may be at it.
    let others = cpus.and_without(&ONLINE, this);
    if others.weight() == 0 {
        return here();
    }
    check_context();
    let calls = &CALLS.this_cpu(&stay).0;
    let to_tell = CpuMask::new();
    for cpu in others.iter() {
        // SAFETY: as in `call_single`; waited for below.
        if unsafe { calls[cpu].queue(&QUEUE, cpu, forget_lifetime(f), true) } {
            to_tell.set(cpu, true);
        }
    }
    queue::tell_all(&to_tell);
    let result = here();
    others.iter().for_each(|cpu| {
        calls[cpu].wait(&QUEUE, cpu);
    });
    result
}

fn call_here(f: &(dyn Fn() + Sync)) {
    let _interrupts_off = IrqGuard::new();
    f();
}

/// Who calls from an interrupt may have interrupted a call of the same CPU, and waits for that for ever.
#[inline]
fn check_context() {
    warn_on_once!(preempt::in_interrupt(), "a function call on another CPU from an interrupt");
}

/// The pointer says nothing about how long the function lives: who uses it does.
pub(super) fn forget_lifetime<'a>(f: &'a (dyn Fn() + Sync + 'a)) -> *const (dyn Fn() + Sync + 'static) {
    // SAFETY: only the lifetime changes, and a pointer has no obligations.
    unsafe { core::mem::transmute(f) }
}

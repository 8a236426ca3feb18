//! All CPUs held still while one of them does what nobody may look at.

use core::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
    fence,
};

use super::call::call_many;
use super::queue::wait_until;
use crate::arch::x86::cpu::masks::{CpuMask, ONLINE};
use crate::irq::IrqGuard;
use crate::locking::SpinLock;
use crate::percpu::smp_processor_id;
use crate::preempt::PreemptGuard;

/// Who holds the others still: one at a time.
static STOPPING: SpinLock<()> = SpinLock::new(());

/// Calls `f` on this CPU while all others that are online wait with interrupts off, and says what it returned: Linux's `stop_machine` for one CPU. Interrupts are off in `f`, too, so
/// it should be short. The caller has interrupts on and is in no interrupt, as for [`call_function_single`](super::call_function_single).
pub fn stop_machine<R>(f: impl FnOnce() -> R) -> R {
    let _stay = PreemptGuard::new();
    let _alone = STOPPING.lock();
    let this = smp_processor_id();
    let (others, arrived) = (ONLINE.and_without(&ONLINE, this), CpuMask::new());
    let is_over = AtomicBool::new(false);
    let hold_still = || {
        fence(Release);
        arrived.set(smp_processor_id(), true);
        while !is_over.load(Acquire) {
            core::hint::spin_loop();
        }
    };
    call_many(&others, &hold_still, || {
        wait_until(|| others.iter().all(|cpu| arrived.contains(cpu) || !ONLINE.contains(cpu)));
        fence(Acquire);
        let _interrupts_off = IrqGuard::new();
        let result = f();
        is_over.store(true, Release);
        result
    })
}

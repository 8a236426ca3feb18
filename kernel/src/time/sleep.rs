//! Waiting with the processor halted, for as long as there are no threads to run meanwhile.

use super::hrtimer::{Clock, Context, HrTimer, Mode, Restart};
use super::{mdelay, tick};
use crate::arch::x86::process::default_idle;
use crate::irq::{IrqGuard, irqs_disabled, local_irq_disable};
use crate::preempt;

/// Halts, interrupts on, until an interrupt has made `is_over` true, which is asked with interrupts off. The caller may be interrupted.
pub fn halt_until(mut is_over: impl FnMut() -> bool) {
    let _as_before = IrqGuard::new();
    while !is_over() {
        default_idle();
        local_irq_disable();
    }
}

/// Waits for `milliseconds`, at least: Linux's function of the same name. Where nothing would wake the CPU, or nothing may, it spins.
pub fn msleep(milliseconds: u64) {
    if irqs_disabled() || preempt::in_interrupt() || !tick::is_running() {
        return mdelay(milliseconds);
    }
    let timer = core::pin::pin!(HrTimer::new(Clock::Monotonic, Context::Hard, |_| Restart::No));
    timer.as_ref().start_pinned(milliseconds.saturating_mul(1_000_000), Mode::Relative);
    halt_until(|| !timer.is_queued());
}

#[cfg(CONFIG_KUNIT)]
mod tests {
    use super::super::{ktime_get, sched_clock};
    use super::*;
    use crate::arch::x86::tsc::is_unstable;
    use crate::prelude::*;

    #[ktest]
    fn a_sleep_is_not_shorter_than_asked_for() {
        for milliseconds in [0, 1, 3] {
            let before = ktime_get();
            msleep(milliseconds);
            assert!((ktime_get() - before).as_ms() >= milliseconds);
        }
        let with_interrupts_off = IrqGuard::new();
        let before = sched_clock();
        msleep(2);
        let spun = sched_clock() - before;
        drop(with_interrupts_off);
        // Another clock than the one that was waited by, whose rate may be refined meanwhile. Without its counter it stands still while there are no ticks.
        assert!(spun >= 1_900_000 || is_unstable(), "{spun} ns");
    }
}

//! Comparing the counter of a CPU that comes with that of the CPU in charge, at the boot and whenever one is plugged in again.
//!
//! How is [`incipit_lib::tsc::sync`]'s. A counter that shows another time than the others is no clock for all of them: the next best clocksource takes over.

use incipit_lib::tsc::sync::{Exchange, Warp};

use super::clocksource::{is_reliable, is_unstable, mark_tsc_unstable};
use super::{rdtsc, rdtsc_ordered, tsc_khz};
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// Where each CPU that comes meets the one in charge.
#[percpu]
static MEETING: Exchange = Exchange::new();

/// For how many seconds one that has begun may keep the other waiting: the host of a virtual machine may have something else to do.
const PATIENCE_S: u64 = 5;

/// Compares with `cpu`, which has come to [`answer`] or is about to. Linux's `check_tsc_sync_source`.
pub(crate) fn check(cpu: usize) {
    let Some(meeting) = MEETING.per_cpu(cpu) else { return };
    if is_unstable() || is_reliable() {
        return meeting.skip();
    }
    let begin = rdtsc();
    let in_time = || {
        core::hint::spin_loop();
        rdtsc().wrapping_sub(begin) < tsc_khz() * 1000 * PATIENCE_S
    };
    match meeting.compare(rdtsc_ordered, in_time) {
        Ok(None) => {}
        Ok(Some(warp)) => {
            report(cpu, warp);
            mark_tsc_unstable("check_tsc_sync_source failed");
        }
        Err(_) => pr_warn!("tsc: CPU#{cpu} keeps the comparison of its counter waiting: it is not compared"),
    }
}

/// For who waits as long as it takes.
fn patient() -> bool {
    core::hint::spin_loop();
    true
}

/// The part of the CPU that comes: waits for [`check`]. Interrupts are off.
pub(crate) fn answer() {
    // Who is in charge says what comes of it.
    let _ = MEETING.with_this_cpu(|meeting| meeting.answer(rdtsc_ordered, patient));
}

/// In Linux's words.
fn report(cpu: usize, warp: Warp) {
    pr_warn!("TSC synchronization [CPU#{} -> CPU#{cpu}]:", smp_processor_id());
    pr_warn!("Measured {} cycles TSC warp between CPUs, turning off TSC clock.", warp.cycles);
    if warp.is_random {
        pr_warn!("TSC warped randomly between CPUs");
    }
}

#[cfg(CONFIG_KUNIT)]
mod tests {
    use incipit_lib::tsc::sync::Abandoned;

    use super::*;
    use crate::arch::x86::cpu::masks::ONLINE;
    use crate::smp::call_function_single_nowait;

    static TRIED: Exchange = Exchange::new();
    /// More than an exchange takes by any clock.
    const FAR: u64 = 1 << 60;

    /// Compares with what this function of another CPU answers.
    fn compared(with: &'static (dyn Fn() + Sync)) -> Option<Result<Option<Warp>, Abandoned>> {
        let other = ONLINE.iter().find(|&cpu| cpu != smp_processor_id())?;
        call_function_single_nowait(other, with).ok()?;
        Some(TRIED.compare(rdtsc_ordered, patient))
    }

    /// What the other CPU does: answers by its counter, or by one that is so far ahead.
    fn answer_by<const AHEAD: u64>() {
        let _ = TRIED.answer(|| rdtsc_ordered().wrapping_add(AHEAD), patient);
    }

    #[ktest]
    fn counters_of_two_cpus_are_compared() {
        for _ in 0..20 {
            let Some(result) = compared(&answer_by::<0>) else { return };
            assert!(is_unstable() || result == Ok(None), "{result:?}");
        }
        for warped in [compared(&answer_by::<FAR>), compared(&answer_by::<{ FAR.wrapping_neg() }>)] {
            let Some(Ok(Some(Warp { cycles, is_random: false }))) = warped else {
                panic!("{warped:?}")
            };
            assert!(cycles > FAR / 2 && cycles <= FAR, "{cycles}");
        }
    }
}

//! What a CPU does that has nothing to do: Linux's `cpu_startup_entry`.

use linkme::distributed_slice;

use super::hotplug;
use crate::arch::x86::irq::{RESCHEDULE_VECTOR, SYSVECS, SysVec};
use crate::arch::x86::process;
use crate::time::tick;
use crate::{irq, smp, softirq};

/// Makes a CPU look again at what there is to do: coming is all that it is for.
#[distributed_slice(SYSVECS)]
static RESCHEDULE: SysVec = SysVec {
    vector: RESCHEDULE_VECTOR,
    mnemonic: "RES",
    description: "Rescheduling interrupts",
    handler: |_| {},
};

/// The idle task: runs what interrupts have left behind and what others want done, and sleeps until the next one. What it finds with interrupts off it has found
/// for good: whatever comes later wakes the CPU from the sleep that begins with interrupts going on.
pub(super) fn cpu_startup_entry() -> ! {
    loop {
        #[cfg(CONFIG_LOCKUP_DETECTOR)]
        crate::watchdog::touch_softlockup_watchdog();
        irq::local_irq_disable();
        if softirq::pending() != 0 || smp::has_work() {
            tick::idle_exit();
            irq::local_irq_enable();
            softirq::run_pending();
            smp::run_work();
        } else if hotplug::is_to_stop() {
            hotplug::die();
        } else {
            tick::idle_enter();
            process::default_idle();
        }
    }
}

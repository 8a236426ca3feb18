//! The stages: the steps of `start_kernel`, walked from their table.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::info::{self, BootCpu, EntryInfo};
use super::initcall::policy;
use crate::prelude::*;
use crate::{irq, table};

/// An entry of `.stage.init`.
#[repr(C)]
pub struct StageEntry {
    run: fn(),
    info: &'static EntryInfo,
}

impl StageEntry {
    /// What the attribute makes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(run: fn(), info: &'static EntryInfo) -> Self {
        Self { run, info }
    }
}

/// Linux's `early_boot_irqs_disabled`: set while no stage may enable interrupts.
pub(super) static EARLY_BOOT_IRQS_DISABLED: AtomicBool = AtomicBool::new(false);

/// The stage that lets interrupts come has run.
static INTERRUPTS_HAVE_COME: AtomicBool = AtomicBool::new(false);

/// Interrupts stay off from here until a stage says otherwise; who turns them on before is named.
#[init]
#[stage(after(crate::arch::x86::cpu::smp_setup_processor_id))]
pub(crate) fn local_irq_disable() {
    irq::local_irq_disable();
    EARLY_BOOT_IRQS_DISABLED.store(true, Relaxed);
}

/// Interrupts come from here on.
#[init]
#[stage(
    after(crate::time::time_init, crate::softirq::softirq_init),
    before(crate::mm::page_alloc::gfp_allowed_mask),
    requires(irq::Interrupts)
)]
pub(crate) fn local_irq_enable() {
    EARLY_BOOT_IRQS_DISABLED.store(false, Relaxed);
    INTERRUPTS_HAVE_COME.store(true, Relaxed);
    irq::local_irq_enable();
}

/// Whether the boot is past the stage that lets interrupts come: who finds them off afterwards runs where somebody has turned them off.
pub(crate) fn interrupts_have_come() -> bool {
    INTERRUPTS_HAVE_COME.load(Relaxed)
}

/// Runs every stage, in the order in which the build left them.
#[init]
pub(super) fn run_all(init: InitMemory<'_>) {
    for stage in table::STAGE.iter(init) {
        let running = stage.info.begin::<BootCpu>();
        (stage.run)();
        stage.info.end::<BootCpu>(running);
        stage.info.set_ok();
        policy::settle(stage.info);
        if EARLY_BOOT_IRQS_DISABLED.load(Relaxed) && !irq::irqs_disabled() {
            pr_warn!(
                "start_kernel(): bug: interrupts were enabled *very* early, by {}, fixing it",
                stage.info
            );
            irq::local_irq_disable();
        }
    }
}

/// Notes that the last stage is done, whose place pid 1 has taken: it does not come back to the walk.
#[init]
pub(super) fn end_last() {
    if let Some(last) = info::current() {
        last.end::<BootCpu>(info::Running::outermost(last));
        last.set_ok();
        policy::settle(last);
    }
}

/// What is known of each stage, in order.
pub fn stages() -> impl Iterator<Item = &'static EntryInfo> {
    table::STAGE_INFO.iter()
}

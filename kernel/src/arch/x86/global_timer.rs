//! The machine's one timer, at line 0: what lets the boot CPU tick before its local APIC does, or for good where that cannot (Linux's `setup_default_timer_irq`).

#[cfg(CONFIG_ACPI)]
use crate::arch::x86::hpet;
use crate::arch::x86::i8253;
use crate::irq::{IrqFlagsSet, IrqGuard, IrqReturn, request_irq};
use crate::prelude::*;
#[cfg(CONFIG_ACPI)]
use crate::time::clockevents::mult;
use crate::time::clockevents::{self, ClockEventDevice};
use crate::time::{hrtimer, tick};

/// The line of the interval timer.
const TIMER_IRQ: u32 = 0;

/// Keeps quiet what firmware has left ticking: Linux's stage of the same name stands here, for it is the first to know of ticks.
#[stage(after(crate::init::stage::local_irq_disable), before(crate::arch::x86::cpu::boot_cpu_init))]
#[init]
pub fn tick_init() {
    i8253::silence();
}

/// The HPET's, whose counter's rate is known, if it can be used.
#[cfg(CONFIG_ACPI)]
#[init]
fn hpet_device() -> Option<&'static ClockEventDevice> {
    let device = &hpet::clockevent::HPET;
    hpet::clockevent::is_usable().then(|| device.mult.store(mult(hpet::hertz()), core::sync::atomic::Ordering::Relaxed))?;
    Some(device)
}

/// Only ACPI knows where it is.
#[cfg(not(CONFIG_ACPI))]
#[init]
fn hpet_device() -> Option<&'static ClockEventDevice> {
    None
}

/// Lets the boot CPU tick by the better one of the machine's timers, if it has any: part of `late_time_init`.
#[init]
pub fn setup() {
    let Some(device) = hpet_device().or_else(|| i8253::is_present().then_some(&i8253::clockevent::PIT)) else {
        return;
    };
    let flags = IrqFlagsSet::NOBALANCING | IrqFlagsSet::IRQPOLL | IrqFlagsSet::TIMER;
    let handler = &|_irq| {
        hrtimer::device_interrupt();
        IrqReturn::Handled
    };
    match request_irq(TIMER_IRQ, handler, flags, "timer") {
        Ok(action) => action.leak(),
        Err(error) => {
            pr_warn!("clockevents: {} cannot be used: its line is not to be had ({error})", device.name);
            return;
        }
    }
    let _interrupts_off = IrqGuard::new();
    if clockevents::register(device) {
        tick::start();
    }
}

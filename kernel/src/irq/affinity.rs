//! Which CPUs a line may go to, and getting lines off a CPU that stops.

use core::sync::atomic::Ordering::Relaxed;

use super::desc::{IrqDesc, desc, for_each};
use super::options;
use crate::arch::x86::cpu::masks::{CpuMask, ONLINE, POSSIBLE};
use crate::prelude::*;
use crate::time::udelay;

/// The CPUs that lines go to if nobody says otherwise: all, or those of `irqaffinity=`.
#[must_use]
pub fn default_affinity() -> CpuMask {
    let asked = options::IRQAFFINITY.load(Relaxed);
    let mask = CpuMask::new();
    POSSIBLE
        .iter()
        .filter(|&cpu| asked == 0 || asked & 1 << cpu != 0)
        .for_each(|cpu| mask.set(cpu, true));
    if mask.weight() == 0 { POSSIBLE.clone() } else { mask }
}

/// The CPUs that the line may go to.
#[must_use]
pub fn affinity(irq: u32) -> Option<CpuMask> {
    Some(desc(irq)?.lock().affinity.clone())
}

/// Sends a line to one of `cpus` from here on: Linux's `irq_set_affinity`.
///
/// # Errors
///
/// `EINVAL` for a line that there is not, and if none of the CPUs is online or can take it; `EIO` if its controller has no choice; `ENOSPC` without a vector.
pub fn set_affinity(irq: u32, cpus: &CpuMask) -> Result<(), Errno> {
    let desc = desc(irq).ok_or(Errno::EINVAL)?;
    let mut state = desc.lock();
    state.chip.set_affinity(&desc.data, cpus)?;
    state.affinity = cpus.clone();
    Ok(())
}

/// Sends all lines elsewhere that go to `cpu`, which stops: Linux's `fixup_irqs`. Called on that CPU, with interrupts off, when it is no longer in [`ONLINE`].
///
/// A line whose own CPUs are all gone goes to any. What has arrived here and not been handled is sent once more, to where the line goes now.
pub fn fixup_irqs(cpu: usize) {
    for_each(|desc| move_off(cpu, desc));
    // What was on its way arrives: as long as Linux waits for it.
    udelay(1000);
    for_each(|desc| {
        if desc.data.place.is_left_pending(cpu) {
            desc.lock().chip.retrigger(&desc.data);
        }
    });
}

fn move_off(cpu: usize, desc: &IrqDesc) {
    let mut state = desc.lock();
    if desc.data.place.cpu() != Some(cpu) {
        return;
    }
    let moved = match state.chip.set_affinity(&desc.data, &state.affinity) {
        Err(Errno::EINVAL) => {
            pr_info!("IRQ {}: no longer affine to CPU{cpu}", desc.irq());
            state.affinity = ONLINE.clone();
            state.chip.set_affinity(&desc.data, &ONLINE)
        }
        other => other,
    };
    if let Err(error) = moved {
        pr_warn!("IRQ{}: set affinity failed({}).", desc.irq(), error.code());
    }
}

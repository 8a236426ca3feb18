//! What the interrupt that is being handled has interrupted.

use core::ptr;
use core::sync::atomic::AtomicUsize;

use crate::arch::x86::ptregs::PtRegs;
use crate::prelude::*;

/// The address of the registers; 0 outside interrupts.
#[percpu]
static IRQ_REGS: AtomicUsize = AtomicUsize::new(0);

/// Lets [`get_irq_regs`] answer with `regs` for as long as `handle` runs. Interrupts are off.
#[inline]
pub(crate) fn with_irq_regs(regs: &mut PtRegs, handle: impl FnOnce(&mut PtRegs)) {
    let before = IRQ_REGS.this_cpu_read();
    IRQ_REGS.this_cpu_write(ptr::from_mut(regs).expose_provenance());
    handle(regs);
    IRQ_REGS.this_cpu_write(before);
}

/// The registers of the code that this CPU's interrupt has interrupted; nothing outside interrupts.
///
/// The answer is of use to the handler and to what it calls; it must not be kept.
#[must_use]
pub fn get_irq_regs<'a>() -> Option<&'a PtRegs> {
    let address = IRQ_REGS.this_cpu_read();
    // SAFETY: 0, or registers that the entry has saved and that stay until the handler comes back.
    unsafe { ptr::with_exposed_provenance::<PtRegs>(address).as_ref() }
}

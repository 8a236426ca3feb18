//! Interrupts of devices: lines, the controllers that they go by, and who handles them.
//!
//! A line has a number, which drivers ask for with [`request_irq`], and a descriptor, found by [`desc()`]. The descriptor knows its controller, an [`IrqChip`], and how a line of its
//! kind is to be treated while it is handled ([`Flow`]). How an interrupt finds the descriptor is the architecture's affair, and it calls [`handle_irq`] then.
//!
//! [`flags`] holds whether interrupts may come to this CPU at all; everything here may be asked for with them on or off, but from no non-maskable interrupt.

mod action;
mod affinity;
mod chip;
mod desc;
#[cfg(CONFIG_KUNIT)]
mod device_tests;
pub mod flags;
mod flow;
#[cfg(CONFIG_IRQSOFF_TRACER)]
pub mod irqsoff;
mod manage;
mod options;
mod poll;
mod proc;
mod regs;
mod spurious;
#[cfg(CONFIG_KUNIT)]
pub(crate) mod test_port;
#[cfg(CONFIG_KUNIT)]
mod tests;

pub use action::{IrqFlagsSet, IrqHandler, IrqReturn};
pub use affinity::{affinity, default_affinity, fixup_irqs, set_affinity};
pub use chip::{IrqChip, IrqData, Trigger};
pub use desc::{IrqDesc, NR_IRQS, NR_IRQS_LEGACY, desc, early_irq_init, ensure, for_each};
pub use flags::{
    IrqFlags, IrqGuard, irqs_disabled, local_irq_disable, local_irq_enable, local_irq_restore, local_irq_save, local_save_flags,
};
pub(crate) use flags::{interrupt_began, interrupt_ends};
pub use flow::{Flow, handle_irq};
pub use manage::{IrqAction, disable_irq, disable_irq_nosync, enable_irq, request_irq, synchronize_irq};
pub use proc::interrupts;
pub use regs::get_irq_regs;
pub(crate) use regs::with_irq_regs;

pub use crate::arch::x86::irq::Interrupts;

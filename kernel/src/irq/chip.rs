//! Interrupt controllers: what each can do with one of its lines.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::Flow;
use crate::arch::x86::cpu::masks::CpuMask;
use crate::arch::x86::irq::vector::Place;
use crate::prelude::*;

/// What a line signals by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Trigger {
    EdgeRising,
    EdgeFalling,
    LevelHigh,
    LevelLow,
}

impl Trigger {
    /// Whether the line signals for as long as its device wants something, not once.
    #[must_use]
    pub const fn is_level(self) -> bool {
        matches!(self, Trigger::LevelHigh | Trigger::LevelLow)
    }

    /// Whether it signals by being low, or by falling.
    #[must_use]
    pub const fn is_low(self) -> bool {
        matches!(self, Trigger::EdgeFalling | Trigger::LevelLow)
    }
}

/// A line, as its controller sees it. Changed under the descriptor's lock only.
pub struct IrqData {
    irq: u32,
    /// The input of the controller.
    hwirq: AtomicU32,
    /// Which of several controllers of a kind.
    unit: AtomicU32,
    /// To which CPU and vector it is sent, and where it was sent before.
    pub(crate) place: Place,
}

impl IrqData {
    pub(crate) const fn new(irq: u32) -> Self {
        IrqData {
            irq,
            hwirq: AtomicU32::new(irq),
            unit: AtomicU32::new(0),
            place: Place::new(),
        }
    }

    /// The line's number.
    #[inline]
    #[must_use]
    pub fn irq(&self) -> u32 {
        self.irq
    }

    /// The number of the input that it goes to, at its controller.
    #[inline]
    #[must_use]
    pub fn hwirq(&self) -> u32 {
        self.hwirq.load(Relaxed)
    }

    /// The number of its controller, among those of the same kind.
    #[inline]
    #[must_use]
    pub fn unit(&self) -> u32 {
        self.unit.load(Relaxed)
    }

    pub(super) fn set_input(&self, unit: u32, hwirq: u32) {
        self.unit.store(unit, Relaxed);
        self.hwirq.store(hwirq, Relaxed);
    }
}

/// What a kind of controller does. Called with interrupts off and the line's descriptor locked, so for one line by one CPU at a time.
pub trait IrqChip: Sync {
    /// What `/proc/interrupts` calls it.
    fn name(&self) -> &'static str;

    /// Keeps the line from interrupting.
    fn mask(&self, data: &IrqData);

    /// Lets the line interrupt.
    fn unmask(&self, data: &IrqData);

    /// Says that the interrupt has been seen, so that the next one of the line is noticed.
    fn ack(&self, _: &IrqData) {}

    /// [`mask`](Self::mask) and [`ack`](Self::ack).
    fn mask_ack(&self, data: &IrqData) {
        self.mask(data);
        self.ack(data);
    }

    /// Says that the interrupt has been handled.
    fn eoi(&self, _: &IrqData) {}

    /// Lets a line interrupt that somebody wants to handle.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there is no vector for it.
    fn startup(&self, data: &IrqData) -> Result<(), Errno> {
        self.unmask(data);
        Ok(())
    }

    /// Keeps a line from interrupting that nobody wants to handle any more.
    fn shutdown(&self, data: &IrqData) {
        self.mask(data);
    }

    /// Sets what the line signals by, and says how it is to be treated then.
    ///
    /// # Errors
    ///
    /// `ENOSYS` if the controller has no choice: the line stays as it is.
    fn set_type(&self, _: &IrqData, _: Trigger) -> Result<Flow, Errno> {
        Err(Errno::ENOSYS)
    }

    /// Sends the line to one of `cpus`.
    ///
    /// # Errors
    ///
    /// `EIO` if the controller has no choice, `EINVAL` if none of them can take it, `ENOSPC` if none has a vector.
    fn set_affinity(&self, _: &IrqData, _: &CpuMask) -> Result<(), Errno> {
        Err(Errno::EIO)
    }

    /// Lets the line interrupt once more, for an interrupt that came while it was disabled. `false` if the controller has kept that one itself.
    fn retrigger(&self, _: &IrqData) -> bool {
        false
    }
}

/// The controller of lines that have none.
pub(super) struct NoChip;

impl IrqChip for NoChip {
    fn name(&self) -> &'static str {
        "none"
    }

    fn mask(&self, _: &IrqData) {}

    fn unmask(&self, _: &IrqData) {}
}

//! What a CPU has at hand of a zone.

use core::ops::{Deref, DerefMut};

use incipit_lib::pcp::PerCpuPages;

use super::Zone;
use crate::irq::IrqGuard;
use crate::mm::page::Page;

/// The pages of a zone that a CPU has at hand.
#[repr(align(64))]
pub struct Pageset {
    pages: spin::Mutex<PerCpuPages>,
    zone: &'static Zone,
    /// [`Page::plain_word`] of the pages.
    plain_word: u64,
}

/// The right to change what is at hand, with interrupts off.
pub(in crate::mm) struct AtHand<'a> {
    // Dropped in this order: an interrupt between the two would wait for a lock that its own CPU holds.
    pages: spin::MutexGuard<'a, PerCpuPages>,
    _interrupts_off: IrqGuard,
}

impl Pageset {
    pub(in crate::mm) const fn new(zone: &'static Zone) -> Pageset {
        Pageset {
            pages: spin::Mutex::new(PerCpuPages::new()),
            zone,
            plain_word: Page::plain_word(zone.kind, zone.node),
        }
    }

    /// Waits for the lock, which another CPU has only while it takes everything back. It is held for so short that nobody need be told not to sleep, so the preemption count
    /// stays as it is.
    #[inline]
    pub(in crate::mm) fn lock(&self) -> AtHand<'_> {
        let interrupts_off = IrqGuard::new();
        AtHand {
            pages: self.pages.lock(),
            _interrupts_off: interrupts_off,
        }
    }

    /// [`Page::plain_word`] of the pages.
    #[inline]
    pub(in crate::mm) fn plain_word(&self) -> u64 {
        self.plain_word
    }

    /// The zone that the pages are of.
    #[inline]
    pub(in crate::mm) fn zone(&self) -> &'static Zone {
        self.zone
    }
}

impl Deref for AtHand<'_> {
    type Target = PerCpuPages;

    #[inline]
    fn deref(&self) -> &PerCpuPages {
        &self.pages
    }
}

impl DerefMut for AtHand<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut PerCpuPages {
        &mut self.pages
    }
}

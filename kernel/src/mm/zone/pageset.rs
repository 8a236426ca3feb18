//! What a CPU has at hand of a zone.

use incipit_lib::pcp::PerCpuPages;

use super::Zone;
use crate::locking::{IrqSpinLock, IrqSpinLockGuard};
use crate::mm::page::Page;

/// The pages of a zone that a CPU has at hand.
#[repr(align(64))]
pub struct Pageset {
    pages: IrqSpinLock<PerCpuPages>,
    zone: &'static Zone,
    /// [`Page::plain_word`] of the pages.
    plain_word: u64,
}

impl Pageset {
    pub(in crate::mm) const fn new(zone: &'static Zone) -> Pageset {
        Pageset {
            pages: IrqSpinLock::new(PerCpuPages::new()),
            zone,
            plain_word: Page::plain_word(zone.kind, zone.node),
        }
    }

    /// Waits for the lock, which another CPU has only while it takes everything back.
    #[inline]
    pub(in crate::mm) fn lock(&self) -> IrqSpinLockGuard<'_, PerCpuPages> {
        self.pages.lock()
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

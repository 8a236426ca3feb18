//! Making the processor forget what it has cached of page tables (SDM 3, 4.10.4).

use core::arch::asm;

use crate::arch::x86::registers::{self, Cr4};

/// Forgets the page at `address`, global or not, on this CPU.
#[inline]
pub fn flush_one(address: usize) {
    // SAFETY: drops a cached translation, which is read again when it is needed. Memory is clobbered so that accesses stay on their side.
    unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) };
}

/// Forgets everything, global pages too, on this CPU: Linux's `__flush_tlb_all`.
pub fn flush_all() {
    let cr4 = registers::cr4();
    let without_global = cr4 & !Cr4::PGE.bits();
    // SAFETY: the feature is switched off and back to what it was; each change drops all translations.
    unsafe {
        registers::write_cr4(without_global);
        registers::write_cr4(cr4);
        if cr4 == without_global {
            registers::write_cr3(registers::cr3());
        }
    }
}

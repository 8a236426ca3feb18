//! Making the processor forget what it has cached of page tables (SDM 3, 4.10.4).

use core::arch::asm;
use core::ops::Range;

use crate::arch::x86::cpu::masks::ONLINE;
use crate::arch::x86::registers::{self, Cr4};
use crate::mm::PAGE_SIZE;
use crate::smp;

/// Up to how many pages are forgotten one by one: Linux's `tlb_single_page_flush_ceiling`.
const SINGLE_PAGE_FLUSH_CEILING: usize = 33;

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

/// Forgets the pages in `range`, global or not, on this CPU.
pub fn flush_range(range: Range<usize>) {
    if range.len() / PAGE_SIZE > SINGLE_PAGE_FLUSH_CEILING {
        flush_all();
    } else {
        range.step_by(PAGE_SIZE).for_each(flush_one);
    }
}

/// Forgets everything on each CPU that is online, before this returns. The caller has interrupts on once there are several, as for a function call.
pub fn flush_all_cpus() {
    everywhere(&flush_all);
}

/// Forgets the pages in `range`, mapped to the kernel, on each CPU that is online: Linux's `flush_tlb_kernel_range`. As for [`flush_all_cpus`].
pub fn flush_kernel_range(range: Range<usize>) {
    everywhere(&|| flush_range(range.clone()));
}

/// The boot with one CPU takes no notice of others.
#[inline]
fn everywhere(flush: &(dyn Fn() + Sync)) {
    if ONLINE.weight() <= 1 {
        flush();
    } else {
        smp::on_each_cpu(flush);
    }
}

//! The registers of the other CPUs: the same as the boot CPU's, or made so before anything is done with memory there.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use incipit_lib::mtrr::{DEF_TYPE_BITS, Differences, Mtrrs};
use spin::Once;

use super::{FIXED_RANGES, IA32_MTRR_DEF_TYPE, IA32_MTRR_PHYSBASE0, read};
use crate::arch::x86::msr::{wrmsr, wrmsr_safe};
use crate::arch::x86::registers::{self, Cr0, Cr4};
use crate::prelude::*;

/// The boot CPU's registers.
static BOOT: Once<Option<Mtrrs>> = Once::new();
/// In what other CPUs were found to differ.
static FOUND: AtomicU8 = AtomicU8::new(0);
/// One of them could not be made the same.
static STAYS: AtomicBool = AtomicBool::new(false);

/// Notes the boot CPU's registers, before another CPU comes. Nobody changes them later.
pub(crate) fn note_boot_mtrrs() {
    BOOT.call_once(read);
}

/// Makes the registers of this CPU, which has just begun, the same as the boot CPU's. Interrupts are off. Linux's `mtrr_ap_init`.
pub(crate) fn mtrr_ap_init() {
    let (Some(Some(boot)), Some(this)) = (BOOT.get(), read()) else {
        return;
    };
    let differences = boot.differences(&this);
    if differences.is_empty() {
        return;
    }
    FOUND.fetch_or(differences.bits(), Relaxed);
    set(boot);
    if read().is_none_or(|this| !boot.differences(&this).is_empty()) {
        STAYS.store(true, Relaxed);
    }
}

/// Says what was found, for the first CPUs that differ: Linux's `mtrr_state_warn`. For the CPU in charge, when they are there.
pub(crate) fn mtrr_state_warn() {
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    let found = Differences::from_bits_truncate(FOUND.swap(0, Relaxed));
    if found.is_empty() || IS_SAID.swap(true, Relaxed) {
        return;
    }
    found.lines().for_each(|line| pr_warn!("mtrr: {line}"));
    pr_warn!("mtrr: probably your BIOS does not setup all CPUs.");
    if STAYS.load(Relaxed) {
        pr_err!("mtrr: a CPU does not take the settings of the boot CPU");
    } else {
        pr_info!("mtrr: corrected configuration.");
    }
}

/// Writes all registers, by the steps of the manual (SDM 3, 12.11.8): nothing may be cached by the old types, nor by a mixture.
fn set(mtrrs: &Mtrrs) {
    let (cr0, cr4) = (registers::cr0(), registers::cr4());
    // SAFETY: caching alone changes, and comes back below; the pages of this CPU's translations stay where they are. The values of the registers are those that another CPU works with.
    unsafe {
        registers::write_cr0(cr0 & !Cr0::NW.bits() | Cr0::CD.bits());
        write_back_and_forget(cr4);
        wrmsr(IA32_MTRR_DEF_TYPE, mtrrs.def_type & !DEF_TYPE_BITS);
        write_ranges(mtrrs);
        wrmsr(IA32_MTRR_DEF_TYPE, mtrrs.def_type);
        write_back_and_forget(cr4);
        registers::write_cr0(cr0);
        registers::write_cr4(cr4);
    }
}

/// # Safety
///
/// The registers do not count now, and the values are those of another CPU.
unsafe fn write_ranges(mtrrs: &Mtrrs) {
    // One that this CPU does not take is found when they are compared again.
    let write = |register, value| {
        // SAFETY: vouched for.
        let _ = unsafe { wrmsr_safe(register, value) };
    };
    if mtrrs.cap & 1 << 8 != 0 {
        let (values, _) = mtrrs.fixed.as_chunks::<8>();
        for (types, register) in values.iter().zip(FIXED_RANGES) {
            write(register, u64::from_le_bytes(types.map(|kind| kind.0)));
        }
    }
    for (range, register) in mtrrs.ranges().iter().zip((IA32_MTRR_PHYSBASE0..).step_by(2)) {
        write(register, range.base);
        write(register + 1, range.mask);
    }
}

/// Empties the caches and drops all translations. `cr4` is what the register holds apart from global pages, which are off afterwards.
///
/// # Safety
///
/// Global pages can be switched on and off.
unsafe fn write_back_and_forget(cr4: u64) {
    // SAFETY: vouched for; the page tables stay, and what is in the caches is in memory afterwards.
    unsafe {
        asm!("wbinvd", options(nostack, preserves_flags));
        registers::write_cr4(cr4 & !Cr4::PGE.bits());
        registers::write_cr3(registers::cr3());
    }
}

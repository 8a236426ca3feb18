//! Model-specific registers.
//!
//! The `_safe` pair survives a register that the processor does not have; the plain pair is for registers that every x86-64 processor has.

use core::arch::asm;

use crate::prelude::*;

/// The time-stamp counter (SDM 3, 18.17), on processors that let it be written.
pub const IA32_TSC: u32 = 0x10;
/// Base address of the local APIC, and whether this is the boot CPU (SDM 3, 11.4.4).
pub const IA32_APIC_BASE: u32 = 0x1b;
/// Extended features: long mode, no-execute, `syscall` (SDM 3, 2.2.1).
pub const IA32_EFER: u32 = 0xc000_0080;
/// The base of FS.
pub const IA32_FS_BASE: u32 = 0xc000_0100;
/// The base of GS: the kernel's per-CPU data.
pub const IA32_GS_BASE: u32 = 0xc000_0101;
/// What `swapgs` exchanges the base of GS with.
pub const IA32_KERNEL_GS_BASE: u32 = 0xc000_0102;

/// No-execute is honoured in page tables ([`IA32_EFER`]).
pub const EFER_NXE: u64 = 1 << 11;

/// Reads a register that this processor is known to have. Reading one that it has not is an oops.
#[inline]
#[must_use]
pub fn rdmsr(msr: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading a register of this kind changes nothing.
    unsafe { asm!("rdmsr", in("ecx") msr, lateout("eax") low, lateout("edx") high, options(nomem, nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Writes a register that this processor is known to have.
///
/// # Safety
///
/// What the register controls must allow the value.
#[inline]
pub unsafe fn wrmsr(msr: u32, value: u64) {
    // SAFETY: the caller vouches for the value. Memory is clobbered because some registers decide what memory accesses do.
    unsafe { asm!("wrmsr", in("ecx") msr, in("eax") value as u32, in("edx") (value >> 32) as u32, options(nostack, preserves_flags)) };
}

/// Reads a register that the processor may not have.
///
/// # Errors
///
/// `EIO` if it has not, as Linux's `rdmsr_safe`.
#[exception_entry]
pub fn rdmsr_safe(msr: u32) -> Result<u64, Errno> {
    let (low, high): (u32, u32);
    let error: i32;
    // SAFETY: reading a register of this kind changes nothing, and a fault ends behind the instruction.
    unsafe {
        asm!(
            may_fault!("rdmsr", error = EIO),
            in("ecx") msr,
            lateout("eax") low,
            lateout("edx") high,
            error = out("r8d") error,
            options(nomem, nostack),
        );
    }
    if error == 0 {
        Ok(u64::from(high) << 32 | u64::from(low))
    } else {
        Err(Errno::EIO)
    }
}

/// Writes a register that the processor may not have, or a value that it may not take.
///
/// # Errors
///
/// `EIO` if it has not or does not, as Linux's `wrmsr_safe`.
///
/// # Safety
///
/// What the register controls must allow the value, if the processor takes it.
#[exception_entry]
pub unsafe fn wrmsr_safe(msr: u32, value: u64) -> Result<(), Errno> {
    let error: i32;
    // SAFETY: the caller vouches for the value, and a fault ends behind the instruction with nothing written.
    unsafe {
        asm!(
            may_fault!("wrmsr", error = EIO),
            in("ecx") msr,
            in("eax") value as u32,
            in("edx") (value >> 32) as u32,
            error = out("r8d") error,
            options(nostack),
        );
    }
    if error == 0 { Ok(()) } else { Err(Errno::EIO) }
}

#[ktest]
fn a_register_that_does_not_exist_is_no_oops() {
    // Reserved for hypervisors, and no hypervisor gives this one a meaning. Some emulators do not fault on registers that they do not know, but read 0.
    const NO_SUCH_MSR: u32 = 0x4000_ffff;
    assert!(matches!(rdmsr_safe(NO_SUCH_MSR), Err(Errno::EIO) | Ok(0)));
}

#[ktest]
fn both_ways_of_reading_a_register_agree() {
    assert_eq!(rdmsr_safe(IA32_EFER), Ok(rdmsr(IA32_EFER)));
    assert_ne!(rdmsr(IA32_EFER) & EFER_NXE, 0);
}

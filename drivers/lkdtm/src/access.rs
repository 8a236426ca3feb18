//! Accesses to any address, each one instruction of the function that wants it, so that a report names that function.
//!
//! Rust's own pointers must be good, even for volatile accesses, and debug builds check some of that; these need not be.

use core::arch::asm;

/// Reads eight bytes.
///
/// # Safety
///
/// The access must fault, or reading there must have no effect.
#[inline(always)]
pub unsafe fn read(address: usize) -> u64 {
    let value;
    // SAFETY: the caller vouches for the address.
    unsafe {
        asm!("mov {value}, qword ptr [{address}]", address = in(reg) address, value = lateout(reg) value, options(nostack, preserves_flags, readonly))
    };
    value
}

/// Writes eight bytes.
///
/// # Safety
///
/// The access must fault, or nothing may rely on what was there.
#[inline(always)]
pub unsafe fn write(address: usize, value: u64) {
    // SAFETY: the caller vouches for the address.
    unsafe {
        asm!("mov qword ptr [{address}], {value}", address = in(reg) address, value = in(reg) value, options(nostack, preserves_flags))
    };
}

/// Calls what is there.
///
/// # Safety
///
/// The call must fault, or a function of the C calling convention without arguments must be there.
#[inline(always)]
pub unsafe fn call(address: usize) {
    // SAFETY: the caller vouches for the address; the call leaves what a C function must leave.
    unsafe { asm!("call {address}", address = in(reg) address, clobber_abi("C")) };
}

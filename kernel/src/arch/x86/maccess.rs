//! Reading and writing kernel addresses that may not be there: Linux's `mm/maccess.c`.
//!
//! For code that follows pointers which it cannot trust: backtraces, register dumps, the monitor. A bad address gives an error instead of an oops. Works from
//! the first instruction of Rust on, in any context, and takes no lock.

use core::arch::asm;

use crate::prelude::*;

/// The first address behind the user half.
const USER_END: usize = 0x0000_8000_0000_0000;

/// An access that stopped at an address which cannot be accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialCopy {
    /// `EFAULT` if the access faulted, `ERANGE` if the address is not the kernel's.
    pub error: Errno,
    /// How many bytes were copied before; exact, and the rest is untouched.
    pub copied: usize,
}

impl From<PartialCopy> for Errno {
    fn from(partial: PartialCopy) -> Errno {
        partial.error
    }
}

/// Copies from `source` into the whole of `destination`.
///
/// # Errors
///
/// `ERANGE` for an address in the user half, `EFAULT` if one of the bytes cannot be read: those before it are in place.
#[allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "an address that cannot be read is an error, and bytes are all that is made of the others"
)]
pub fn copy_from_kernel_nofault(destination: &mut [u8], source: *const u8) -> Result<(), PartialCopy> {
    check_range(source.addr())?;
    // SAFETY: the destination is a slice; the source may be anything, which is what the function is for.
    finish(
        unsafe { copy_nofault(destination.as_mut_ptr(), source, destination.len()) },
        destination.len(),
    )
}

/// Copies the whole of `source` to `destination`.
///
/// # Errors
///
/// `ERANGE` for an address in the user half, `EFAULT` if one of the bytes cannot be written: those before it are.
///
/// # Safety
///
/// Where the destination can be written, nothing may rely on what it held.
pub unsafe fn copy_to_kernel_nofault(destination: *mut u8, source: &[u8]) -> Result<(), PartialCopy> {
    check_range(destination.addr())?;
    // SAFETY: the source is a slice; the caller vouches for the destination.
    finish(unsafe { copy_nofault(destination, source.as_ptr(), source.len()) }, source.len())
}

/// Reads one integer, in one access.
///
/// # Errors
///
/// `ERANGE` for an address in the user half, `EFAULT` if it cannot be read.
#[inline]
pub fn get_kernel_nofault<T: NofaultInteger>(source: *const T) -> Result<T, Errno> {
    check_range(source.addr())?;
    T::read_nofault(source)
}

fn check_range(address: usize) -> Result<(), PartialCopy> {
    if address < USER_END {
        Err(PartialCopy {
            error: Errno::ERANGE,
            copied: 0,
        })
    } else {
        Ok(())
    }
}

fn finish(remaining: usize, length: usize) -> Result<(), PartialCopy> {
    if remaining == 0 {
        Ok(())
    } else {
        Err(PartialCopy {
            error: Errno::EFAULT,
            copied: length - remaining,
        })
    }
}

/// Copies words, then bytes, and returns how many bytes were not copied. A fault among the words is tried again byte by byte, so that the count is exact.
///
/// # Safety
///
/// What can be accessed of source and destination may be read and overwritten.
unsafe fn copy_nofault(destination: *mut u8, source: *const u8, length: usize) -> usize {
    let words = length / 8;
    // SAFETY: as for the caller; the second copy continues where the first stopped.
    unsafe {
        let copied = (words - copy_words(destination, source, words)) * 8;
        copy_bytes(destination.wrapping_add(copied), source.wrapping_add(copied), length - copied)
    }
}

macro_rules! string_copy {
    ($(#[$doc:meta])* $name:ident $instruction:literal) => {
        $(#[$doc])*
        ///
        /// # Safety
        ///
        /// What can be accessed of source and destination may be read and overwritten.
        #[exception_entry]
        unsafe fn $name(destination: *mut u8, source: *const u8, count: usize) -> usize {
            let remaining: usize;
            // SAFETY: the caller vouches for the memory; a fault leaves the count of what remains and ends behind the instruction.
            unsafe {
                asm!(
                    may_fault!($instruction),
                    inout("rcx") count => remaining,
                    inout("rdi") destination => _,
                    inout("rsi") source => _,
                    error = out("r8d") _,
                    options(nostack),
                );
            }
            remaining
        }
    };
}

string_copy! {
    /// Copies 64-bit words and returns how many were not copied.
    copy_words "rep movsq"
}
string_copy! {
    /// Copies bytes and returns how many were not copied.
    copy_bytes "rep movsb"
}

/// An integer that [`get_kernel_nofault`] reads.
pub trait NofaultInteger: Copy + private::Sealed {
    /// Reads the integer at `source`, which need not be aligned.
    ///
    /// # Errors
    ///
    /// `EFAULT` if it cannot be read.
    fn read_nofault(source: *const Self) -> Result<Self, Errno>;
}

mod private {
    pub trait Sealed {}
}

macro_rules! nofault_integer {
    ($($integer:ident $name:ident $instruction:literal;)*) => {$(
        impl private::Sealed for $integer {}

        impl NofaultInteger for $integer {
            #[inline]
            fn read_nofault(source: *const $integer) -> Result<$integer, Errno> {
                $name(source)
            }
        }

        #[exception_entry]
        #[inline]
        fn $name(source: *const $integer) -> Result<$integer, Errno> {
            let value: u64;
            let error: i32;
            // SAFETY: reads one integer of kernel memory, or faults and ends behind the instruction.
            unsafe {
                asm!(
                    may_fault!($instruction),
                    in("rsi") source,
                    out("rax") value,
                    error = out("r8d") error,
                    options(nostack, readonly),
                );
            }
            if error == 0 { Ok(value as $integer) } else { Err(Errno::EFAULT) }
        }
    )*};
}

nofault_integer! {
    u8 read_u8 "movzx eax, byte ptr [rsi]";
    u16 read_u16 "movzx eax, word ptr [rsi]";
    u32 read_u32 "mov eax, dword ptr [rsi]";
    u64 read_u64 "mov rax, qword ptr [rsi]";
}

mod tests;

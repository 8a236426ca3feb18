//! A subsystem in a crate of its own: `make run SUBSYS=examples/hello APPEND=hello.count=3`.
#![no_std]

use core::arch::asm;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit::prelude::*;

/// How often to say hello.
#[param(perm = 0o444)]
static COUNT: AtomicU32 = AtomicU32::new(1);

#[init]
#[initcall(device)]
fn hello_init() -> Result<(), Errno> {
    for number in 1..=COUNT.load(Relaxed) {
        pr_info!("hello: number {number}, from a crate that nothing in the kernel names");
    }
    Ok(())
}

/// The byte at `address`; an error if nothing is there.
#[exception_entry]
fn peek(address: *const u8) -> Result<u8, Errno> {
    let (byte, error): (u8, i32);
    // SAFETY: the access only reads; one that faults ends in `error`.
    unsafe { asm!(may_fault!("mov {byte}, [{address}]"), address = in(reg) address, byte = out(reg_byte) byte, error = out("r8d") error) };
    if error == 0 { Ok(byte) } else { Err(Errno::EFAULT) }
}

#[ktest]
fn a_byte_is_read_and_the_end_of_memory_is_an_error() {
    assert_eq!(peek(&42), Ok(42));
    assert_eq!(peek(ptr::without_provenance(usize::MAX)), Err(Errno::EFAULT));
}

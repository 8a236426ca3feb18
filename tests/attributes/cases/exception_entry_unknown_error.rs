//! An access whose error no error number has.

use std::arch::asm;

use incipit::prelude::*;

#[exception_entry]
fn unknown_error() {
    let error: i32;
    unsafe { asm!(may_fault!("nop", error = ENOTHING), error = out("r8d") error) } //~ ERROR named `ENOTHING`
    let _ = error;
}

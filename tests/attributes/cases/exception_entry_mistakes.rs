//! Guarded accesses: an `asm!` with a line that may fault and an operand that tells the outcome.

use std::arch::asm;

use incipit::prelude::*;

#[exception_entry]
fn without_access() {} //~ ERROR no access to guard: an `asm!` in the body must have a line `may_fault!("…")` and the operand `error = out("…") variable`

#[exception_entry]
fn without_outcome() {
    unsafe { asm!(may_fault!("nop")) } //~ ERROR an access without an outcome: add the operand `error = out("r8d") variable`
}

#[exception_entry]
fn outcome_alone() {
    let error: i32;
    unsafe { asm!("nop", error = out("r8d") error) } //~ ERROR `error` without an access: mark the line that may fault with `may_fault!("…")`
}

#[exception_entry]
fn stack_pointer() {
    let error: i32;
    unsafe { asm!(may_fault!("nop"), error = out("rsp") error) } //~ ERROR `rsp` cannot hold the outcome: name a general register
}

#[exception_entry]
fn no_register() {
    let error: i32;
    unsafe { asm!(may_fault!("nop"), error = out("xmm0") error) } //~ ERROR `xmm0` cannot hold the outcome: name a general register
}

#[exception_entry]
fn any_register() {
    let error: i32;
    unsafe { asm!(may_fault!("nop"), error = out(reg) error) } //~ ERROR the outcome needs a register of its own: `error = out("r8d") variable`
}

#[exception_entry]
fn late_outcome() {
    let error: i32;
    unsafe { asm!(may_fault!("nop"), error = lateout("r8d") error) } //~ ERROR the outcome must be `out("…")`: with `lateout` its register could be one of the operands'
}

#[exception_entry]
fn unknown_word() {
    let error: i32;
    unsafe { asm!(may_fault!("nop", errno = EIO), error = out("r8d") error) } //~ ERROR unknown argument `errno`: `error = ERRNO` is what can stand here
}

#[exception_entry(eax)] //~ ERROR `#[exception_entry]` takes no arguments
fn with_argument() {}

#[exception_entry]
fn generic<T>() {} //~ ERROR a generic function has its access once for each type

#[exception_entry]
static DATA: u32 = 0; //~ ERROR `#[exception_entry]` stands on a function with an `asm!` that has an access

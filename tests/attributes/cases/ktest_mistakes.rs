//! Tests in the kernel: `fn()`, without anything.

use incipit::prelude::*;

#[ktest]
fn with_argument(_number: u32) {} //~ ERROR takes one argument where no argument is right, and `InitMemory<'_>` may follow: `#[ktest]` stands on a `fn()`

#[ktest]
fn with_result() -> Result<(), Errno> { //~ ERROR returns a value that nobody reads: `#[ktest]` stands on a `fn()`
    Ok(())
}

#[ktest(slow)] //~ ERROR `#[ktest]` takes no arguments
fn with_word() {}

#[ktest]
fn generic<T>() {} //~ ERROR a generic function has no single address

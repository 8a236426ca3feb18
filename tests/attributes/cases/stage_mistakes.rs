//! Stages: `fn()`, and no argument but `after(…)`.

use incipit::prelude::*;

#[stage]
fn with_argument(_number: u32) {} //~ ERROR takes one argument where no argument is right, and `InitMemory<'_>` may follow: `#[stage]` stands on a `fn()`

#[stage]
fn with_result() -> Result<(), Errno> { //~ ERROR returns a value that nobody reads: `#[stage]` stands on a `fn()`
    Ok(())
}

#[stage]
fn generic<T>() {} //~ ERROR a generic function has no single address

#[stage(before(other))] //~ ERROR other
fn unknown() {}

#[stage(late)] //~ ERROR unknown argument `late`
fn level() {}

#[stage]
struct NotAFunction; //~ ERROR not a function: `#[stage]` stands on a `fn()`

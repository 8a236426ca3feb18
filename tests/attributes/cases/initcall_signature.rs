//! A function that cannot be called through the table of initcalls, as far as its tokens show.

use incipit::prelude::*;

#[initcall(device)]
fn generic<T>() -> Result<(), Errno> { //~ ERROR a generic function has no single address: `#[initcall]` stands on a `fn() -> Result<(), Errno>`
    Ok(())
}

#[initcall(device)]
fn constant<const N: usize>() -> Result<(), Errno> { //~ ERROR a generic function has no single address
    Ok(())
}

#[initcall(device)]
async fn later() -> Result<(), Errno> { //~ ERROR an async function does not run when it is called
    Ok(())
}

#[initcall(device)]
unsafe fn conditional() -> Result<(), Errno> { //~ ERROR nobody stands by the conditions of an unsafe function here
    Ok(())
}

#[initcall(device)]
extern "C" fn foreign() -> Result<(), Errno> { //~ ERROR the function is called as a Rust function
    Ok(())
}

#[initcall(device)]
fn with_argument(_number: u32) -> Result<(), Errno> { //~ ERROR takes one argument where no argument is right, and `InitMemory<'_>` may follow: `#[initcall]` stands on a `fn() -> Result<(), Errno>`
    Ok(())
}

#[initcall(device)]
fn without_result() {} //~ ERROR returns nothing: `#[initcall]` stands on a `fn() -> Result<(), Errno>`

#[initcall(device)]
static NOT_A_FUNCTION: u32 = 0; //~ ERROR not a function: `#[initcall]` stands on a `fn() -> Result<(), Errno>`

struct Device;

impl Device {
    #[initcall(device)]
    fn method(&self) -> Result<(), Errno> { //~ ERROR a method has no value to be called on
        Ok(())
    }
}

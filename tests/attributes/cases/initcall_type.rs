//! A function that returns something else than an initcall does.

use incipit::prelude::*;

#[initcall(device)]
fn number() -> i32 { //~ ERROR mismatched types
    0
}

#[initcall(device)]
fn text_error() -> Result<(), &'static str> { //~ ERROR mismatched types
    Ok(())
}

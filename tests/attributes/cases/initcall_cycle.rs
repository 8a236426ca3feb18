//! Initcalls that come after each other.

use incipit::prelude::*;

#[initcall(device, after(second))] //~ ERROR cycle detected
fn first() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, after(third))]
fn second() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, after(first))]
fn third() -> Result<(), Errno> {
    Ok(())
}

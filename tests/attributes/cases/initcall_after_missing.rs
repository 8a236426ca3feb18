//! An initcall after a function that is not there, or that is no initcall.

use incipit::prelude::*;

#[initcall(device, after(missing))] //~ ERROR missing
fn after_missing() -> Result<(), Errno> {
    Ok(())
}

fn plain() {}

#[initcall(device, after(plain))] //~ ERROR plain
fn after_plain() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, after(incipit::init::nothing))] //~ ERROR nothing
fn after_missing_elsewhere() -> Result<(), Errno> {
    Ok(())
}

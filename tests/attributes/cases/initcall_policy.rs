//! Error policies that there are not.

use incipit::prelude::*;

#[initcall(device, on_error(retry))] //~ ERROR unknown policy `retry`: must be one of ignore, warn, skip_dependents, panic
fn unknown() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, on_error(warn, panic))] //~ ERROR `on_error(…)` takes one policy
fn two() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, on_error(warn), on_error(warn))] //~ ERROR `on_error` stands twice
fn twice() -> Result<(), Errno> {
    Ok(())
}

#[stage(on_error(panic))] //~ ERROR unknown argument `on_error`
fn stage() {}

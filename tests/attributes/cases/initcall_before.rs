//! `before(…)`: functions that are not there, and cycles.

use incipit::prelude::*;

#[initcall(device, before(missing))] //~ ERROR missing
fn before_missing() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, before(two))] //~ ERROR cycle detected
fn one() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, before(one))]
fn two() -> Result<(), Errno> {
    Ok(())
}

//! A function that comes before another, and after it by a longer way.

use incipit::prelude::*;

#[initcall(device)]
fn first() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, after(first))]
fn second() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, after(second), before(first))] //~ ERROR a cycle: `before(…)` names a function that `after(…)` puts first
fn third() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, before(fifth), after(first))]
fn fourth() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, after(fourth))]
fn fifth() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, after(first), before(first))] //~ ERROR stands in `after(…)` and in `before(…)`: it can be one of the two
fn both() -> Result<(), Errno> {
    Ok(())
}

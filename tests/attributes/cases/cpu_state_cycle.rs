//! States that come after each other.

use incipit::prelude::*;

#[cpu_state(online, after(second))] //~ ERROR cycle detected
fn first(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

#[cpu_state(online, after(first))]
fn second(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

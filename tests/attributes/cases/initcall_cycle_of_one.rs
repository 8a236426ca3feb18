//! An initcall after itself.

use incipit::prelude::*;

#[initcall(device, after(alone))] //~ ERROR cycle detected
fn alone() -> Result<(), Errno> {
    Ok(())
}

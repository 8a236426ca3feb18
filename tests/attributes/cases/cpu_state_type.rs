//! A teardown that does not undo by a CPU's number.

use incipit::prelude::*;

fn undo() {}

#[cpu_state(online, teardown = undo)] //~ ERROR mismatched types
fn with_wrong_teardown(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

//! An early console's function that gives no console back.

use incipit::console::EarlyconDevice;
use incipit::prelude::*;

#[earlycon("x")]
fn nothing(_: &EarlyconDevice) -> Result<(), Errno> { //~ ERROR mismatched types
    Ok(())
}

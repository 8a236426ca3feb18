//! Early consoles: a name, and a function from a device to a console.

use incipit::console::{Console, EarlyconDevice};
use incipit::prelude::*;

#[earlycon] //~ ERROR `#[earlycon]` takes one name in quotes: `#[earlycon("name")]`
fn without_name(_: &EarlyconDevice) -> Result<&'static dyn Console, Errno> {
    Err(Errno::ENODEV)
}

#[earlycon("x")]
fn without_device() -> Result<&'static dyn Console, Errno> { //~ ERROR takes no argument where one argument is right, and `InitMemory<'_>` may follow: `#[earlycon]` stands on a `fn(&EarlyconDevice) -> Result<&'static dyn Console, Errno>`
    Err(Errno::ENODEV)
}

//! An item that is declared is documented by its author all the same.
#![deny(missing_docs)]

use std::sync::atomic::AtomicBool;

use incipit::prelude::*;

/// Has its say.
#[param]
pub static SAID: AtomicBool = AtomicBool::new(false);

#[param]
pub static SILENT: AtomicBool = AtomicBool::new(false); //~ ERROR missing documentation for a static

/// Has its say.
#[init]
#[initcall(device)]
pub fn said() -> Result<(), Errno> {
    Ok(())
}

#[init]
#[initcall(device)]
pub fn silent() -> Result<(), Errno> { //~ ERROR missing documentation for a function
    Ok(())
}

#[initcall(device)]
fn silent_and_private() -> Result<(), Errno> {
    Ok(())
}

#[expect(missing_docs)]
#[early_param("silent")]
pub fn silent_on_purpose(_value: Option<&'static str>) -> Result<(), Errno> {
    Ok(())
}

//! A capability that is not there.

use incipit::prelude::*;

#[initcall(device, wants(Missing))] //~ ERROR cannot find type `Missing` in this scope
fn wants_missing() -> Result<(), Errno> {
    Ok(())
}

#[stage(requires(incipit::init::Missing))] //~ ERROR cannot find type `Missing` in module `incipit::init`
fn requires_missing() {}

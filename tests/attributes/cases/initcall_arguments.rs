//! What stands behind the level of an initcall: `sync`, `on_error(…)` and relations.

use incipit::prelude::*;

#[initcall(device, synch)] //~ ERROR unknown argument `synch`: `sync`, `on_error(policy)`, `after(path, …)`
fn misspelled() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, sync, sync)] //~ ERROR `sync` stands twice
fn twice() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, after)] //~ ERROR expected parentheses
fn after_nothing() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, after("first"))] //~ ERROR expected identifier
fn after_text() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device late)] //~ ERROR expected `,`
fn two_levels() -> Result<(), Errno> {
    Ok(())
}

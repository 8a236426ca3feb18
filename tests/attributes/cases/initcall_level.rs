//! The level of an initcall: one of those that there are, as a word.

use incipit::prelude::*;

#[initcall] //~ ERROR `#[initcall]` takes a level: early, pure, core, postcore, arch, subsys, fs, rootfs, device, late, console
fn without() -> Result<(), Errno> {
    Ok(())
}

#[initcall(devise)] //~ ERROR unknown level `devise`: must be one of early, pure, core, postcore, arch, subsys, fs, rootfs, device, late, console
fn misspelled() -> Result<(), Errno> {
    Ok(())
}

#[initcall("device")] //~ ERROR expected identifier
fn quoted() -> Result<(), Errno> {
    Ok(())
}

#[initcall(6)] //~ ERROR expected identifier
fn numbered() -> Result<(), Errno> {
    Ok(())
}

#[initcall(early, sync)] //~ ERROR the level `early` has no `sync` variant
fn early() -> Result<(), Errno> {
    Ok(())
}

#[initcall(console, sync)] //~ ERROR the level `console` has no `sync` variant
fn console() -> Result<(), Errno> {
    Ok(())
}

//! Capabilities that are none, and uses of what is no capability.

use incipit::prelude::*;

#[capability]
struct Good;

#[capability(unique)] //~ ERROR `#[capability]` takes no argument, or `exclusive`
struct WrongArgument;

#[capability]
struct WithField(u32); //~ ERROR a capability is only a name

#[capability]
struct Generic<T>; //~ ERROR a capability is only a name

#[capability]
fn function() {} //~ ERROR not a struct: `#[capability]` stands on a `struct Name;`

struct Plain;

#[initcall(device, requires(Plain))] //~ ERROR `Plain` is no capability
fn requires_plain() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, provides(Good), requires(Good))] //~ ERROR is what this function provides itself: it cannot wait for it
fn waits_for_itself() -> Result<(), Errno> {
    Ok(())
}

#[initcall(device, provides())] //~ ERROR `provides(…)` names nothing
fn provides_nothing() -> Result<(), Errno> {
    Ok(())
}

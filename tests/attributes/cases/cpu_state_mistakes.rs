//! States of CPUs: a section, a function of a CPU's number, and what undoes it.

use incipit::prelude::*;

#[cpu_state] //~ ERROR `#[cpu_state]` takes a section: prepare, starting, online
fn without_section(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

#[cpu_state(dying)] //~ ERROR unknown section `dying`: must be one of prepare, starting, online
fn of_no_section(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

#[cpu_state(online, requires(Pages))] //~ ERROR unknown argument `requires`: `name = "…"`, `teardown = path`, `after(path, …)`, `before(path, …)` are what can stand behind the section
fn with_capability(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

#[cpu_state(online, name = "a", name = "b")] //~ ERROR `name` stands twice
fn named_twice(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

#[cpu_state(starting)]
fn without_cpu() -> Result<(), Errno> { //~ ERROR takes no argument where one argument is right, and `InitMemory<'_>` may follow: `#[cpu_state]` stands on a `fn(usize) -> Result<(), Errno>`
    Ok(())
}

#[cpu_state(starting)]
fn without_result(_cpu: usize) {} //~ ERROR returns nothing: `#[cpu_state]` stands on a `fn(usize) -> Result<(), Errno>`

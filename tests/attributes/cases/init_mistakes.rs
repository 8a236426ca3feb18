//! Code and data of the boot: a function for one, a static for the other.

use incipit::prelude::*;

#[init]
static DATA: u32 = 0; //~ ERROR `#[init]` stands on a function; for a static there is `#[initdata]`

#[initdata]
fn function() {} //~ ERROR `#[initdata]` stands on a static; for a function there is `#[init]`

#[init(late)] //~ ERROR `#[init]` takes no arguments
fn with_argument() {}

#[initdata(rodata)] //~ ERROR `#[initdata]` takes no argument, or `readonly`
static WITH_ARGUMENT: u32 = 0;

#[init]
fn generic<T>() {} //~ ERROR a generic function is compiled where it is used, so it cannot be put into `.init.text`

//! Parameters: statics without `mut`, with names that a command line can hold.

use std::sync::atomic::{AtomicBool, AtomicU32};

use incipit::prelude::*;

#[param]
static mut MUTABLE: u32 = 0; //~ ERROR a parameter is changed through its atomics: leave `mut` out

#[param]
fn function() {} //~ ERROR `#[param]` stands on a static: `#[param] static NAME: AtomicBool = …;`

#[param(nam = "x")] //~ ERROR unknown argument `nam`: `name`, `module`, `perm`, `level` and `dangerous` are what can stand here
static UNKNOWN_ARGUMENT: AtomicBool = AtomicBool::new(false);

#[param(name = "x", name = "y")] //~ ERROR `name` stands twice
static NAMED_TWICE: AtomicBool = AtomicBool::new(false);

#[param(dangerous, dangerous)] //~ ERROR `dangerous` stands twice
static DANGEROUS_TWICE: AtomicBool = AtomicBool::new(false);

#[param(name = x)] //~ ERROR expected string literal
static NAMED_WITHOUT_QUOTES: AtomicBool = AtomicBool::new(false);

#[param(name = "")] //~ ERROR the name is empty
static NAMED_EMPTY: AtomicBool = AtomicBool::new(false);

#[param(name = "a=b")] //~ ERROR a parameter is named without `=`
static NAMED_WITH_SIGN: AtomicBool = AtomicBool::new(false);

#[param(name = "a b")] //~ ERROR ' ' cannot stand in the name of an option
static NAMED_WITH_BLANK: AtomicBool = AtomicBool::new(false);

#[param(name = "a0123456789012345678901234567890123456789012345678901234567890")] //~ ERROR the name is longer than 56 bytes
static NAMED_TOO_LONG: AtomicBool = AtomicBool::new(false);

#[param(level = rootfs)] //~ ERROR parameters are not parsed before `rootfs`: must be one of pure, core, postcore, arch, subsys, fs, device, late
static AT_NO_LEVEL: AtomicU32 = AtomicU32::new(0);

#[param(level = 6)] //~ ERROR expected identifier
static AT_A_NUMBER: AtomicU32 = AtomicU32::new(0);

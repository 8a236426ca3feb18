//! A stage after one that is not there.

use incipit::prelude::*;

#[stage(after(crate::nowhere::missing))] //~ ERROR nowhere
fn late() {}

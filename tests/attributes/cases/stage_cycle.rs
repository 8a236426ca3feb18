//! Stages that come after each other.

use incipit::prelude::*;

#[stage(after(second))] //~ ERROR cycle detected
fn first() {}

#[stage(after(first))]
fn second() {}

//! A prefix option's function that says yes or no instead of whose the option is.

use incipit::prelude::*;

#[setup("x=")]
fn boolean(_rest: &'static str) -> bool { //~ ERROR mismatched types
    true
}

//! Tests of the terminal's colours.

use incipit::prelude::*;
use incipit_lib::vt::DEFAULT_PALETTE;

use crate::palette;

#[ktest]
fn without_parameters_the_colours_are_a_vgas() {
    assert_eq!(palette(), DEFAULT_PALETTE);
}

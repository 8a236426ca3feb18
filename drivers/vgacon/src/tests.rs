//! Tests of what an adapter without colours shows.

use incipit::prelude::*;
use incipit_lib::vt::Attribute;

use crate::screen::monochrome;

#[ktest]
fn without_colours_what_stands_out_still_does() {
    for (colour, expected) in [
        (0x07, 0x07),
        (0x0c, 0x0f),
        (0x17, 0x07),
        (0x70, 0x70),
        (0x78, 0x78),
        (0x87, 0x87),
        (0x00, 0x07),
    ] {
        assert_eq!(monochrome(Attribute(colour)), Attribute(expected), "{colour:#04x}");
    }
}

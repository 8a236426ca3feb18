//! What the command line says of the terminal: its colours.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use incipit::prelude::*;
use incipit_lib::vt::{Colours, Rgb};

/// The attribute that text has where no sequence says otherwise: foreground in the lower half, background in the upper one.
#[param(perm = 0o444)]
static COLOR: AtomicU8 = AtomicU8::new(Colours::DEFAULT.normal);

/// The colour that italic text is shown in.
#[param(perm = 0o444)]
static ITALIC: AtomicU8 = AtomicU8::new(Colours::DEFAULT.italic);

/// The colour that underlined text is shown in.
#[param(perm = 0o444)]
static UNDERLINE: AtomicU8 = AtomicU8::new(Colours::DEFAULT.underline);

/// The red part of each of the sixteen colours, in ANSI's order. Framebuffers show them; a VGA has its own.
#[param(perm = 0o444)]
static DEFAULT_RED: ParamArray<u8, 16> = ParamArray::new(
    [
        0x00, 0xaa, 0x00, 0xaa, 0x00, 0xaa, 0x00, 0xaa, 0x55, 0xff, 0x55, 0xff, 0x55, 0xff, 0x55, 0xff,
    ],
    16,
    16,
);

/// The green part of each of the sixteen colours.
#[param(name = "default_grn", perm = 0o444)]
static DEFAULT_GREEN: ParamArray<u8, 16> = ParamArray::new(
    [
        0x00, 0x00, 0xaa, 0x55, 0x00, 0x00, 0xaa, 0xaa, 0x55, 0x55, 0xff, 0xff, 0x55, 0x55, 0xff, 0xff,
    ],
    16,
    16,
);

/// The blue part of each of the sixteen colours.
#[param(name = "default_blu", perm = 0o444)]
static DEFAULT_BLUE: ParamArray<u8, 16> = ParamArray::new(
    [
        0x00, 0x00, 0x00, 0x00, 0xaa, 0xaa, 0xaa, 0xaa, 0x55, 0x55, 0x55, 0x55, 0xff, 0xff, 0xff, 0xff,
    ],
    16,
    16,
);

pub fn colours() -> Colours {
    Colours {
        normal: COLOR.load(Relaxed),
        italic: ITALIC.load(Relaxed),
        underline: UNDERLINE.load(Relaxed),
    }
}

/// The sixteen colours, by the numbers that attributes have for them.
#[must_use]
pub fn palette() -> [Rgb; 16] {
    core::array::from_fn(|number| {
        // A VGA counts blue as 1 and red as 4, ANSI the other way round.
        let ansi = number & 0b1010 | number >> 2 & 1 | number << 2 & 4;
        let part = |parts: &ParamArray<u8, 16>| parts.with(|parts| parts.get(ansi).copied().unwrap_or(0));
        Rgb {
            red: part(&DEFAULT_RED),
            green: part(&DEFAULT_GREEN),
            blue: part(&DEFAULT_BLUE),
        }
    })
}

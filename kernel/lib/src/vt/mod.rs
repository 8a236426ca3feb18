//! A virtual terminal's screen: text with control sequences goes in, cells of characters and colours come out.
//!
//! What Linux's `vt` does with what is written to it (ECMA-48 and VT102, as console_codes(4) lists them), without a display, a keyboard, or a lock. Drivers show
//! the cells: [`Screen::take_damage`] tells them which rows changed. Nothing that is written can do more harm than to look bad: there is no answer to anything,
//! and a sequence that was cut off ends with its line, so that a broken message does not swallow those behind it.

mod attribute;
mod cell;
mod cp437;
mod damage;
mod grid;
mod parser;
mod screen;
mod sequences;

#[cfg(test)]
mod tests;

pub use attribute::{Colours, Rendition};
pub use cell::{Attribute, Cell, DEFAULT_PALETTE, Rgb};
pub use cp437::{from_cp437, to_cp437};
pub use damage::Damage;
pub use grid::BadGeometry;
pub use parser::{Action, Csi, Parser};
pub use screen::{Cursor, MAX_ROWS, Screen};

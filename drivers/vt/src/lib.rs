//! The virtual terminal: the console `tty0`, one screen and whatever keyboards there are.
//!
//! What is written ends up in the screen of `incipit_lib::vt`; a [`Display`] shows it, the one that [`set_conswitchp`] names or one that [`take_over`]s. Without
//! any, the dummy takes everything and shows nothing. This room knows no device: displays and keyboards are crates of their own. Names, lines and parameters are
//! Linux's (`drivers/tty/vt`).
#![no_std]

mod console;
mod display;
mod parameters;
mod terminal;

mod tests;

pub use console::{KEYBOARDS, con_init, start_early, vt_console_init};
pub use display::{Display, MAX_CELLS, TerminalScreen};
pub use parameters::palette;
pub use terminal::{set_conswitchp, take_over};

//! What shows a terminal's screen.

use core::fmt;

use incipit::console::IoAddress;
use incipit::prelude::*;
use incipit_lib::vt::{Damage, Screen};

/// Cells of the largest screen: 240 × 85. A display that has room for more leaves the rest empty.
pub const MAX_CELLS: usize = 20480;

/// The screen of the terminal.
pub type TerminalScreen = Screen<MAX_CELLS>;

/// A display that a terminal can be shown on: Linux's `struct consw`.
///
/// The terminal is locked around every call but [`startup`](Self::startup) and [`address`](Self::address), with interrupts off. Nothing here logs while drawing:
/// the log would have to be drawn.
pub trait Display: Sync {
    /// Makes the display ready to draw on, and says how many characters fit: columns and rows. What it shows stays until something is drawn.
    ///
    /// # Errors
    ///
    /// If it cannot be used; the driver has said why.
    fn startup(&self) -> Result<(usize, usize), Errno>;

    /// What lines call it, colour first: `colour VGA+`.
    ///
    /// # Errors
    ///
    /// Those of `f`.
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Where its memory is: two consoles with the same address are one screen.
    fn address(&self) -> Option<IoAddress> {
        None
    }

    /// Takes over into `screen` what firmware and loader left on the display; without that they are drawn over.
    fn adopt(&self, _screen: &mut TerminalScreen) {}

    /// Shows what `damage` says is new, and the cursor.
    fn draw(&self, screen: &TerminalScreen, damage: &Damage);
}

/// Shows nothing: Linux's `dummy_con`.
pub struct Dummy;

/// Where there is no display.
pub static DUMMY_CON: Dummy = Dummy;

impl Display for Dummy {
    fn startup(&self) -> Result<(usize, usize), Errno> {
        Ok((80, 25))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("colour dummy device")
    }

    fn draw(&self, _screen: &TerminalScreen, _damage: &Damage) {}
}

/// A display, as lines name it.
pub struct Described(pub &'static dyn Display);

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe(f)
    }
}

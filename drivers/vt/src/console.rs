//! The terminal as a console, `tty0`, and as an early one.

use incipit::console::{Console, ConsoleName, IoAddress, Screens, is_asked_for, register_console};
use incipit::prelude::*;
use linkme::distributed_slice;

use crate::display::Display;
use crate::terminal;

/// Keyboards: each gives a byte that was typed, if there is one, and does not wait.
#[distributed_slice]
pub static KEYBOARDS: [fn() -> Option<u8>];

/// The terminal as a console.
struct VtConsole {
    name: ConsoleName,
}

static TTY0: VtConsole = VtConsole {
    name: ConsoleName { base: "tty", index: 0 },
};

/// The same for an early console; it goes by the name that the option gives it.
static EARLY: VtConsole = VtConsole {
    name: ConsoleName { base: "earlyvt", index: 0 },
};

impl Console for VtConsole {
    fn name(&self) -> ConsoleName {
        self.name
    }

    fn address(&self) -> Option<IoAddress> {
        terminal::address()
    }

    fn setup(&self, _options: Option<&'static str>) -> Result<(), Errno> {
        terminal::adopt();
        Ok(())
    }

    fn write(&self, text: &[u8]) {
        terminal::write(text);
    }

    fn flush(&self) {
        terminal::show();
    }

    fn poll_byte(&self) -> Option<u8> {
        KEYBOARDS.iter().find_map(|poll| poll())
    }
}

/// Makes the terminal an early console on `display`: what a display's `#[earlycon]` returns.
///
/// # Errors
///
/// The display's; `EBUSY` if there is one in use already.
pub fn start_early(display: &'static dyn Display) -> Result<&'static dyn Console, Errno> {
    if terminal::current().is_some() {
        return Err(Errno::EBUSY);
    }
    terminal::take_over(display)?;
    terminal::adopt();
    Ok(&EARLY)
}

/// The terminal begins on its display.
///
/// # Errors
///
/// None: without a display it begins on the dummy.
#[init]
#[initcall(console)]
pub fn con_init() -> Result<(), Errno> {
    terminal::begin_on_conswitchp();
    Ok(())
}

/// The terminal becomes the console `tty0`. Displays that take over do so before, so that they show the log from its start. On the dummy it does so only if the
/// command line asks for it: a kernel that was told nothing should not talk to nobody.
///
/// # Errors
///
/// None.
#[init]
#[initcall(console, after(con_init), provides(Screens))]
pub fn vt_console_init() -> Result<(), Errno> {
    if terminal::current().is_some() || is_asked_for(&TTY0) {
        register_console(&TTY0);
    }
    Ok(())
}

//! Consoles: the screens and lines that show the kernel log, and take keys for the monitor.
//!
//! A driver implements [`Console`] and calls [`register_console`], usually from an `#[initcall(console)]`; which ones are used is the command line's choice
//! (`console=`). Before drivers there are early consoles (`earlycon=`, `earlyprintk=`), from the table that `#[earlycon]` fills. This room knows no device;
//! it decides who shows what, and that each screen shows each line once. Behaviour and lines are Linux 6.1's (`register_console`).

mod earlycon;
mod earlyprintk;
mod list;
mod preferred;
mod register;

mod tests;

use core::fmt;

use crate::prelude::*;

pub use earlycon::{EarlyconDevice, EarlyconEntry, EarlyconSetup};
pub use list::{ConsoleState, consoles, flush, flush_on_panic, poll_byte, write_directly};
pub use preferred::is_asked_for;
pub use register::{register_console, unregister_console};

/// A device that shows text.
///
/// `write` and `poll_byte` are called from any context, one at a time: the list of consoles is locked around them, except that a failure report waits for the
/// lock no longer than a bounded time. They must not log, sleep or wait without bound.
pub trait Console: Sync {
    /// What the console is called on the command line, number included.
    fn name(&self) -> ConsoleName;

    /// The registers it writes to, if it has any: two consoles with the same ones are the same screen.
    fn address(&self) -> Option<IoAddress> {
        None
    }

    /// Prepares the device. `options` is what stood behind the name in `console=name,options`.
    ///
    /// # Errors
    ///
    /// If the device cannot be used; the console stays off. Options that make no sense are no reason: warn, and use what does.
    fn setup(&self, _options: Option<&'static str>) -> Result<(), Errno> {
        Ok(())
    }

    /// Whether the log so far is shown when the console comes on (Linux's `CON_PRINTBUFFER`).
    fn shows_old_messages(&self) -> bool {
        true
    }

    /// Takes `text`, lines separated by `\n`. What the device does not take in bounded time is lost.
    fn write(&self, text: &[u8]);

    /// Shows what was written, if [`write`](Self::write) left that for later: nothing more comes for now. For a screen, which is drawn once and not for each line.
    fn flush(&self) {}

    /// A byte that was typed, if there is one; consoles without a keyboard have none.
    fn poll_byte(&self) -> Option<u8> {
        None
    }
}

/// The name of a console: `ttyS` and 0 for `ttyS0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsoleName {
    /// Without the number.
    pub base: &'static str,
    /// The number.
    pub index: u32,
}

impl ConsoleName {
    /// Splits a name before the digits at its end; a name without any has number 0.
    #[must_use]
    pub fn parse(name: &'static str) -> Self {
        let base = name.trim_end_matches(|character: char| character.is_ascii_digit());
        Self {
            base,
            index: name[base.len()..].parse().unwrap_or(0),
        }
    }
}

impl fmt::Display for ConsoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.base, self.index)
    }
}

/// Where a device's registers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoAddress {
    /// I/O ports from this one on.
    Port(u16),
    /// Memory, a byte per register; a physical address.
    Mmio(u64),
    /// Memory, a 32-bit word per register; a physical address.
    Mmio32(u64),
}

/// As the lines about early consoles and ports spell it: `I/O port 0x3f8`, `MMIO32 0xfe030000`.
impl fmt::Display for IoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "I/O port {port:#x}"),
            Self::Mmio(address) => write!(f, "MMIO {address:#x}"),
            Self::Mmio32(address) => write!(f, "MMIO32 {address:#x}"),
        }
    }
}

/// The consoles are registered, and the log is shown.
#[capability]
pub struct Consoles;

/// The screen is registered, if there is one: without `console=` it is the console, so it comes before those that would do as well.
#[capability]
pub struct Screens;

/// Consoles register: runs `.con_initcall.init`.
#[init]
#[stage(after(crate::time::time_init), provides(Consoles))]
pub(crate) fn console_init(init: InitMemory<'_>) {
    crate::init::initcall::do_console_initcalls(init);
}

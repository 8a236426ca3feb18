//! The monitor's screen and keyboard: all consoles at once.

use core::fmt;

use arrayvec::ArrayVec;
use incipit::console;

/// How many bytes typed while a command writes are kept for the lines after it.
const TYPE_AHEAD: usize = 256;

const CTRL_C: u8 = 0x03;

/// All consoles at once. Writing fails after ^C until [`Terminal::resume`], which ends the command that writes.
#[derive(Default)]
pub struct Terminal {
    ahead: ArrayVec<u8, TYPE_AHEAD>,
    interrupted: bool,
}

impl Terminal {
    /// Waits for a byte from any console.
    pub fn read_byte(&mut self) -> u8 {
        if let Some(byte) = self.ahead.pop_at(0) {
            return byte;
        }
        loop {
            if let Some(byte) = console::poll_byte() {
                return byte;
            }
            core::hint::spin_loop();
        }
    }

    /// Forgets a ^C, so that writing works again. `true` if there was one.
    pub fn resume(&mut self) -> bool {
        core::mem::take(&mut self.interrupted)
    }

    /// Looks for keys without waiting: ^C stops the output, others are kept.
    fn look_for_keys(&mut self) {
        while let Some(byte) = console::poll_byte() {
            if byte == CTRL_C {
                self.interrupted = true;
                self.ahead.clear();
            } else if self.ahead.try_push(byte).is_err() {
                return;
            }
        }
    }
}

impl fmt::Write for Terminal {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.contains('\n') {
            self.look_for_keys();
        }
        if self.interrupted {
            return Err(fmt::Error);
        }
        console::write_directly(text.as_bytes());
        Ok(())
    }
}

//! The controller of the picture tube: where on the screen the memory begins, and where the cursor is.

use x86::io::{inb, outb, outw};

/// Numbers of its registers.
const CURSOR_START: u8 = 0x0a;
const CURSOR_END: u8 = 0x0b;
const START: u8 = 0x0c;
const CURSOR: u8 = 0x0e;

/// In the cursor's first line: it is not shown.
const CURSOR_OFF: u8 = 1 << 5;

/// The controller. Places are counted in characters.
#[derive(Clone, Copy)]
pub struct Controller {
    port: u16,
}

impl Controller {
    /// The controller with its registers at `port`.
    ///
    /// # Safety
    ///
    /// The port is a display adapter's, which is in a text mode, and nobody else's.
    pub const unsafe fn new(port: u16) -> Self {
        Self { port }
    }

    fn write(self, register: u8, value: u8) {
        // SAFETY: these registers choose what of the adapter's memory is shown, and how; `new`'s caller vouches for the port. One access for both bytes, which
        // nobody can come in between.
        unsafe { outw(self.port, u16::from(value) << 8 | u16::from(register)) };
    }

    fn read(self, register: u8) -> u8 {
        // SAFETY: as for `write`; reading changes nothing.
        unsafe {
            outb(self.port, register);
            inb(self.port + 1)
        }
    }

    fn write_place(self, register: u8, place: u16) {
        let [low, high] = place.to_le_bytes();
        self.write(register, high);
        self.write(register + 1, low);
    }

    /// The first place that is shown.
    pub fn start(self) -> u16 {
        u16::from_le_bytes([self.read(START + 1), self.read(START)])
    }

    /// Shows the memory from `place` on.
    pub fn set_start(self, place: u16) {
        self.write_place(START, place);
    }

    /// Shows the cursor at `place`.
    pub fn set_cursor(self, place: u16) {
        self.write_place(CURSOR, place);
    }

    /// Shows the cursor as an underscore below characters of `height` lines.
    pub fn show_cursor(self, height: u8) {
        let last = height.max(2) - 1;
        self.write(CURSOR_START, last - 1);
        self.write(CURSOR_END, last);
    }

    /// Shows no cursor.
    pub fn hide_cursor(self) {
        self.write(CURSOR_START, CURSOR_OFF);
    }
}

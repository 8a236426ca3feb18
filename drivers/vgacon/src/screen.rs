//! The text screen as a display of the terminal.

use core::fmt;

use incipit::arch::x86::mm::ioremap::{CacheMode, IoMemory, ioremap};
use incipit::arch::x86::setup::boot_params;
use incipit::console::IoAddress;
use incipit::prelude::*;
use incipit::printk::BustableLock;
use incipit_lib::video::{Adapter, TextMode};
use incipit_lib::vt::{Attribute, Cell, Cursor, Damage, from_cp437, to_cp437};
use incipit_vt::{Display, TerminalScreen};

use crate::controller::Controller;

/// What stands for characters that the adapter's font does not have.
const UNKNOWN: u8 = b'?';

/// Lines of a character where nobody said.
const USUAL_HEIGHT: u8 = 16;

/// A text mode, and how it is reached.
struct Text {
    mode: TextMode,
    memory: IoMemory,
    controller: Controller,
    /// Where in the memory the screen begins, in characters.
    origin: usize,
    cursor: Option<Cursor>,
}

/// The text screen.
pub struct VgaCon {
    text: BustableLock<Option<Text>>,
}

/// The text screen that was set when the kernel started.
pub static VGA_CON: VgaCon = VgaCon {
    text: BustableLock::new(None),
};

impl VgaCon {
    fn with<R>(&self, f: impl FnOnce(&mut Text) -> R) -> Option<R> {
        self.text.lock()?.as_mut().map(f)
    }
}

impl Display for VgaCon {
    fn startup(&self) -> Result<(usize, usize), Errno> {
        let mode = TextMode::from_screen_info(&boot_params().screen_info()).map_err(|why| {
            pr_warn!("vgacon: no text screen: {why}");
            Errno::ENODEV
        })?;
        let text =
            Text::open(mode).inspect_err(|error| pr_warn!("vgacon: the text screen at {:#x} cannot be used: {error}", mode.memory()))?;
        *self.text.lock().ok_or(Errno::EBUSY)? = Some(text);
        Ok((mode.columns, mode.rows))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let adapter = self.with(|text| text.mode.adapter).unwrap_or(Adapter::Vga);
        write!(f, "{} {adapter}", if adapter.has_colours() { "colour" } else { "mono" })
    }

    fn address(&self) -> Option<IoAddress> {
        self.with(|text| IoAddress::Mmio(text.mode.memory()))
    }

    fn adopt(&self, screen: &mut TerminalScreen) {
        self.with(|text| text.adopt(screen));
    }

    fn draw(&self, screen: &TerminalScreen, damage: &Damage) {
        self.with(|text| text.draw(screen, damage));
    }
}

impl Text {
    fn open(mode: TextMode) -> Result<Self, Errno> {
        let memory = ioremap(mode.memory(), mode.memory_len(), CacheMode::WriteCombining)?;
        // SAFETY: `screen_info` says that an adapter of this kind is in a text mode; this driver is the only one that knows the port.
        let controller = unsafe { Controller::new(mode.controller()) };
        let mut text = Self {
            mode,
            memory,
            controller,
            origin: 0,
            cursor: None,
        };
        if !text.is_present() {
            return Err(Errno::ENODEV);
        }
        text.origin = controller.start().into();
        if text.origin + text.characters() > text.room() {
            text.origin = 0;
        }
        Ok(text)
    }

    /// Whether the memory keeps what is written to it.
    fn is_present(&self) -> bool {
        let before: u16 = self.memory.read(0);
        let kept = [0xaa55_u16, 0x55aa].into_iter().all(|pattern| {
            self.memory.write(0, pattern);
            self.memory.read::<u16>(0) == pattern
        });
        self.memory.write(0, before);
        kept
    }

    /// Characters that are shown.
    const fn characters(&self) -> usize {
        self.mode.columns * self.mode.rows
    }

    /// Characters that there is memory for.
    const fn room(&self) -> usize {
        self.mode.memory_len() / 2
    }

    fn character_height(&self) -> u8 {
        match self.mode.character_height {
            height @ 1..=32 => height as u8,
            _ => USUAL_HEIGHT,
        }
    }

    fn adopt(&self, screen: &mut TerminalScreen) {
        let cell = |place| {
            let [code, attribute] = self.memory.read::<u16>(place * 2).to_le_bytes();
            Cell::new(from_cp437(code), Attribute(attribute))
        };
        let (column, row) = self.mode.cursor;
        let cells = (self.origin..self.origin + self.characters()).map(cell);
        screen.adopt(cells, Cursor { column, row });
        // The loader may have left its prompt there.
        if column != 0 {
            screen.write(b"\n");
        }
    }

    fn draw(&mut self, screen: &TerminalScreen, damage: &Damage) {
        let moved = self.move_on(damage.scrolled());
        for row in (0..self.mode.rows).filter(|row| !moved || damage.has(*row)) {
            self.draw_row(screen, row);
        }
        if damage.scrolled() != 0 {
            self.controller.set_start(self.origin as u16);
            self.cursor = None;
        }
        self.draw_cursor(screen);
    }

    /// Lets the screen begin `rows` further on. `false`: it begins at the start of the memory, and none of it is there yet.
    fn move_on(&mut self, rows: usize) -> bool {
        if rows == 0 {
            return true;
        }
        let origin = self.origin + rows.min(self.mode.rows) * self.mode.columns;
        let fits = rows < self.mode.rows && origin + self.characters() <= self.room();
        self.origin = if fits { origin } else { 0 };
        fits
    }

    fn draw_row(&self, screen: &TerminalScreen, row: usize) {
        let start = self.origin + row * self.mode.columns;
        for (column, cell) in screen.row(row).iter().enumerate() {
            self.memory.write((start + column) * 2, self.encode(*cell));
        }
    }

    fn encode(&self, cell: Cell) -> u16 {
        let attribute = if self.mode.adapter.has_colours() {
            cell.attribute()
        } else {
            monochrome(cell.attribute())
        };
        u16::from_le_bytes([to_cp437(cell.character()).unwrap_or(UNKNOWN), attribute.0])
    }

    fn draw_cursor(&mut self, screen: &TerminalScreen) {
        let cursor = screen.cursor();
        if cursor == self.cursor && cursor.is_some() {
            return;
        }
        match cursor {
            Some(Cursor { column, row }) => {
                if self.cursor.is_none() {
                    self.controller.show_cursor(self.character_height());
                }
                self.controller.set_cursor((self.origin + row * self.mode.columns + column) as u16);
            }
            None => self.controller.hide_cursor(),
        }
        self.cursor = cursor;
    }
}

/// What a monochrome adapter can do of an attribute's colours: bright, and reverse.
pub fn monochrome(attribute: Attribute) -> Attribute {
    let emphasis = attribute.0 & 0x88;
    if attribute.background() & 7 != 0 && attribute.foreground() & 7 == 0 {
        Attribute(emphasis | 0x70)
    } else {
        Attribute(emphasis | 0x07)
    }
}

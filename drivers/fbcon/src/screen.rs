//! The framebuffer as a display of the terminal.

use core::fmt;

use incipit::arch::x86::mm::ioremap::{CacheMode, IoMemory, ioremap};
use incipit::arch::x86::setup::boot_params;
use incipit::console::IoAddress;
use incipit::prelude::*;
use incipit::printk::BustableLock;
use incipit_lib::psf::Font;
use incipit_lib::video::Framebuffer;
use incipit_lib::vt::{Attribute, Cell, Cursor, Damage};
use incipit_vt::{Display, MAX_CELLS, TerminalScreen};

use crate::canvas::{self, Drawn, LINE_BYTES, RUN};
use crate::font;
use crate::options;

/// A framebuffer in use.
struct Picture {
    framebuffer: Framebuffer,
    memory: IoMemory,
    font: Font<'static>,
    columns: usize,
    rows: usize,
    /// The sixteen colours as pixels.
    palette: [u32; 16],
    cursor: Option<Cursor>,
}

/// The framebuffer, and what is drawn on it.
struct State {
    picture: Option<Picture>,
    shown: [Cell; MAX_CELLS],
    /// A line of pixels on its way out.
    line: [u8; LINE_BYTES],
}

/// The framebuffer console.
pub struct FbCon {
    state: BustableLock<State>,
}

/// The framebuffer that was set up when the kernel started.
pub static FBCON: FbCon = FbCon {
    state: BustableLock::new(State {
        picture: None,
        shown: [Cell::BLANK; MAX_CELLS],
        line: [0; LINE_BYTES],
    }),
};

/// A cell that no screen has: what is not drawn yet.
const NOTHING: Cell = Cell::new('\0', Attribute(0));

impl Display for FbCon {
    fn startup(&self) -> Result<(usize, usize), Errno> {
        let picture = Picture::open()?;
        let size = (picture.columns, picture.rows);
        let mut state = self.state.lock().ok_or(Errno::EBUSY)?;
        state.picture = Some(picture);
        state.shown.fill(NOTHING);
        Ok(size)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("colour frame buffer device")
    }

    fn address(&self) -> Option<IoAddress> {
        let state = self.state.lock()?;
        state.picture.as_ref().map(|picture| IoAddress::Mmio(picture.framebuffer.base))
    }

    fn adopt(&self, _screen: &mut TerminalScreen) {
        if let Some(state) = self.state.lock()
            && let Some(picture) = &state.picture
        {
            picture.blacken();
        }
    }

    fn draw(&self, screen: &TerminalScreen, damage: &Damage) {
        let Some(mut state) = self.state.lock() else { return };
        let State { picture, shown, line } = &mut *state;
        if let Some(picture) = picture {
            picture.draw(screen, damage, shown, line);
        }
    }
}

/// Maps the framebuffer. Before there is memory for page tables only whole large pages are to be had: then it is what lies behind it, too, where a display has
/// more of its own memory.
fn map(framebuffer: &Framebuffer, mode: CacheMode) -> Result<IoMemory, Errno> {
    const LARGE_PAGE: usize = 2 << 20;
    match ioremap(framebuffer.base, framebuffer.len(), mode) {
        Err(Errno::ENOMEM) => ioremap(framebuffer.base, framebuffer.len().next_multiple_of(LARGE_PAGE), mode),
        mapped => mapped,
    }
}

impl Picture {
    /// The framebuffer that `screen_info` and the command line describe, mapped. What is wrong with it is logged, once.
    fn open() -> Result<Self, Errno> {
        let mut info = boot_params().screen_info();
        let kind = incipit_lib::video::Kind::of(&info).ok_or(Errno::ENODEV)?;
        let (driver, said) = (kind.driver(), options::of(kind));
        said.correct(&mut info);
        let framebuffer = match Framebuffer::from_screen_info(&info).ok_or(Errno::ENODEV)? {
            Ok(framebuffer) => framebuffer,
            Err(error) => {
                pr_warn!("{driver}: the framebuffer cannot be used: {error}");
                return Err(Errno::ENODEV);
            }
        };
        let mode = if said.no_write_combining {
            CacheMode::Uncached
        } else {
            CacheMode::WriteCombining
        };
        let memory = map(&framebuffer, mode).map_err(|error| {
            pr_warn!(
                "{driver}: the framebuffer cannot be used: {:#x} bytes at {:#x} cannot be mapped: {error}",
                framebuffer.len(),
                framebuffer.base
            );
            Errno::ENODEV
        })?;
        Self::new(framebuffer, memory)
    }

    fn new(framebuffer: Framebuffer, memory: IoMemory) -> Result<Self, Errno> {
        let driver = framebuffer.kind.driver();
        let entry = options::font().unwrap_or_else(|| font::for_width(framebuffer.width));
        let font = Font::parse(entry.data).map_err(|error| {
            pr_warn!("{driver}: the font {} cannot be used: {error}", entry.name);
            Errno::EINVAL
        })?;
        let columns = framebuffer.width / font.width();
        let most_rows = MAX_CELLS.checked_div(columns).unwrap_or(0).min(incipit_lib::vt::MAX_ROWS);
        let rows = (framebuffer.height / font.height()).min(most_rows);
        if columns == 0 || rows == 0 {
            pr_warn!(
                "{driver}: the framebuffer cannot be used: {}x{} pixels have no room for a character of {}",
                framebuffer.width,
                framebuffer.height,
                entry.name
            );
            return Err(Errno::ENODEV);
        }
        let kib = framebuffer.len() / 1024;
        pr_info!("{driver}: framebuffer at {:#x}, using {kib}k, total {kib}k", framebuffer.base);
        pr_info!(
            "{driver}: mode is {}x{}x{}, linelength={}, pages=1",
            framebuffer.width,
            framebuffer.height,
            framebuffer.depth,
            framebuffer.stride
        );
        let palette = incipit_vt::palette().map(|colour| framebuffer.format.encode(colour));
        Ok(Self {
            framebuffer,
            memory,
            font,
            columns,
            rows,
            palette,
            cursor: None,
        })
    }

    /// Copies `bytes` to the framebuffer, from `offset` on; what would not be inside is left out.
    fn put(&self, offset: usize, bytes: &[u8]) {
        let room = self.framebuffer.len().saturating_sub(offset);
        // SAFETY: all of the framebuffer is mapped for as long as it is borrowed, and nobody refers to it; no more bytes are written than it has behind `offset`.
        unsafe {
            core::ptr::copy_nonoverlapping(
                bytes.as_ptr(),
                self.memory.as_ptr().add(offset.min(self.framebuffer.len())),
                bytes.len().min(room),
            )
        };
    }

    /// Takes away whatever is on the screen.
    fn blacken(&self) {
        const BLACK: [u8; 256] = [0; 256];
        for offset in (0..self.framebuffer.len()).step_by(BLACK.len()) {
            self.put(offset, &BLACK);
        }
    }

    fn draw(&mut self, screen: &TerminalScreen, damage: &Damage, shown: &mut [Cell], line: &mut [u8]) {
        if let Some(Cursor { column, row }) = self.cursor.take() {
            // Its cell is drawn again, without it.
            shown[row * self.columns + column] = NOTHING;
            self.draw_row(screen, row, shown, line);
        }
        for row in (0..self.rows).filter(|row| damage.scrolled() != 0 || damage.has(*row)) {
            self.draw_row(screen, row, shown, line);
        }
        if let Some(cursor) = screen.cursor() {
            self.draw_cursor(screen, cursor, line);
            self.cursor = Some(cursor);
        }
    }

    /// Draws the cells of a row that are not shown as they are.
    fn draw_row(&self, screen: &TerminalScreen, row: usize, shown: &mut [Cell], line: &mut [u8]) {
        let shown = &mut shown[row * self.columns..][..self.columns];
        let cells = screen.row(row);
        let mut column = 0;
        while let Some(first) = (column..self.columns).find(|&at| cells[at] != shown[at]) {
            let run = (first..self.columns.min(first + RUN))
                .take_while(|&at| cells[at] != shown[at])
                .count();
            self.draw_run(row, first, &cells[first..first + run], line);
            shown[first..first + run].copy_from_slice(&cells[first..first + run]);
            column = first + run;
        }
    }

    fn draw_run(&self, row: usize, column: usize, cells: &[Cell], line: &mut [u8]) {
        const BLANK: Drawn = Drawn {
            glyph: &[],
            foreground: 0,
            background: 0,
        };
        let mut characters = [BLANK; RUN];
        for (drawn, cell) in characters.iter_mut().zip(cells) {
            *drawn = self.picture_of(*cell);
        }
        let mut offset = self.offset(Cursor { column, row });
        for y in 0..self.font.height() {
            let length = canvas::compose(line, &characters[..cells.len()], y, &self.font, &self.framebuffer.format);
            self.put(offset, &line[..length]);
            offset += self.framebuffer.stride;
        }
    }

    fn picture_of(&self, cell: Cell) -> Drawn {
        let attribute = cell.attribute();
        Drawn {
            glyph: font::glyph(&self.font, cell.character()),
            foreground: self.palette[usize::from(attribute.foreground())],
            background: self.palette[usize::from(attribute.background())],
        }
    }

    /// Draws the cursor: the lowest lines of its cell, in the cell's own colour.
    fn draw_cursor(&self, screen: &TerminalScreen, cursor: Cursor, line: &mut [u8]) {
        const LIT: [u8; 16 * 32 / 8] = [0xff; 16 * 32 / 8];
        let mut drawn = self.picture_of(screen.row(cursor.row)[cursor.column]);
        drawn.glyph = &LIT;
        let (height, thickness) = (self.font.height(), self.font.height() / 8);
        let length = canvas::compose(line, &[drawn], 0, &self.font, &self.framebuffer.format);
        for y in height - thickness..height {
            self.put(self.offset(cursor) + y * self.framebuffer.stride, &line[..length]);
        }
    }

    /// Where a cell's first pixel is.
    const fn offset(&self, place: Cursor) -> usize {
        place.row * self.font.height() * self.framebuffer.stride + place.column * self.font.width() * self.framebuffer.format.bytes()
    }
}

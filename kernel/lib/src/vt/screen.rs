//! The screen itself: where characters go, and what moves when there is no more room.

use core::mem;
use core::ops::Range;

use super::grid::{BadGeometry, Grid};
use super::{Action, Attribute, Cell, Colours, Damage, Parser, Rendition};

/// Most rows of a screen.
pub const MAX_ROWS: usize = 256;

/// Places of the tabulator, as a terminal has them when it is switched on.
const TAB: usize = 8;

/// A place on the screen, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Cells from the left.
    pub column: usize,
    /// Rows from the top.
    pub row: usize,
}

/// What `ESC 7` keeps.
#[derive(Clone, Copy)]
struct Saved {
    cursor: Cursor,
    rendition: Rendition,
}

/// A screen with room for `CELLS` cells.
pub struct Screen<const CELLS: usize> {
    pub(super) grid: Grid<CELLS>,
    damage: Damage,
    parser: Parser,
    colours: Colours,
    pub(super) rendition: Rendition,
    pub(super) cursor: Cursor,
    /// The last column has its character, and the next one goes to the next line: a line that just fits leaves no empty one behind.
    pub(super) wrap_pending: bool,
    saved: Saved,
    /// The rows that move when there is no more room.
    pub(super) region: Range<usize>,
    pub(super) wraps: bool,
    pub(super) inserts: bool,
    /// Rows are counted from the top of the region.
    pub(super) relative: bool,
    pub(super) cursor_shown: bool,
}

impl<const CELLS: usize> Screen<CELLS> {
    /// A screen of one cell; [`resize`](Self::resize) gives it its size.
    #[must_use]
    pub const fn new() -> Self {
        let rendition = Rendition::plain(Colours::DEFAULT);
        let cursor = Cursor { column: 0, row: 0 };
        Self {
            grid: Grid::new(),
            damage: Damage::none(),
            parser: Parser::new(),
            colours: Colours::DEFAULT,
            rendition,
            cursor,
            wrap_pending: false,
            saved: Saved { cursor, rendition },
            region: 0..1,
            wraps: true,
            inserts: false,
            relative: false,
            cursor_shown: true,
        }
    }

    /// Makes it an empty screen of this size.
    ///
    /// # Errors
    ///
    /// If it would have no cells, more than `CELLS`, or more than [`MAX_ROWS`] rows; it stays as it is.
    pub fn resize(&mut self, columns: usize, rows: usize) -> Result<(), BadGeometry> {
        self.grid.resize(columns, rows)?;
        self.reset();
        Ok(())
    }

    /// Sets the colours that text has from now on where no sequence says otherwise.
    pub fn set_colours(&mut self, colours: Colours) {
        self.colours = colours;
        self.rendition = Rendition::plain(colours);
        self.saved.rendition = self.rendition;
    }

    /// As a terminal that was just switched on: `ESC c`.
    pub(super) fn reset(&mut self) {
        self.set_colours(self.colours);
        self.region = 0..self.rows();
        (self.wraps, self.inserts, self.relative, self.cursor_shown) = (true, false, false, true);
        self.go_to(0, 0);
        self.saved.cursor = self.cursor;
        self.fill(0..self.rows(), self.erased());
    }

    /// Cells in a row.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.grid.columns()
    }

    /// Rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.grid.rows()
    }

    /// The cells of a row, which must be one of the screen's.
    #[must_use]
    pub fn row(&self, row: usize) -> &[Cell] {
        self.grid.row(row)
    }

    /// Where the cursor is to be shown, if it is.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor_shown.then_some(self.cursor)
    }

    /// What changed since this was last asked.
    pub fn take_damage(&mut self) -> Damage {
        mem::replace(&mut self.damage, Damage::none())
    }

    /// Takes what somebody else left on a display for the screen's content: cells from the top left on, row by row, and the cursor. What the screen has no room
    /// for is left out; it counts as shown.
    pub fn adopt(&mut self, cells: impl IntoIterator<Item = Cell>, cursor: Cursor) {
        let mut cells = cells.into_iter();
        for row in 0..self.rows() {
            for (cell, found) in self.grid.row_mut(row).iter_mut().zip(&mut cells) {
                *cell = found;
            }
        }
        self.go_to(cursor.column, cursor.row);
        self.damage = Damage::none();
    }

    /// Writes `text`. A line feed begins a new line, at its left edge, as for what the kernel writes.
    pub fn write(&mut self, text: &[u8]) {
        let mut parser = mem::take(&mut self.parser);
        for &byte in text {
            parser.take(byte, |action| self.act(action));
        }
        self.parser = parser;
    }

    fn act(&mut self, action: Action<'_>) {
        match action {
            Action::Print(character) => self.print(character),
            Action::Control(byte) => self.control(byte),
            Action::Escape(kind, command) => self.escape(kind, command),
            Action::Csi(csi) => self.control_sequence(csi),
        }
    }

    pub(super) fn print(&mut self, character: char) {
        if self.wrap_pending {
            self.new_line();
        }
        if self.inserts {
            self.insert_cells(1);
        }
        let cell = Cell::new(character, self.rendition.attribute());
        let (Cursor { column, row }, last) = (self.cursor, self.columns() - 1);
        self.row_mut(row)[column] = cell;
        if column < last {
            self.cursor.column += 1;
        } else {
            self.wrap_pending = self.wraps;
        }
    }

    fn control(&mut self, byte: u8) {
        match byte {
            0x08 => {
                self.cursor.column = self.cursor.column.saturating_sub(1);
                self.wrap_pending = false;
            }
            b'\t' => self.cursor.column = (self.cursor.column / TAB * TAB + TAB).min(self.columns() - 1),
            // Line feed, vertical tabulator, form feed.
            0x0a..=0x0c => self.new_line(),
            b'\r' => self.carriage_return(),
            _ => {}
        }
    }

    pub(super) fn carriage_return(&mut self) {
        self.cursor.column = 0;
        self.wrap_pending = false;
    }

    pub(super) fn new_line(&mut self) {
        self.carriage_return();
        self.line_feed();
    }

    pub(super) fn line_feed(&mut self) {
        if self.cursor.row + 1 == self.region.end {
            self.scroll_up(self.region.clone(), 1);
        } else if self.cursor.row + 1 < self.rows() {
            self.cursor.row += 1;
        }
        self.wrap_pending = false;
    }

    pub(super) fn reverse_line_feed(&mut self) {
        if self.cursor.row == self.region.start {
            self.scroll_down(self.region.clone(), 1);
        } else {
            self.cursor.row = self.cursor.row.saturating_sub(1);
        }
        self.wrap_pending = false;
    }

    /// Moves the cursor to a place on the screen, or the nearest that is.
    pub(super) fn go_to(&mut self, column: usize, row: usize) {
        let rows = if self.relative { self.region.clone() } else { 0..self.rows() };
        self.cursor = Cursor {
            column: column.min(self.columns() - 1),
            row: row.clamp(rows.start, rows.end - 1),
        };
        self.wrap_pending = false;
    }

    pub(super) fn save_cursor(&mut self) {
        self.saved = Saved {
            cursor: self.cursor,
            rendition: self.rendition,
        };
    }

    pub(super) fn restore_cursor(&mut self) {
        let Saved { cursor, rendition } = self.saved;
        self.rendition = rendition;
        self.go_to(cursor.column, cursor.row);
    }

    /// What an erased place shows.
    pub(super) const fn erased(&self) -> Cell {
        Cell::new(' ', self.rendition.erased())
    }

    /// The cells of a row that is about to change.
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [Cell] {
        self.damage.add(row);
        self.grid.row_mut(row)
    }

    pub(super) fn fill(&mut self, rows: Range<usize>, cell: Cell) {
        rows.for_each(|row| self.row_mut(row).fill(cell));
    }

    pub(super) fn scroll_up(&mut self, region: Range<usize>, count: usize) {
        let (count, blank) = (count.min(region.len()), self.erased());
        if region == (0..self.rows()) {
            for _ in 0..count {
                self.grid.move_up(blank);
                self.damage.move_up(region.end - 1);
            }
            return;
        }
        for row in region.start..region.end - count {
            self.grid.copy_row(row + count, row);
            self.damage.add(row);
        }
        self.fill(region.end - count..region.end, blank);
    }

    pub(super) fn scroll_down(&mut self, region: Range<usize>, count: usize) {
        let (count, blank) = (count.min(region.len()), self.erased());
        for row in (region.start + count..region.end).rev() {
            self.grid.copy_row(row - count, row);
            self.damage.add(row);
        }
        self.fill(region.start..region.start + count, blank);
    }

    /// Says that all of the display is to be drawn again: somebody else has drawn on it.
    pub fn damage_all(&mut self) {
        self.damage.add_all();
    }

    /// An attribute with nothing selected, for what a driver itself has to draw.
    #[must_use]
    pub const fn plain(&self) -> Attribute {
        Rendition::plain(self.colours).attribute()
    }
}

impl<const CELLS: usize> Default for Screen<CELLS> {
    fn default() -> Self {
        Self::new()
    }
}

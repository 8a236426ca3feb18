//! The cells of a screen, in rows that can be moved without being copied.

use core::fmt;

use super::{Cell, MAX_ROWS};

/// A screen of this size cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadGeometry {
    /// Cells in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// How many cells there is room for.
    pub room: usize,
}

impl fmt::Display for BadGeometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a screen of {}x{} characters (at least 1x1, at most {MAX_ROWS} rows and {} characters)",
            self.columns, self.rows, self.room
        )
    }
}

/// At most `CELLS` cells.
pub(super) struct Grid<const CELLS: usize> {
    cells: [Cell; CELLS],
    columns: usize,
    rows: usize,
    /// Where in `cells` the top row is, in rows.
    top: usize,
}

impl<const CELLS: usize> Grid<CELLS> {
    pub const fn new() -> Self {
        Self {
            cells: [Cell::BLANK; CELLS],
            columns: 1,
            rows: 1,
            top: 0,
        }
    }

    pub fn resize(&mut self, columns: usize, rows: usize) -> Result<(), BadGeometry> {
        let fits = columns.checked_mul(rows).is_some_and(|cells| (1..=CELLS).contains(&cells));
        if !fits || rows > MAX_ROWS {
            return Err(BadGeometry {
                columns,
                rows,
                room: CELLS,
            });
        }
        (self.columns, self.rows, self.top) = (columns, rows, 0);
        self.cells[..columns * rows].fill(Cell::BLANK);
        Ok(())
    }

    pub const fn columns(&self) -> usize {
        self.columns
    }

    pub const fn rows(&self) -> usize {
        self.rows
    }

    fn start(&self, row: usize) -> usize {
        (self.top + row) % self.rows * self.columns
    }

    pub fn row(&self, row: usize) -> &[Cell] {
        &self.cells[self.start(row)..][..self.columns]
    }

    pub fn row_mut(&mut self, row: usize) -> &mut [Cell] {
        let start = self.start(row);
        &mut self.cells[start..][..self.columns]
    }

    /// Moves the whole screen up by a row, and fills the lowest one.
    pub fn move_up(&mut self, fill: Cell) {
        self.top = (self.top + 1) % self.rows;
        self.row_mut(self.rows - 1).fill(fill);
    }

    /// Puts the cells of one row into another.
    pub fn copy_row(&mut self, from: usize, to: usize) {
        let (from, to) = (self.start(from), self.start(to));
        self.cells.copy_within(from..from + self.columns, to);
    }
}

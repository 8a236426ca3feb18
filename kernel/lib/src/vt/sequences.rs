//! What escape and control sequences do to a screen. Those that are not known, or answer something, do nothing.

use super::{Cell, Csi, Cursor, Screen};

impl<const CELLS: usize> Screen<CELLS> {
    /// `ESC`, a kind of sequence or 0, and a command.
    pub(super) fn escape(&mut self, kind: u8, command: u8) {
        match (kind, command) {
            (0, b'c') => self.reset(),
            (0, b'D') => self.line_feed(),
            (0, b'E') => self.new_line(),
            (0, b'M') => self.reverse_line_feed(),
            (0, b'7') => self.save_cursor(),
            (0, b'8') => self.restore_cursor(),
            (b'#', b'8') => {
                let letter = Cell::new('E', self.rendition.erased());
                self.fill(0..self.rows(), letter);
            }
            _ => {}
        }
    }

    pub(super) fn control_sequence(&mut self, csi: &Csi) {
        match (csi.private, csi.command) {
            (0, b'h') => self.set_mode(csi, true),
            (0, b'l') => self.set_mode(csi, false),
            (b'?', b'h') => self.set_private_mode(csi, true),
            (b'?', b'l') => self.set_private_mode(csi, false),
            (0, b'm') => self.rendition.select(csi.parameters()),
            (0, b's') => self.save_cursor(),
            (0, b'u') => self.restore_cursor(),
            (0, b'r') => self.set_region(csi),
            (0, b'J') => self.erase_screen(csi.parameters()[0]),
            (0, b'K') => self.erase_line(csi.parameters()[0]),
            (0, b'@' | b'L' | b'M' | b'P' | b'X') => self.edit(csi.command, csi.number(0)),
            (0, _) => self.move_cursor(csi),
            _ => {}
        }
    }

    fn move_cursor(&mut self, csi: &Csi) {
        let (count, second) = (csi.number(0), csi.number(1));
        let Cursor { column, row } = self.cursor;
        let origin = if self.relative { self.region.start } else { 0 };
        match csi.command {
            b'A' => self.go_to(column, row.saturating_sub(count)),
            b'B' | b'e' => self.go_to(column, row + count),
            b'C' | b'a' => self.go_to(column + count, row),
            b'D' => self.go_to(column.saturating_sub(count), row),
            b'E' => self.go_to(0, row + count),
            b'F' => self.go_to(0, row.saturating_sub(count)),
            b'G' | b'`' => self.go_to(count - 1, row),
            b'd' => self.go_to(column, origin + count - 1),
            b'H' | b'f' => self.go_to(second - 1, origin + count - 1),
            _ => {}
        }
    }

    fn set_mode(&mut self, csi: &Csi, on: bool) {
        if csi.parameters().contains(&4) {
            self.inserts = on;
        }
    }

    fn set_private_mode(&mut self, csi: &Csi, on: bool) {
        for mode in csi.parameters() {
            match mode {
                6 => {
                    self.relative = on;
                    self.go_to(0, if on { self.region.start } else { 0 });
                }
                7 => self.wraps = on,
                25 => self.cursor_shown = on,
                _ => {}
            }
        }
    }

    fn set_region(&mut self, csi: &Csi) {
        let last = match csi.parameters() {
            [_, last, ..] if *last != 0 => usize::from(*last),
            _ => self.rows(),
        };
        let first = csi.number(0);
        if first < last && last <= self.rows() {
            self.region = first - 1..last;
            self.go_to(0, if self.relative { self.region.start } else { 0 });
        }
    }

    fn erase_screen(&mut self, what: u16) {
        let (row, rows, blank) = (self.cursor.row, self.rows(), self.erased());
        match what {
            0 => {
                self.erase_line(0);
                self.fill(row + 1..rows, blank);
            }
            1 => {
                self.erase_line(1);
                self.fill(0..row, blank);
            }
            2 | 3 => self.fill(0..rows, blank),
            _ => return,
        }
        self.wrap_pending = false;
    }

    fn erase_line(&mut self, what: u16) {
        let (Cursor { column, row }, blank) = (self.cursor, self.erased());
        let cells = self.row_mut(row);
        match what {
            0 => cells[column..].fill(blank),
            1 => cells[..=column].fill(blank),
            2 => cells.fill(blank),
            _ => return,
        }
        self.wrap_pending = false;
    }

    /// Inserts, deletes or erases `count` cells or lines at the cursor.
    fn edit(&mut self, command: u8, count: usize) {
        let Cursor { column, row } = self.cursor;
        let blank = self.erased();
        let below = row..self
            .rows()
            .min(if self.region.contains(&row) { self.region.end } else { self.rows() });
        match command {
            b'@' => self.insert_cells(count),
            b'L' => self.scroll_down(below, count),
            b'M' => self.scroll_up(below, count),
            _ => {
                let cells = &mut self.row_mut(row)[column..];
                let count = count.min(cells.len());
                if command == b'P' {
                    cells.copy_within(count.., 0);
                    let kept = cells.len() - count;
                    cells[kept..].fill(blank);
                } else {
                    cells[..count].fill(blank);
                }
            }
        }
        self.wrap_pending = false;
    }

    /// Moves what stands behind the cursor to the right.
    pub(super) fn insert_cells(&mut self, count: usize) {
        let (Cursor { column, row }, blank) = (self.cursor, self.erased());
        let cells = &mut self.row_mut(row)[column..];
        let count = count.min(cells.len());
        cells.copy_within(..cells.len() - count, count);
        cells[..count].fill(blank);
    }
}

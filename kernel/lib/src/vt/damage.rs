//! Which rows of a screen changed since somebody last looked.

use super::MAX_ROWS;

const BITS: usize = u64::BITS as usize;

/// A set of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    rows: [u64; MAX_ROWS / BITS],
    scrolled: usize,
}

impl Damage {
    pub(super) const fn none() -> Self {
        Self {
            rows: [0; MAX_ROWS / BITS],
            scrolled: 0,
        }
    }

    pub(super) fn add(&mut self, row: usize) {
        self.rows[row / BITS] |= 1 << (row % BITS);
    }

    pub(super) fn add_all(&mut self) {
        self.rows.fill(u64::MAX);
    }

    /// The screen moved up by a row: what was there about each row is true of the one above it.
    pub(super) fn move_up(&mut self, last_row: usize) {
        let mut carry = 0;
        for word in self.rows.iter_mut().rev() {
            (*word, carry) = (*word >> 1 | carry << (BITS - 1), *word & 1);
        }
        self.add(last_row);
        self.scrolled += 1;
    }

    /// Whether the cells of `row` are not what they were, once the screen has been moved up by [`scrolled`](Self::scrolled).
    #[must_use]
    pub fn has(&self, row: usize) -> bool {
        row < MAX_ROWS && self.rows[row / BITS] & 1 << (row % BITS) != 0
    }

    /// By how many rows the whole screen moved up.
    #[must_use]
    pub const fn scrolled(&self) -> usize {
        self.scrolled
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.scrolled == 0 && self.rows.iter().all(|word| *word == 0)
    }
}

//! Making a firmware's map sorted and free of overlaps.

use super::{E820Entry, E820Error, E820Table, E820Type};

/// Ranges of these types may mark platform boundaries, so neighbours stay apart (`e820_nomerge`).
fn keeps_boundaries(kind: E820Type) -> bool {
    matches!(kind, E820Type::PRAM | E820Type::SOFT_RESERVED)
}

impl E820Table {
    /// Sorts the map, resolves overlaps in favour of the higher type number, joins neighbours of
    /// one type, and drops empty ranges (`e820__update_table`). Ranges of type 0 are holes.
    ///
    /// A map of fewer than two ranges is left as it is, as in Linux. Should the result not fit, its
    /// highest ranges are lost.
    ///
    /// # Errors
    ///
    /// [`E820Error::Wraps`] names a range that does not end below 2^64; the map is then untouched.
    pub fn sanitize(&mut self) -> Result<(), E820Error> {
        if self.len < 2 {
            return Ok(());
        }
        if let Some(wraps) = self.entries().iter().find(|entry| entry.end().is_none()) {
            return Err(E820Error::Wraps(*wraps));
        }

        // From boundary to boundary: between two of them the type is the same everywhere.
        let mut count = 0;
        let mut open = E820Entry::EMPTY;
        let mut boundary = self.entries().iter().map(|entry| entry.addr).min();
        while let Some(at) = boundary {
            let (kind, next) = self.look(at);
            if kind != open.kind || keeps_boundaries(kind) {
                if !self.close(&mut count, open, at) {
                    open = E820Entry::EMPTY;
                    break;
                }
                open = E820Entry { addr: at, size: 0, kind };
            }
            boundary = next;
        }
        debug_assert_eq!(open.kind, E820Type(0), "nothing lies past the last boundary");

        self.entries[..count].copy_from_slice(&self.spare[..count]);
        self.len = count;
        Ok(())
    }

    /// The type that holds at `at`, 0 for none, and the next boundary after it.
    fn look(&self, at: u64) -> (E820Type, Option<u64>) {
        let mut kind = E820Type(0);
        let mut next: Option<u64> = None;
        for entry in self.entries().iter().filter(|entry| entry.size != 0) {
            let end = entry.addr + entry.size;
            if entry.addr <= at && at < end {
                kind = kind.max(entry.kind);
            }
            for boundary in [entry.addr, end] {
                if boundary > at && next.is_none_or(|next| boundary < next) {
                    next = Some(boundary);
                }
            }
        }
        (kind, next)
    }

    /// Ends the range `open` at `end` and puts it into the new map; `false` if that is now full.
    fn close(&mut self, count: &mut usize, open: E820Entry, end: u64) -> bool {
        if open.kind == E820Type(0) {
            return true;
        }
        self.spare[*count] = E820Entry {
            size: end - open.addr,
            ..open
        };
        *count += 1;
        *count < Self::CAPACITY
    }
}

//! Records as bytes.

use super::Meta;

/// Size of a record's header: time 8, caller 4, text length 2, facility 1, flags and level 1.
pub(super) const HEADER: usize = 16;

/// A length that no text has: the rest of the buffer is unused.
const END_MARK: u16 = u16::MAX;

/// Longest text that a header can describe.
pub(super) const MAX_TEXT: usize = END_MARK as usize - 1;

/// Bytes that a record with a text of `len` bytes takes.
pub(super) const fn size(len: usize) -> usize {
    HEADER + len.next_multiple_of(8)
}

/// What is at an offset.
pub(super) enum Slot {
    /// A record with a text of `len` bytes.
    Record {
        /// What its header says.
        meta: Meta,
        /// Length of its text.
        len: usize,
    },
    /// Nothing; the next record is at the buffer's start.
    End,
}

/// The bytes. All offsets are multiples of 8.
#[derive(Debug)]
pub(super) struct Buffer<'b> {
    bytes: &'b mut [u8],
}

impl<'b> Buffer<'b> {
    pub(super) const fn empty() -> Self {
        Self { bytes: &mut [] }
    }

    pub(super) fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn into_inner(self) -> &'b mut [u8] {
        self.bytes
    }

    pub(super) fn capacity(&self) -> usize {
        self.bytes.len() & !7
    }

    /// Reads the header at `at`; `None` if `at` is out of bounds.
    pub(super) fn slot(&self, at: usize) -> Option<Slot> {
        let rest = self.bytes.get(at..self.capacity())?;
        let Some(header) = rest.first_chunk::<HEADER>() else {
            return Some(Slot::End);
        };
        let [t0, t1, t2, t3, t4, t5, t6, t7, c0, c1, c2, c3, l0, l1, facility, bits] = *header;
        let len = u16::from_ne_bytes([l0, l1]);
        if len == END_MARK {
            return Some(Slot::End);
        }
        let meta = Meta {
            ts_ns: u64::from_ne_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
            caller: u32::from_ne_bytes([c0, c1, c2, c3]),
            facility,
            level: bits & 7,
            flags: bits >> 3,
        };
        Some(Slot::Record {
            meta,
            len: usize::from(len),
        })
    }

    /// The record at `at`.
    pub(super) fn record(&self, at: usize) -> Option<(Meta, &[u8])> {
        match self.slot(at)? {
            Slot::Record { meta, len } => Some((meta, self.bytes.get(at + HEADER..at + HEADER + len)?)),
            Slot::End => None,
        }
    }

    /// Offset of the record that follows the one at `at`; there must be one.
    pub(super) fn after(&self, at: usize) -> usize {
        let next = match self.slot(at) {
            Some(Slot::Record { len, .. }) => at + size(len),
            _ => 0,
        };
        match self.slot(next) {
            Some(Slot::Record { .. }) => next,
            _ => 0,
        }
    }

    fn put_header(&mut self, at: usize, meta: Meta, len: u16) {
        if let Some(header) = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<HEADER>) {
            header[..8].copy_from_slice(&meta.ts_ns.to_ne_bytes());
            header[8..12].copy_from_slice(&meta.caller.to_ne_bytes());
            header[12..14].copy_from_slice(&len.to_ne_bytes());
            header[14] = meta.facility;
            header[15] = meta.flags << 3 | meta.level & 7;
        }
    }

    /// Writes a record; it must fit.
    pub(super) fn put(&mut self, at: usize, meta: Meta, text: &[u8]) {
        self.put_header(at, meta, text.len() as u16);
        self.bytes[at + HEADER..][..text.len()].copy_from_slice(text);
    }

    /// Moves the record at `from`, with a text of `len` bytes, to `to` and adds `more` to its text;
    /// it must fit.
    pub(super) fn extend(&mut self, from: usize, to: usize, meta: Meta, len: usize, more: &[u8]) {
        self.bytes.copy_within(from + HEADER..from + HEADER + len, to + HEADER);
        self.put_header(to, meta, (len + more.len()) as u16);
        self.bytes[to + HEADER + len..][..more.len()].copy_from_slice(more);
    }

    /// Says that nothing follows at `at` up to the buffer's end.
    pub(super) fn mark_end(&mut self, at: usize) {
        if self.capacity() - at >= HEADER {
            self.put_header(at, Meta::default(), END_MARK);
        }
    }
}

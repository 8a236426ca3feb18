//! The log as printk sees it: the ring of records, and the one record that may still be added to.

use incipit_lib::ring::{Meta, Reader, Ring};

/// The longest text of one record in bytes, Linux's `LOG_LINE_MAX`.
pub const LINE_MAX: usize = 1024;

/// Set in [`Meta::caller`] if the rest is the number of a CPU, and not a task's id.
pub const CALLER_CPU: u32 = 1 << 31;

/// What [`read_record`](super::read_record) says of a record besides its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Time, caller, level.
    pub meta: Meta,
    /// How many bytes of text it has.
    pub len: usize,
    /// How many records before it were overwritten before this reader got to them.
    pub dropped: u64,
}

/// The ring, and the open record.
pub struct Log {
    ring: Ring<'static>,
    open: Option<OpenRecord>,
}

/// The newest record, not shown yet because its writer is to go on with it.
#[derive(Clone, Copy)]
struct OpenRecord {
    seq: u64,
    caller: u32,
    len: usize,
}

impl Log {
    /// A log without memory: whoever writes first must give it some.
    pub const fn empty() -> Self {
        Self {
            ring: Ring::empty(),
            open: None,
        }
    }

    /// Gives the log its memory, or other memory; records and readers stay as they are. `false`, and nothing done, if the records do not fit.
    pub fn move_to(&mut self, storage: &'static mut [u8]) -> bool {
        self.ring.resize(storage).is_ok()
    }

    /// Size of the memory in bytes.
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// Bytes that are not text of a record, which is how Linux counts what is free.
    pub fn free(&self) -> usize {
        let text: usize = self.ring.records().map(|record| record.text.len()).sum();
        self.capacity() - text
    }

    /// The oldest record that is still there.
    pub fn first(&self) -> Reader {
        Reader::new(self.ring.first_seq())
    }

    /// Number of complete records, overwritten ones too: the number that the next one has.
    pub fn end(&self) -> u64 {
        self.open.map_or(self.ring.next_seq(), |open| open.seq)
    }

    /// Appends a record of at most [`LINE_MAX`] bytes. With `open`, [`Log::extend`] may add to it until something else is written.
    pub fn push(&mut self, meta: Meta, text: &[u8], open: bool) {
        let seq = self.ring.push(meta, text);
        self.open = open.then_some(OpenRecord {
            seq,
            caller: meta.caller,
            len: text.len(),
        });
    }

    /// Adds to the record that `caller` left open. `false`, and nothing done, if there is none or the text does not fit any more.
    pub fn extend(&mut self, caller: u32, text: &[u8], still_open: bool) -> bool {
        let Some(open) = self.open.filter(|open| open.caller == caller && open.len + text.len() <= LINE_MAX) else {
            return false;
        };
        if !self.ring.append(open.seq, text) {
            return false;
        }
        self.open = still_open.then_some(OpenRecord {
            len: open.len + text.len(),
            ..open
        });
        true
    }

    /// Completes an open record, so that readers see it.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Copies the next complete record into `text` and moves the reader behind it. A reader whose record is gone goes on with the oldest.
    pub fn read(&self, reader: &mut Reader, text: &mut [u8; LINE_MAX]) -> Option<Found> {
        if reader.seq() >= self.end() {
            return None;
        }
        let read = self.ring.read(reader)?;
        let len = read.record.text.len().min(LINE_MAX);
        text[..len].copy_from_slice(&read.record.text[..len]);
        Some(Found {
            meta: read.record.meta,
            len,
            dropped: read.lost,
        })
    }
}

//! The kernel log's records, in one buffer.
//!
//! Records of any length follow each other in a buffer that the caller gives; a new one pushes out
//! as many of the oldest as it needs room. Each record has a sequence number, never used twice, by
//! which readers notice what they have missed. A record's text is always one slice.
//!
//! The ring is plain data: one writer at a time, and no reader while it writes, is the lock's
//! business that the kernel puts around it. Where time, level and caller come from is too.
//!
//! In the buffer, a record is a 16-byte header and the text, padded to 8 bytes. One that would not
//! fit before the buffer's end begins at its start, and a mark (or too few bytes for a header) at
//! the end says so.

mod buffer;

use buffer::{Buffer, Slot};
use core::mem;

/// What a record says besides its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// When, in nanoseconds since boot.
    pub ts_ns: u64,
    /// Who: Linux's caller id, a thread's number or a CPU's with bit 31 set.
    pub caller: u32,
    /// Syslog facility, 0 for the kernel.
    pub facility: u8,
    /// Severity, 0 (emergency) to 7 (debug); higher bits are dropped.
    pub level: u8,
    /// Flags of the writer's, 5 bits; higher bits are dropped.
    pub flags: u8,
}

/// One record of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number: 0 for the first record of all, then each one more.
    pub seq: u64,
    /// When, who, how urgent.
    pub meta: Meta,
    /// What.
    pub text: &'a [u8],
}

/// A place in the log, for reading on from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Number of the record to read next.
    seq: u64,
    /// Where the record before it was found, and when: saves the way from the oldest.
    before: Option<(u32, usize)>,
}

impl Reader {
    /// Begins at record `seq`; at 0 for all that there is.
    pub const fn new(seq: u64) -> Self {
        Self { seq, before: None }
    }

    /// Number of the record that is read next, unless it is lost by then.
    pub const fn seq(&self) -> u64 {
        self.seq
    }
}

/// What [`Ring::read`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read<'a> {
    /// The record.
    pub record: Record<'a>,
    /// How many records before it this reader has missed for good.
    pub lost: u64,
}

/// The log.
#[derive(Debug)]
pub struct Ring<'b> {
    buffer: Buffer<'b>,
    /// Where the oldest record is; the end of the newest.
    tail: usize,
    head: usize,
    /// Where the newest record is.
    last: usize,
    /// Number of the oldest record, and of the one to come; equal when there is none.
    first_seq: u64,
    next_seq: u64,
    /// Changes when records move, so that places that readers remember no longer count.
    generation: u32,
}

impl<'b> Ring<'b> {
    /// A log without room, which forgets every record at once, until it is given some by
    /// [`resize`](Self::resize).
    pub const fn empty() -> Self {
        Self {
            buffer: Buffer::empty(),
            tail: 0,
            head: 0,
            last: 0,
            first_seq: 0,
            next_seq: 0,
            generation: 0,
        }
    }

    /// A log in this buffer. Its content does not matter.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Self {
            buffer: Buffer::new(buffer),
            ..Self::empty()
        }
    }

    /// Size of the buffer in bytes.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Longest text that a record can have: a quarter of the buffer, so that a few records always
    /// fit, or 64 KiB.
    pub fn max_text(&self) -> usize {
        (self.capacity() / 4).saturating_sub(buffer::HEADER).min(buffer::MAX_TEXT)
    }

    /// Number of the oldest record that is still there; [`next_seq`](Self::next_seq) if none is.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Number that the next record will get: how many there have ever been.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// How many records are there.
    pub fn len(&self) -> u64 {
        self.next_seq - self.first_seq
    }

    /// Whether no record is there.
    pub fn is_empty(&self) -> bool {
        self.first_seq == self.next_seq
    }

    /// Adds a record and returns its number. Text past [`max_text`](Self::max_text) is cut off,
    /// never inside a UTF-8 character.
    pub fn push(&mut self, meta: Meta, text: &[u8]) -> u64 {
        let seq = self.next_seq;
        let text = cut(text, self.max_text());
        self.next_seq += 1;
        // From here on the new record counts, so dropping the others leaves one.
        if let Some(at) = self.make_room(buffer::size(text.len()), seq) {
            self.buffer.put(at, meta, text);
            self.head = at + buffer::size(text.len());
            self.last = at;
        } else {
            self.first_seq = self.next_seq;
        }
        seq
    }

    /// Adds text to record `seq` if that is the newest and stays within
    /// [`max_text`](Self::max_text); else returns `false`, and nothing has changed (Linux's
    /// `LOG_CONT` records).
    pub fn append(&mut self, seq: u64, text: &[u8]) -> bool {
        if self.is_empty() || seq + 1 != self.next_seq {
            return false;
        }
        let Some(Slot::Record { meta, len }) = self.buffer.slot(self.last) else {
            return false;
        };
        if len + text.len() > self.max_text() {
            return false;
        }
        let from = self.last;
        let size = buffer::size(len + text.len());
        self.head = from;
        let Some(at) = self.make_room(size, seq) else {
            unreachable!("a quarter of the buffer fits in it")
        };
        self.buffer.extend(from, at, meta, len, text);
        if from != at {
            self.generation = self.generation.wrapping_add(1);
        }
        self.head = at + size;
        self.last = at;
        if self.first_seq == seq {
            self.tail = at;
        }
        true
    }

    /// Finds room for `size` bytes at the head, for record `seq`: drops as many of the records
    /// before it as is needed. `None` if the whole buffer is too small, with all of them dropped.
    fn make_room(&mut self, size: usize, seq: u64) -> Option<usize> {
        loop {
            if self.first_seq == seq {
                // Nothing but the record itself: anywhere will do, and the start is simplest.
                self.tail = 0;
                return (size <= self.capacity()).then_some(0);
            }
            if self.head > self.tail {
                if size <= self.capacity() - self.head {
                    return Some(self.head);
                }
                if size <= self.tail {
                    self.buffer.mark_end(self.head);
                    return Some(0);
                }
            } else if size <= self.tail - self.head {
                return Some(self.head);
            }
            self.first_seq += 1;
            if self.first_seq < seq {
                self.tail = self.buffer.after(self.tail);
            }
        }
    }

    /// The record `seq`, if it is still there. The way to it begins at the oldest; a [`Reader`]
    /// remembers where it was.
    pub fn get(&self, seq: u64) -> Option<Record<'_>> {
        let read = self.read(&mut Reader::new(seq))?;
        (read.lost == 0).then_some(read.record)
    }

    /// Reads one record and moves the reader behind it. `None` when the reader has seen everything;
    /// it may try again later.
    pub fn read(&self, reader: &mut Reader) -> Option<Read<'_>> {
        let seq = reader.seq.max(self.first_seq);
        let lost = seq - reader.seq;
        if seq >= self.next_seq {
            return None;
        }
        let at = match reader.before {
            Some((generation, before)) if generation == self.generation && lost == 0 && seq > self.first_seq => self.buffer.after(before),
            _ => self.walk_to(seq),
        };
        let (meta, text) = self.buffer.record(at)?;
        *reader = Reader {
            seq: seq + 1,
            before: Some((self.generation, at)),
        };
        Some(Read {
            record: Record { seq, meta, text },
            lost,
        })
    }

    /// Where record `seq` is, which must be there.
    fn walk_to(&self, seq: u64) -> usize {
        (self.first_seq..seq).fold(self.tail, |at, _| self.buffer.after(at))
    }

    /// All records, oldest first.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let mut reader = Reader::new(self.first_seq);
        core::iter::from_fn(move || self.read(&mut reader).map(|read| read.record))
    }

    /// Moves the log into another buffer and returns the old one. No record is lost, and readers go
    /// on as if nothing had happened.
    ///
    /// # Errors
    ///
    /// The new buffer, if the records do not fit in it; nothing has changed then.
    pub fn resize(&mut self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], &'b mut [u8]> {
        let needed: usize = self.records().map(|record| buffer::size(record.text.len())).sum();
        let mut new = Buffer::new(buffer);
        if needed > new.capacity() {
            return Err(new.into_inner());
        }
        let (mut head, mut last) = (0, 0);
        for record in self.records() {
            last = head;
            new.put(head, record.meta, record.text);
            head += buffer::size(record.text.len());
        }
        (self.tail, self.head, self.last) = (0, head, last);
        self.generation = self.generation.wrapping_add(1);
        Ok(mem::replace(&mut self.buffer, new).into_inner())
    }
}

impl Default for Ring<'_> {
    fn default() -> Self {
        Self::empty()
    }
}

/// The first `max` bytes of `text`, fewer if that would leave part of a UTF-8 character.
fn cut(text: &[u8], max: usize) -> &[u8] {
    if text.len() <= max {
        return text;
    }
    // A character has at most three bytes after its first; more of them is no UTF-8.
    let continues = |at: &usize| text[*at] & 0xc0 == 0x80;
    let end = (max.saturating_sub(3)..=max).rev().find(|at| !continues(at)).unwrap_or(max);
    &text[..end]
}

#[cfg(test)]
mod tests;

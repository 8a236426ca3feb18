//! The ring that holds the log: records of variable length, the oldest making room for the newest.
//!
//! Pure data: no lock, no console, no clock. Positions count bytes since the first record and never wrap; a byte's place in the storage is its position
//! modulo the storage's size. So a reader's [`Cursor`] stays right when the log moves to larger storage, and a record may lie across the storage's end.

/// The longest text of one record in bytes, Linux's `LOG_LINE_MAX`.
pub const LINE_MAX: usize = 1024;

/// Bytes in front of each text: time, caller, length, level, facility.
const HEADER: usize = 16;

/// What is known of a record besides its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// When it was written, in nanoseconds since boot.
    pub time: u64,
    /// Who wrote it: a task's id, or [`CALLER_CPU`] plus a CPU's number where there is no task.
    pub caller: u32,
    /// Syslog priority: the level in bits 2:0, the facility (0 for the kernel) above.
    pub priority: u16,
}

/// Set in [`Meta::caller`] if the rest is the number of a CPU.
pub const CALLER_CPU: u32 = 1 << 31;

/// A reader's place in the log. The default is the first record ever written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    position: u64,
    sequence: u64,
}

impl Cursor {
    /// Number of the record that is read next, counted from the first of the boot.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// A record as [`LogRing::read`] found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Time, caller, priority.
    pub meta: Meta,
    /// How many bytes of text it has.
    pub len: usize,
    /// How many records were overwritten before this reader got to them.
    pub dropped: u64,
}

/// The log. `EARLY` bytes of it are part of the type, so that it works before there is memory to allocate.
pub struct LogRing<const EARLY: usize> {
    early: [u8; EARLY],
    moved: Option<&'static mut [u8]>,
    /// The oldest record.
    tail: Cursor,
    /// Where the next record will stand.
    head: Cursor,
    /// The record before `head` may still be added to, by the caller that its header names.
    open: Option<OpenRecord>,
}

#[derive(Clone, Copy)]
struct OpenRecord {
    at: Cursor,
    meta: Meta,
    len: usize,
}

impl<const EARLY: usize> LogRing<EARLY> {
    /// An empty log. All of it is zero bits, so that a static one costs no bytes in the image.
    pub const fn new() -> Self {
        const {
            assert!(
                EARLY.is_power_of_two() && EARLY >= 2 * (HEADER + LINE_MAX),
                "the early log must hold two records, a power of two of bytes"
            )
        };
        let start = Cursor { position: 0, sequence: 0 };
        Self {
            early: [0; EARLY],
            moved: None,
            tail: start,
            head: start,
            open: None,
        }
    }

    /// Size of the storage in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.moved.as_ref().map_or(EARLY, |storage| storage.len())
    }

    /// Bytes that no record uses.
    #[must_use]
    pub fn free(&self) -> usize {
        self.capacity() - self.used()
    }

    /// The oldest record that is still there.
    #[must_use]
    pub const fn first(&self) -> Cursor {
        self.tail
    }

    /// Behind the newest record that readers may see: an open one is not complete yet.
    #[must_use]
    pub fn end(&self) -> Cursor {
        self.open.map_or(self.head, |open| open.at)
    }

    /// Appends a record; text beyond [`LINE_MAX`] bytes is cut. With `open`, [`LogRing::extend`] may add to it until something else is written.
    pub fn push(&mut self, meta: Meta, text: &[u8], open: bool) {
        let text = &text[..text.len().min(LINE_MAX)];
        self.make_room(HEADER + text.len());
        let at = self.head;
        self.write_header(at.position, meta, text.len());
        self.write(at.position + HEADER as u64, text);
        self.head = Cursor {
            position: at.position + (HEADER + text.len()) as u64,
            sequence: at.sequence + 1,
        };
        self.open = open.then_some(OpenRecord { at, meta, len: text.len() });
    }

    /// Adds to the record that `caller` left open. `false`, and nothing done, if there is none or the text does not fit any more.
    pub fn extend(&mut self, caller: u32, text: &[u8], still_open: bool) -> bool {
        let Some(open) = self
            .open
            .filter(|open| open.meta.caller == caller && open.len + text.len() <= LINE_MAX)
        else {
            return false;
        };
        self.make_room(text.len());
        self.write(self.head.position, text);
        self.head.position += text.len() as u64;
        let len = open.len + text.len();
        self.write_header(open.at.position, open.meta, len);
        self.open = still_open.then_some(OpenRecord { len, ..open });
        true
    }

    /// Completes an open record, so that readers see it.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Copies the record at `cursor` into `text` and moves the cursor behind it. A cursor whose record is gone goes on with the oldest. `None` at the end.
    pub fn read(&self, cursor: &mut Cursor, text: &mut [u8; LINE_MAX]) -> Option<Found> {
        let mut dropped = 0;
        if cursor.sequence < self.tail.sequence {
            dropped = self.tail.sequence - cursor.sequence;
            *cursor = self.tail;
        }
        if cursor.sequence >= self.end().sequence {
            return None;
        }
        let (meta, len) = self.read_header(cursor.position);
        self.copy_out(cursor.position + HEADER as u64, &mut text[..len]);
        *cursor = Cursor {
            position: cursor.position + (HEADER + len) as u64,
            sequence: cursor.sequence + 1,
        };
        Some(Found { meta, len, dropped })
    }

    /// Moves the log, every record of it, into `storage`. `false`, and nothing done, if that is not larger than what the log has or no power of two.
    pub fn move_to(&mut self, storage: &'static mut [u8]) -> bool {
        if storage.len() <= self.capacity() || !storage.len().is_power_of_two() {
            return false;
        }
        let size = storage.len() as u64;
        for position in self.tail.position..self.head.position {
            storage[(position % size) as usize] = self.storage()[self.index(position)];
        }
        self.moved = Some(storage);
        true
    }

    fn used(&self) -> usize {
        (self.head.position - self.tail.position) as usize
    }

    fn storage(&self) -> &[u8] {
        self.moved.as_deref().unwrap_or(&self.early)
    }

    fn storage_mut(&mut self) -> &mut [u8] {
        self.moved.as_deref_mut().unwrap_or(&mut self.early)
    }

    fn index(&self, position: u64) -> usize {
        position as usize & (self.capacity() - 1)
    }

    fn make_room(&mut self, bytes: usize) {
        while self.free() < bytes {
            let (_, len) = self.read_header(self.tail.position);
            self.tail = Cursor {
                position: self.tail.position + (HEADER + len) as u64,
                sequence: self.tail.sequence + 1,
            };
        }
    }

    fn write(&mut self, position: u64, bytes: &[u8]) {
        let start = self.index(position);
        let storage = self.storage_mut();
        let before_end = bytes.len().min(storage.len() - start);
        storage[start..start + before_end].copy_from_slice(&bytes[..before_end]);
        storage[..bytes.len() - before_end].copy_from_slice(&bytes[before_end..]);
    }

    fn copy_out(&self, position: u64, bytes: &mut [u8]) {
        let start = self.index(position);
        let storage = self.storage();
        let before_end = bytes.len().min(storage.len() - start);
        let rest = bytes.len() - before_end;
        bytes[..before_end].copy_from_slice(&storage[start..start + before_end]);
        bytes[before_end..].copy_from_slice(&storage[..rest]);
    }

    fn write_header(&mut self, position: u64, meta: Meta, len: usize) {
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&meta.time.to_ne_bytes());
        header[8..12].copy_from_slice(&meta.caller.to_ne_bytes());
        header[12..14].copy_from_slice(&(len as u16).to_ne_bytes());
        header[14..].copy_from_slice(&meta.priority.to_ne_bytes());
        self.write(position, &header);
    }

    fn read_header(&self, position: u64) -> (Meta, usize) {
        let mut header = [0; HEADER];
        self.copy_out(position, &mut header);
        let [t0, t1, t2, t3, t4, t5, t6, t7, c0, c1, c2, c3, l0, l1, p0, p1] = header;
        let meta = Meta {
            time: u64::from_ne_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
            caller: u32::from_ne_bytes([c0, c1, c2, c3]),
            priority: u16::from_ne_bytes([p0, p1]),
        };
        (meta, usize::from(u16::from_ne_bytes([l0, l1])))
    }
}

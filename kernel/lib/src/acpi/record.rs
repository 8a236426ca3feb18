//! Lists of records, each of which begins with its kind and its length, a byte each: what MADT and SRAT consist of.

use core::fmt;

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Its length does not even cover kind and length, or reaches past the end of the table; nothing behind it can be found.
    Length {
        /// Where in the table it begins.
        offset: usize,
        /// Its kind.
        kind: u8,
        /// Its length, as claimed.
        length: u8,
    },
    /// It is shorter than a record of its kind must be, and left out.
    TooShort {
        /// Where in the table it begins.
        offset: usize,
        /// Its kind.
        kind: u8,
        /// Its length.
        length: u8,
        /// What its length must be at the least.
        needed: u8,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { offset, kind, length } => write!(
                f,
                "entry at {offset:#x} (type {kind:#x}) has an impossible length of {length}: the rest is ignored"
            ),
            Self::TooShort {
                offset,
                kind,
                length,
                needed,
            } => write!(
                f,
                "entry at {offset:#x} (type {kind:#x}) has {length} bytes instead of {needed}: ignored"
            ),
        }
    }
}

impl core::error::Error for RecordError {}

/// One record: where in the table it begins, and its bytes, kind and length included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub offset: usize,
    pub bytes: &'a [u8],
}

impl Record<'_> {
    pub fn kind(&self) -> u8 {
        self.bytes[0]
    }

    pub fn too_short(&self, needed: usize) -> RecordError {
        RecordError::TooShort {
            offset: self.offset,
            kind: self.kind(),
            length: self.bytes[1],
            needed: needed as u8,
        }
    }
}

/// Walks the records of `table` from `offset` on.
pub(super) fn records(table: &[u8], offset: usize) -> impl Iterator<Item = Result<Record<'_>, RecordError>> {
    let mut offset = offset;
    core::iter::from_fn(move || {
        let rest = table.get(offset..)?;
        let &kind = rest.first()?;
        let length = rest.get(1).copied().unwrap_or_default();
        let found = match rest.get(..usize::from(length)) {
            Some(bytes) if bytes.len() >= 2 => Record { offset, bytes },
            _ => {
                let error = RecordError::Length { offset, kind, length };
                offset = table.len();
                return Some(Err(error));
            }
        };
        offset += found.bytes.len();
        Some(Ok(found))
    })
}

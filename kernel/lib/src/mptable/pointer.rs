//! The floating pointer.

use core::fmt;

use crate::checksum::sum;
use crate::wire::{Wire, wire};

wire! {
    /// The structure that is searched for (MPS 4.1).
    pub struct FloatingPointer[16] {
        /// [`FloatingPointer::SIGNATURE`].
        signature: [u8; 4] => 0,
        /// Physical address of the table; 0 if the machine is one of the default configurations.
        table: u32 => 4,
        /// Size of this structure in units of 16 bytes: 1.
        length: u8 => 8,
        /// 1 or 4: version 1.1 or 1.4.
        revision: u8 => 9,
        /// Makes all bytes add up to 0.
        checksum: u8 => 10,
        /// Number of the default configuration; 0 if there is a table.
        default_configuration: u8 => 11,
        /// Bit 7: interrupts go through the 8259 until another register says otherwise.
        features: u8 => 12,
    }
}

/// Why what has the signature is no floating pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerError {
    /// Its length is not 1.
    Length(u8),
    /// Its bytes add up to this instead of 0.
    Checksum(u8),
    /// It is of a version that nobody knows.
    Revision(u8),
}

impl fmt::Display for PointerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "length {length} instead of 1"),
            Self::Checksum(sum) => write!(f, "bytes add up to {sum:#04x} instead of 0"),
            Self::Revision(revision) => write!(f, "unknown version 1.{revision}"),
        }
    }
}

impl core::error::Error for PointerError {}

impl FloatingPointer {
    /// What it begins with.
    pub const SIGNATURE: [u8; 4] = *b"_MP_";
    /// Bytes of it.
    pub const LENGTH: usize = <Self as Wire>::SIZE;

    /// Reads the floating pointer that `bytes` are; `None` if they do not begin with its signature, or are too few.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Result<Self, PointerError>> {
        let found = Self::read(bytes).filter(|found| found.signature == Self::SIGNATURE)?;
        Some(match sum(&bytes[..Self::LENGTH]) {
            _ if found.length != 1 => Err(PointerError::Length(found.length)),
            wrong @ 1.. => Err(PointerError::Checksum(wrong)),
            0 if !matches!(found.revision, 1 | 4) => Err(PointerError::Revision(found.revision)),
            0 => Ok(found),
        })
    }
}

/// Searches `area` for floating pointers, which lie at multiples of 16. Gives the offset of each signature, with the pointer or why it is none.
pub fn search(area: &[u8]) -> impl Iterator<Item = (usize, Result<FloatingPointer, PointerError>)> {
    const STEP: usize = FloatingPointer::LENGTH;
    area.as_chunks::<STEP>()
        .0
        .iter()
        .enumerate()
        .filter(|(_, paragraph)| paragraph[0] == b'_')
        .filter_map(|(index, paragraph)| Some((index * STEP, FloatingPointer::parse(paragraph)?)))
}

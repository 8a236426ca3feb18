//! The MP table: processors and interrupt controllers as firmware told them before ACPI.
//!
//! A floating pointer, found by its signature, leads to a table of entries of fixed sizes. All of it is untrusted. Layouts are those of Intel's MultiProcessor
//! Specification 1.4; texts are those of Linux's log.

mod entry;
mod pointer;

pub use entry::{Entry, EntryError, Interrupt, entries};
pub use pointer::{FloatingPointer, PointerError, search};

use core::fmt::{self, Write};

use crate::checksum::sum;
use crate::wire::{Wire, wire};

wire! {
    /// What the table begins with (MPS 4.2).
    pub struct Header[44] {
        /// [`Header::SIGNATURE`].
        signature: [u8; 4] => 0,
        /// Bytes of the table, these included.
        length: u16 => 4,
        /// 1 or 4: version 1.1 or 1.4.
        revision: u8 => 6,
        /// Makes all bytes add up to 0.
        checksum: u8 => 7,
        /// Who made the machine.
        oem_id: [u8; 8] => 8,
        /// What he calls it.
        product_id: [u8; 12] => 16,
        /// How many entries there are.
        count: u16 => 34,
        /// Physical address of the processors' local interrupt controllers.
        local_apic: u32 => 36,
        /// Bytes of further entries, behind these.
        extended_length: u16 => 40,
    }
}

impl Header {
    /// What the table begins with.
    pub const SIGNATURE: [u8; 4] = *b"PCMP";
}

/// Why a table is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// It ends outside memory that can be read.
    CutShort,
    /// It begins with something else.
    Signature([u8; 4]),
    /// It is said to be shorter than its header.
    Length(u16),
    /// Its bytes add up to this instead of 0.
    Checksum(u8),
    /// It is of a version that nobody knows.
    Revision(u8),
    /// It has no address of the local interrupt controllers.
    NoLocalApic,
}

/// As Linux's log says it.
impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort => f.write_str("out of reach"),
            Self::Signature([a, b, c, d]) => write!(f, "bad signature [{a:02x} {b:02x} {c:02x} {d:02x}]!"),
            Self::Length(length) => write!(f, "length of {length} bytes is impossible!"),
            Self::Checksum(_) => f.write_str("checksum error!"),
            Self::Revision(revision) => write!(f, "bad table version ({revision})!!"),
            Self::NoLocalApic => f.write_str("null local APIC address!"),
        }
    }
}

impl core::error::Error for TableError {}

/// A table that is what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MpTable<'a> {
    /// Its header.
    pub header: Header,
    bytes: &'a [u8],
}

impl<'a> MpTable<'a> {
    /// Checks the table that `bytes` begin with.
    ///
    /// # Errors
    ///
    /// If it cannot be used: the reasons are Linux's `smp_check_mpc`.
    pub fn check(bytes: &'a [u8]) -> Result<Self, TableError> {
        let header = Header::read(bytes).ok_or(TableError::CutShort)?;
        if header.signature != Header::SIGNATURE {
            return Err(TableError::Signature(header.signature));
        }
        if usize::from(header.length) < Header::SIZE {
            return Err(TableError::Length(header.length));
        }
        let bytes = bytes.get(..header.length.into()).ok_or(TableError::CutShort)?;
        match sum(bytes) {
            0 => {}
            wrong => return Err(TableError::Checksum(wrong)),
        }
        if !matches!(header.revision, 1 | 4) {
            return Err(TableError::Revision(header.revision));
        }
        if header.local_apic == 0 {
            return Err(TableError::NoLocalApic);
        }
        Ok(Self { header, bytes })
    }

    /// The entries. Linux goes by the table's length, not by the count, and so does this.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, EntryError>> + use<'a> {
        entries(&self.bytes[Header::SIZE..])
    }

    /// Who made the machine, and what he calls it.
    #[must_use]
    pub fn names(&self) -> (Name<'_>, Name<'_>) {
        (Name(&self.header.oem_id), Name(&self.header.product_id))
    }
}

/// A name of fixed width; what cannot be printed becomes `?`.
pub struct Name<'a>(&'a [u8]);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| {
            let printable = byte.is_ascii_graphic() || *byte == b' ';
            f.write_char(if printable { char::from(*byte) } else { '?' })
        })
    }
}

#[cfg(test)]
mod tests;

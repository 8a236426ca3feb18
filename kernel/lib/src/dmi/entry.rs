//! The entry point: found by its anchor, checked by its checksum.

use core::fmt;

use crate::checksum::sum;
use crate::wire::{Wire, wire};

wire! {
    /// The 64-bit entry point, behind its anchor `_SM3_` (SMBIOS 5.2.2).
    struct Entry64[24] {
        length: u8 => 6,
        major: u8 => 7,
        minor: u8 => 8,
        docrev: u8 => 9,
        table_size: u32 => 12,
        table: u64 => 16,
    }
}

wire! {
    /// The 32-bit entry point, behind its anchor `_SM_` (SMBIOS 5.2.1), without the part that it shares with the oldest one.
    struct Entry32[16] {
        length: u8 => 5,
        major: u8 => 6,
        minor: u8 => 7,
    }
}

wire! {
    /// The oldest entry point, behind its anchor `_DMI_`; the 32-bit one ends with it.
    struct Legacy[15] {
        table_size: u16 => 6,
        table: u32 => 8,
        count: u16 => 12,
        revision: u8 => 14,
    }
}

/// Which form an entry point has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// `_DMI_` alone.
    Legacy,
    /// `_SM_`.
    Smbios2,
    /// `_SM3_`.
    Smbios3,
}

/// Where the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    /// The form of the entry point.
    pub kind: EntryKind,
    /// Version of the specification: major, minor, revision of the document.
    pub version: [u8; 3],
    /// The table's physical address.
    pub table: u64,
    /// Its bytes; of [`EntryKind::Smbios3`] the most that it can have.
    pub size: u32,
    /// How many structures it has; 0 if they are only ended by one of type 127.
    pub count: u16,
}

/// Why what has an anchor is no entry point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryError {
    /// It ends outside the bytes.
    CutShort,
    /// Its length is none that the specification knows.
    Length(u8),
    /// Its bytes add up to this instead of 0.
    Checksum(u8),
    /// There is no `_DMI_` in it.
    Intermediate,
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort => f.write_str("cut short"),
            Self::Length(length) => write!(f, "impossible length {length}"),
            Self::Checksum(sum) => write!(f, "bytes add up to {sum:#04x} instead of 0"),
            Self::Intermediate => f.write_str("no _DMI_ in it"),
        }
    }
}

impl core::error::Error for EntryError {}

/// As Linux's log says it.
impl fmt::Display for EntryPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, revision] = self.version;
        match self.kind {
            EntryKind::Smbios3 => write!(f, "SMBIOS {major}.{minor}.{revision} present."),
            EntryKind::Smbios2 => write!(f, "SMBIOS {major}.{minor} present."),
            EntryKind::Legacy => write!(f, "Legacy DMI {major}.{minor} present."),
        }
    }
}

/// The first `length` bytes, if they add up to 0.
fn checked(bytes: &[u8], length: usize) -> Result<&[u8], EntryError> {
    let bytes = bytes.get(..length).ok_or(EntryError::CutShort)?;
    match sum(bytes) {
        0 => Ok(bytes),
        wrong => Err(EntryError::Checksum(wrong)),
    }
}

impl EntryPoint {
    /// Reads the entry point that the bytes begin with; `None` if they begin with no anchor.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Result<Self, EntryError>> {
        if bytes.starts_with(b"_SM3_") {
            Some(Self::smbios3(bytes))
        } else if bytes.starts_with(b"_SM_") {
            Some(Self::smbios2(bytes))
        } else if bytes.starts_with(b"_DMI_") {
            Some(Self::legacy(bytes))
        } else {
            None
        }
    }

    fn smbios3(bytes: &[u8]) -> Result<Self, EntryError> {
        let entry = Entry64::read(bytes).ok_or(EntryError::CutShort)?;
        if usize::from(entry.length) < Entry64::SIZE || entry.length > 32 {
            return Err(EntryError::Length(entry.length));
        }
        checked(bytes, entry.length.into())?;
        Ok(Self {
            kind: EntryKind::Smbios3,
            version: [entry.major, entry.minor, entry.docrev],
            table: entry.table,
            size: entry.table_size,
            count: 0,
        })
    }

    fn smbios2(bytes: &[u8]) -> Result<Self, EntryError> {
        let entry = Entry32::read(bytes).ok_or(EntryError::CutShort)?;
        // Version 2.1 of the specification said 30 by mistake; the structure has 31 bytes.
        if !(30..=32).contains(&entry.length) {
            return Err(EntryError::Length(entry.length));
        }
        checked(bytes, entry.length.into())?;
        let rest = &bytes[Entry32::SIZE..];
        if !rest.starts_with(b"_DMI_") {
            return Err(EntryError::Intermediate);
        }
        Ok(Self {
            kind: EntryKind::Smbios2,
            version: known_version(entry.major, entry.minor),
            ..Self::legacy(rest)?
        })
    }

    fn legacy(bytes: &[u8]) -> Result<Self, EntryError> {
        let entry = checked(bytes, Legacy::SIZE).and_then(|bytes| Legacy::read(bytes).ok_or(EntryError::CutShort))?;
        Ok(Self {
            kind: EntryKind::Legacy,
            version: [entry.revision >> 4, entry.revision & 0xf, 0],
            table: entry.table.into(),
            size: entry.table_size.into(),
            count: entry.count,
        })
    }
}

/// The version that is meant: some firmware has its minor number as two digits of another number (Linux's `dmi_present`).
const fn known_version(major: u8, minor: u8) -> [u8; 3] {
    match (major, minor) {
        (2, 0x1f | 0x21) => [2, 3, 0],
        (2, 0x33) => [2, 6, 0],
        _ => [major, minor, 0],
    }
}

/// Searches `area` for entry points, which lie at multiples of 16, and gives the one of the newest form and its offset. `report` gets what has an anchor and
/// is none.
pub fn search(area: &[u8], mut report: impl FnMut(usize, EntryError)) -> Option<(usize, EntryPoint)> {
    const STEP: usize = 16;
    let mut best: Option<(usize, EntryPoint)> = None;
    for (index, paragraph) in area.as_chunks::<STEP>().0.iter().enumerate() {
        // Every anchor begins so, and hardly anything else does.
        if paragraph[0] != b'_' {
            continue;
        }
        let offset = index * STEP;
        match EntryPoint::parse(&area[offset..]) {
            Some(Ok(entry)) if best.is_none_or(|(_, best)| entry.kind > best.kind) => best = Some((offset, entry)),
            Some(Err(error)) => report(offset, error),
            _ => {}
        }
    }
    best
}

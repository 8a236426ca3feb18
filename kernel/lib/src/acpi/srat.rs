//! Which processors and which memory are near each other.

use core::ops::Range;

use super::record::{Record, RecordError, records};
use crate::wire::Wire;

/// The system resource affinity table (ACPI 5.2.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Srat<'a> {
    table: &'a [u8],
}

/// Where the entries begin.
const ENTRIES: usize = 48;
/// Where the table's revision is: the first knew no more than 256 domains, and what is in the upper bytes of theirs is garbage.
const REVISION: usize = 8;

/// Memory of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryAffinity {
    /// The domain.
    pub domain: u32,
    /// The first byte.
    pub base: u64,
    /// Bytes of it.
    pub length: u64,
    /// Whether it can be plugged.
    pub hotplug: bool,
    /// Whether it keeps its content without power.
    pub non_volatile: bool,
}

impl MemoryAffinity {
    /// Its addresses; `None` if it is empty or wraps around.
    #[must_use]
    pub fn range(&self) -> Option<Range<u64>> {
        let end = self.base.checked_add(self.length)?;
        (end > self.base).then_some(self.base..end)
    }

    /// Whether `other` is memory of another domain and yet, in part, the same.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        let (Some(ours), Some(theirs)) = (self.range(), other.range()) else {
            return false;
        };
        self.domain != other.domain && ours.start < theirs.end && theirs.start < ours.end
    }
}

/// An entry that is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SratEntry {
    /// A processor.
    Processor {
        /// Its domain.
        domain: u32,
        /// Its APIC id.
        apic_id: u32,
    },
    /// Memory.
    Memory(MemoryAffinity),
    /// Something else.
    Other {
        /// Its kind.
        kind: u8,
    },
}

impl<'a> Srat<'a> {
    /// Takes the table; `None` if it is too short.
    #[must_use]
    pub fn parse(table: &'a [u8]) -> Option<Self> {
        (table.len() >= ENTRIES).then_some(Self { table })
    }

    /// The entries that are enabled, and what is wrong with those that are none.
    pub fn entries(&self) -> impl Iterator<Item = Result<SratEntry, RecordError>> + use<'a> {
        let narrow = self.table[REVISION] < 2;
        records(self.table, ENTRIES)
            .map(move |record| entry(record?, narrow))
            .filter_map(Result::transpose)
    }

    /// The memory of all domains.
    pub fn memory(&self) -> impl Iterator<Item = MemoryAffinity> + use<'a> {
        self.entries().filter_map(|entry| match entry {
            Ok(SratEntry::Memory(memory)) => Some(memory),
            _ => None,
        })
    }
}

/// The entry of a record; `None` if it is not enabled.
fn entry(record: Record<'_>, narrow: bool) -> Result<Option<SratEntry>, RecordError> {
    let domain = |domain: u32| if narrow { domain & 0xff } else { domain };
    match record.kind() {
        0 => {
            let found = fields(record, 16, |bytes| {
                let low = u32::from(*bytes.get(2)?);
                let high = u32::read(bytes.get(8..)?)? & !0xff;
                Some((high | low, u32::from(*bytes.get(3)?), u32::read(bytes.get(4..)?)?))
            })?;
            let (pxm, apic_id, flags) = found;
            Ok((flags & 1 != 0).then_some(SratEntry::Processor {
                domain: domain(pxm),
                apic_id,
            }))
        }
        1 => fields(record, 40, |bytes| {
            let flags = u32::read(bytes.get(28..)?)?;
            let memory = MemoryAffinity {
                domain: domain(u32::read(bytes.get(2..)?)?),
                base: u64::read(bytes.get(8..)?)?,
                length: u64::read(bytes.get(16..)?)?,
                hotplug: flags & 2 != 0,
                non_volatile: flags & 4 != 0,
            };
            Some((flags & 1 != 0).then_some(SratEntry::Memory(memory)))
        }),
        2 => fields(record, 24, |bytes| {
            let flags = u32::read(bytes.get(12..)?)?;
            let entry = SratEntry::Processor {
                domain: u32::read(bytes.get(4..)?)?,
                apic_id: u32::read(bytes.get(8..)?)?,
            };
            Some((flags & 1 != 0).then_some(entry))
        }),
        kind => Ok(Some(SratEntry::Other { kind })),
    }
}

/// What `read` takes from a record that must have `needed` bytes.
fn fields<T>(record: Record<'_>, needed: usize, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, RecordError> {
    record.bytes.get(..needed).and_then(read).ok_or_else(|| record.too_short(needed))
}

//! Filling the table from the zero page.

use super::{E820Entry, E820Error, E820Table, E820Type};
use crate::bootparam::BootParams;
use core::fmt;

/// Where the memory map came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemorySource {
    /// The map in the zero page.
    E820,
    /// A single size, from BIOS function `e801h`.
    E801,
    /// A single size, from BIOS function `88h`.
    Bios88,
}

/// The name in the log, for [`E820Table::lines`].
impl MemorySource {
    /// `BIOS-e820`, `BIOS-e801` or `BIOS-88`.
    pub const fn who(self) -> &'static str {
        match self {
            Self::E820 => "BIOS-e820",
            Self::E801 => "BIOS-e801",
            Self::Bios88 => "BIOS-88",
        }
    }
}

impl fmt::Display for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.who())
    }
}

/// What [`E820Table::memory_setup`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySetup {
    /// Which of the sources was used.
    pub source: MemorySource,
    /// How many entries of the map were left out because they wrap around.
    pub ignored: usize,
    /// The first of them.
    pub first_ignored: Option<E820Entry>,
}

/// End of low memory when nothing better is known: below the BIOS' data area.
const LOW_MEMORY_END: u64 = 0x9f000;
const HIGH_MEMORY: u64 = 0x10_0000;

impl E820Table {
    /// Replaces the table by the memory map of the zero page, sanitised; with fewer than two ranges
    /// in it, by a map made from the larger of the two old-fashioned memory sizes
    /// (`e820__memory_setup_default`).
    ///
    /// An entry that wraps around the address space makes Linux reject the whole map. Here only
    /// that entry is left out, and reported.
    pub fn memory_setup(&mut self, params: &BootParams) -> MemorySetup {
        self.clear();
        let mut ignored = 0;
        let mut first_ignored = None;
        for entry in params.e820_table() {
            let fits = entry.end().is_some() && self.add(entry.addr, entry.size, entry.kind).is_ok();
            if !fits {
                ignored += 1;
                first_ignored = first_ignored.or(Some(entry));
            }
        }
        let mut source = MemorySource::E820;
        if self.entries().len() < 2 {
            source = self.memory_setup_by_size(params);
        }
        // Every entry has been checked for what sanitising refuses.
        let _ = self.sanitize();
        MemorySetup {
            source,
            ignored,
            first_ignored,
        }
    }

    fn memory_setup_by_size(&mut self, params: &BootParams) -> MemorySource {
        let (alt_mem_k, ext_mem_k) = (params.alt_mem_k(), u32::from(params.screen_info().ext_mem_k));
        let (source, kib) = if alt_mem_k < ext_mem_k {
            (MemorySource::Bios88, ext_mem_k)
        } else {
            (MemorySource::E801, alt_mem_k)
        };
        let range = |addr, size| E820Entry {
            addr,
            size,
            kind: E820Type::RAM,
        };
        self.entries[0] = range(0, LOW_MEMORY_END);
        self.entries[1] = range(HIGH_MEMORY, u64::from(kib) << 10);
        self.len = 2;
        source
    }

    /// Adds the ranges of a `setup_data` extension and sanitises the result
    /// (`e820__memory_setup_extended`).
    ///
    /// # Errors
    ///
    /// The first entry that wraps or does not fit; the others are in.
    pub fn memory_setup_extended(&mut self, entries: impl IntoIterator<Item = E820Entry>) -> Result<(), E820Error> {
        let mut result = Ok(());
        for entry in entries {
            let added = match entry.end() {
                Some(_) => self.add(entry.addr, entry.size, entry.kind),
                None => Err(E820Error::Wraps(entry)),
            };
            result = result.and(added);
        }
        result.and(self.sanitize())
    }
}

//! The memory map that firmware gives, e820.
//!
//! A table of typed ranges, at first as wild as the firmware left it, then
//! [sanitised](E820Table::sanitize). Behaviour and log lines are those of Linux's
//! `arch/x86/kernel/e820.c`. Only the table lives here; who fills, prints and reserves is the
//! kernel's business.

mod query;
mod sanitize;
mod setup;
mod user;

pub use query::PciGap;
pub use setup::{MemorySetup, MemorySource};
pub use user::UserRange;

use crate::wire::{Wire, wire};
use core::fmt;

/// What a range is. Any number may come from firmware; the known ones have names.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E820Type(pub u32);

impl E820Type {
    /// Memory to use.
    pub const RAM: Self = Self(1);
    /// Not to be touched.
    pub const RESERVED: Self = Self(2);
    /// ACPI tables; usable once they have been read.
    pub const ACPI: Self = Self(3);
    /// ACPI memory to be saved across sleep.
    pub const NVS: Self = Self(4);
    /// Memory found faulty.
    pub const UNUSABLE: Self = Self(5);
    /// Persistent memory.
    pub const PMEM: Self = Self(7);
    /// Persistent memory of the legacy kind (`memmap=nn!ss`).
    pub const PRAM: Self = Self(12);
    /// Memory that the kernel reserved for itself.
    pub const RESERVED_KERN: Self = Self(128);
    /// Memory set aside for a specific purpose.
    pub const SOFT_RESERVED: Self = Self(0xefff_ffff);

    /// The name in `/proc/iomem` (`e820_type_to_string`).
    pub const fn resource_name(self) -> &'static str {
        match self {
            Self::RAM | Self::RESERVED_KERN => "System RAM",
            Self::RESERVED => "Reserved",
            Self::SOFT_RESERVED => "Soft Reserved",
            Self::ACPI => "ACPI Tables",
            Self::NVS => "ACPI Non-volatile Storage",
            Self::UNUSABLE => "Unusable memory",
            Self::PMEM => "Persistent Memory",
            Self::PRAM => "Persistent Memory (legacy)",
            _ => "Unknown E820 type",
        }
    }
}

impl Wire for E820Type {
    const SIZE: usize = 4;

    fn read(bytes: &[u8]) -> Option<Self> {
        u32::read(bytes).map(Self)
    }

    fn write(&self, bytes: &mut [u8]) -> Option<()> {
        self.0.write(bytes)
    }
}

/// The name in the log, such as `ACPI NVS`.
impl fmt::Display for E820Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RAM | Self::RESERVED_KERN => f.write_str("usable"),
            Self::RESERVED => f.write_str("reserved"),
            Self::SOFT_RESERVED => f.write_str("soft reserved"),
            Self::ACPI => f.write_str("ACPI data"),
            Self::NVS => f.write_str("ACPI NVS"),
            Self::UNUSABLE => f.write_str("unusable"),
            Self::PMEM | Self::PRAM => write!(f, "persistent (type {})", self.0),
            Self(other) => write!(f, "type {other}"),
        }
    }
}

impl fmt::Debug for E820Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

wire! {
    /// One range (`struct boot_e820_entry`).
    pub struct E820Entry[20] {
        /// Physical address of its first byte.
        addr: u64 => 0,
        /// Its size in bytes.
        size: u64 => 8,
        /// What it is.
        kind: E820Type => 16,
    }
}

impl E820Entry {
    /// A table slot without a range.
    const EMPTY: Self = Self {
        addr: 0,
        size: 0,
        kind: E820Type(0),
    };

    /// First address after the range; `None` if that does not fit in 64 bits.
    pub const fn end(&self) -> Option<u64> {
        self.addr.checked_add(self.size)
    }
}

/// The range and its type as the memory map in the log shows them.
impl fmt::Display for E820Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.addr.wrapping_add(self.size).wrapping_sub(1);
        write!(f, "[mem {:#018x}-{last:#018x}] {}", self.addr, self.kind)
    }
}

/// What a table cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum E820Error {
    /// No slot is left for the parts that the change would make; the range named was left as it
    /// was.
    Full(E820Entry),
    /// The entry's end is not below 2^64.
    Wraps(E820Entry),
}

impl fmt::Display for E820Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(E820Entry { addr, size, .. }) => {
                let last = addr.wrapping_add(*size).wrapping_sub(1);
                write!(f, "e820: too many entries; ignoring [mem {addr:#010x}-{last:#010x}]")
            }
            Self::Wraps(E820Entry { addr, size, kind }) => {
                write!(f, "e820: {kind} range at {addr:#x} of {size:#x} bytes wraps around")
            }
        }
    }
}

impl core::error::Error for E820Error {}

/// A memory map of at most [`E820Table::CAPACITY`] ranges, in any order until it is
/// [sanitised](Self::sanitize).
///
/// The table is large (15 KiB): it belongs in a static, not on a stack.
#[derive(Clone)]
pub struct E820Table {
    entries: [E820Entry; Self::CAPACITY],
    len: usize,
    /// Where [`sanitize`](Self::sanitize) builds the new map: early stacks have no room for it.
    spare: [E820Entry; Self::CAPACITY],
}

impl E820Table {
    /// How many ranges fit: the zero page's 128, and room for what `setup_data` and splitting add.
    pub const CAPACITY: usize = 320;

    /// A table without ranges.
    pub const fn new() -> Self {
        Self {
            entries: [E820Entry::EMPTY; Self::CAPACITY],
            len: 0,
            spare: [E820Entry::EMPTY; Self::CAPACITY],
        }
    }

    /// The ranges.
    pub fn entries(&self) -> &[E820Entry] {
        &self.entries[..self.len]
    }

    /// Removes all ranges.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds a range, overlapping others or not (`e820__range_add`).
    ///
    /// # Errors
    ///
    /// [`E820Error::Full`].
    pub fn add(&mut self, addr: u64, size: u64, kind: E820Type) -> Result<(), E820Error> {
        let entry = E820Entry { addr, size, kind };
        *self.entries.get_mut(self.len).ok_or(E820Error::Full(entry))? = entry;
        self.len += 1;
        Ok(())
    }

    /// Gives the part of `start..start + size` that is of type `old` the type `new`
    /// (`e820__range_update`). The range is cut at the end of the address space. Returns how many
    /// bytes changed, overlapping entries each counted.
    ///
    /// # Errors
    ///
    /// [`E820Error::Full`] for the first entry that could not be split; what came before it has
    /// changed.
    pub fn update(&mut self, start: u64, size: u64, old: E820Type, new: E820Type) -> Result<u64, E820Error> {
        self.change(start, size, Some(old), Some(new))
    }

    /// Takes `start..start + size` out of the table, or only what is of type `old` in it
    /// (`e820__range_remove`). The range is cut at the end of the address space. Returns how many
    /// bytes went, overlapping entries each counted.
    ///
    /// # Errors
    ///
    /// [`E820Error::Full`] for the first entry that could not be split; what came before it has
    /// changed.
    pub fn remove(&mut self, start: u64, size: u64, old: Option<E820Type>) -> Result<u64, E820Error> {
        self.change(start, size, old, None)
    }

    fn change(&mut self, start: u64, size: u64, old: Option<E820Type>, new: Option<E820Type>) -> Result<u64, E820Error> {
        let end = start.saturating_add(size);
        let mut changed = 0_u64;
        // Parts that splitting appends lie outside the range or have been dealt with.
        for at in 0..self.len {
            let entry = self.entries[at];
            let entry_end = entry.addr.saturating_add(entry.size);
            let (from, to) = (start.max(entry.addr), end.min(entry_end));
            if from >= to || old.is_some_and(|old| old != entry.kind) {
                continue;
            }
            let part = |addr, end, kind| E820Entry {
                addr,
                size: end - addr,
                kind,
            };
            let before = (entry.addr < from).then(|| part(entry.addr, from, entry.kind));
            let middle = new.map(|kind| part(from, to, kind));
            let after = (to < entry_end).then(|| part(to, entry_end, entry.kind));
            let parts = [before, middle, after];
            let count = parts.iter().flatten().count();
            if self.len + count.saturating_sub(1) > Self::CAPACITY {
                return Err(E820Error::Full(part(from, to, entry.kind)));
            }
            self.replace(at, parts.iter().flatten());
            changed = changed.saturating_add(to - from);
        }
        Ok(changed)
    }

    /// Puts the first part in place of entry `at` and the others at the end; without parts, the
    /// entry stays as an empty one, which [`sanitize`](Self::sanitize) drops.
    fn replace<'p>(&mut self, at: usize, mut parts: impl Iterator<Item = &'p E820Entry>) {
        self.entries[at] = parts.next().copied().unwrap_or(E820Entry::EMPTY);
        for part in parts {
            self.entries[self.len] = *part;
            self.len += 1;
        }
    }

    /// The map as log lines, `who: [mem 0x…-0x…] type`; `who` is `BIOS-e820`, `user`, …
    /// (`e820__print_table`).
    pub fn lines<'a>(&'a self, who: &'a str) -> impl Iterator<Item = E820Line<'a>> + 'a {
        self.entries().iter().map(move |entry| E820Line { who, entry: *entry })
    }
}

impl Default for E820Table {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for E820Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}

/// One line of the map in the log.
#[derive(Clone, Copy, Debug)]
pub struct E820Line<'a> {
    who: &'a str,
    entry: E820Entry,
}

impl fmt::Display for E820Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.who, self.entry)
    }
}

#[cfg(test)]
mod tests;

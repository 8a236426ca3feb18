//! Tables that are little more than a few fields: HPET, SLIT, MCFG, BGRT.

use core::fmt;

use super::GenericAddress;
use crate::wire::{Wire, wire};

wire! {
    /// The high precision event timer (IA-PC HPET specification 3.2.4).
    pub struct Hpet[56] {
        /// The timer's own identification: revision, number of comparators, vendor.
        id: u32 => 36,
        /// Where its registers are.
        address: GenericAddress => 40,
        /// Which timer this is.
        sequence: u8 => 52,
        /// The shortest period without lost interrupts, in ticks.
        minimum_tick: u16 => 53,
        /// Protection of its page.
        flags: u8 => 55,
    }
}

impl Hpet {
    /// Takes the table's fields; `None` if it is too short.
    #[must_use]
    pub fn parse(table: &[u8]) -> Option<Self> {
        Self::read(table)
    }
}

wire! {
    /// The boot logo that the firmware has left on the screen (ACPI 5.2.22).
    pub struct Bgrt[56] {
        /// Version of the table.
        version: u16 => 36,
        /// Bit 0: the logo is on the screen; bits 1–2: how it is turned.
        status: u8 => 38,
        /// Its format: 0 a bitmap.
        format: u8 => 39,
        /// Its physical address.
        address: u64 => 40,
        /// Its left edge.
        x: u32 => 48,
        /// Its upper edge.
        y: u32 => 52,
    }
}

impl Bgrt {
    /// Takes the table's fields; `None` if it is too short.
    #[must_use]
    pub fn parse(table: &[u8]) -> Option<Self> {
        Self::read(table)
    }
}

wire! {
    /// Where the configuration space of some PCI buses is mapped (PCI firmware specification 4.1.2).
    pub struct McfgEntry[16] {
        /// The physical address of bus 0, even if the entry begins with another.
        address: u64 => 0,
        /// Which of several trees of buses.
        segment: u16 => 8,
        /// The first bus.
        start_bus: u8 => 10,
        /// The last bus.
        end_bus: u8 => 11,
    }
}

/// The mapped configuration spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mcfg<'a> {
    entries: &'a [u8],
}

impl<'a> Mcfg<'a> {
    /// Takes the table; `None` if it is too short.
    #[must_use]
    pub fn parse(table: &'a [u8]) -> Option<Self> {
        Some(Self { entries: table.get(44..)? })
    }

    /// The entries whose buses are in order; what is left over at the end is no entry.
    pub fn entries(&self) -> impl Iterator<Item = McfgEntry> + use<'a> {
        self.entries
            .chunks_exact(McfgEntry::SIZE)
            .filter_map(McfgEntry::read)
            .filter(|entry| entry.start_bus <= entry.end_bus)
    }
}

/// How far the nodes are from each other: a square of distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slit<'a> {
    count: usize,
    distances: &'a [u8],
}

/// What is wrong with the distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlitError {
    /// The table has no room for a square of so many.
    Size {
        /// How many nodes it should be.
        count: u64,
    },
    /// A node's distance to itself is not 10, or that to another is not more.
    Distance {
        /// From this node,
        from: usize,
        /// to this,
        to: usize,
        /// it is this.
        distance: u8,
    },
}

impl fmt::Display for SlitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { count } => write!(f, "the table is too short for the distances of {count} nodes"),
            Self::Distance { from, to, distance } => write!(f, "node {to} cannot be {distance} from node {from}"),
        }
    }
}

impl core::error::Error for SlitError {}

impl<'a> Slit<'a> {
    /// A node's distance to itself.
    pub const LOCAL_DISTANCE: u8 = 10;

    /// Takes and checks the table.
    ///
    /// # Errors
    ///
    /// If it is cut short, or the distances cannot be true.
    pub fn parse(table: &'a [u8]) -> Result<Self, SlitError> {
        let claimed = table.get(36..).and_then(u64::read).unwrap_or_default();
        let size = SlitError::Size { count: claimed };
        let count = usize::try_from(claimed).map_err(|_| size)?;
        let square = count.checked_mul(count).filter(|square| *square != 0).ok_or(size)?;
        let distances = table.get(44..).and_then(|bytes| bytes.get(..square)).ok_or(size)?;
        for (index, &distance) in distances.iter().enumerate() {
            let (from, to) = (index / count, index % count);
            let possible = if from == to {
                distance == Self::LOCAL_DISTANCE
            } else {
                distance > Self::LOCAL_DISTANCE
            };
            if !possible {
                return Err(SlitError::Distance { from, to, distance });
            }
        }
        Ok(Self { count, distances })
    }

    /// How many nodes there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// How far node `to` is from node `from`; `None` if there is no such node.
    #[must_use]
    pub fn distance(&self, from: usize, to: usize) -> Option<u8> {
        (from < self.count && to < self.count).then(|| self.distances[from * self.count + to])
    }
}

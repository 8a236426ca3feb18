//! The kinds of memory that there are, by where it lies and by what it is used for.

use core::fmt;

/// A zone: memory of one node within limits that some user of it has. The order is that of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ZoneType {
    /// Below 16 MiB: for devices of the ISA bus.
    Dma = 0,
    /// Below 4 GiB: for devices with 32-bit addresses.
    Dma32 = 1,
    /// All other memory.
    Normal = 2,
    /// Memory kept for what can be moved.
    Movable = 3,
}

/// How many zones a node has.
pub const MAX_NR_ZONES: usize = 4;

impl ZoneType {
    /// All of them, lowest first.
    pub const ALL: [ZoneType; MAX_NR_ZONES] = [ZoneType::Dma, ZoneType::Dma32, ZoneType::Normal, ZoneType::Movable];

    /// The name in the log and in `zoneinfo`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ZoneType::Dma => "DMA",
            ZoneType::Dma32 => "DMA32",
            ZoneType::Normal => "Normal",
            ZoneType::Movable => "Movable",
        }
    }

    /// The zone of this number, of which only the two lowest bits count.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u64) -> ZoneType {
        match bits & 3 {
            0 => ZoneType::Dma,
            1 => ZoneType::Dma32,
            2 => ZoneType::Normal,
            _ => ZoneType::Movable,
        }
    }
}

impl fmt::Display for ZoneType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a block of pages is used for, so that what cannot be moved does not lie scattered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MigrateType {
    /// Stays where it is until it is freed.
    Unmovable = 0,
    /// Can be moved.
    Movable = 1,
    /// Can be given back.
    Reclaimable = 2,
    /// Kept for allocations that cannot wait.
    HighAtomic = 3,
}

/// How many kinds of blocks there are.
pub const MIGRATE_TYPES: usize = 4;

impl MigrateType {
    /// All of them, in the order of `pagetypeinfo`.
    pub const ALL: [MigrateType; MIGRATE_TYPES] = [
        MigrateType::Unmovable,
        MigrateType::Movable,
        MigrateType::Reclaimable,
        MigrateType::HighAtomic,
    ];

    /// The name in `pagetypeinfo`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            MigrateType::Unmovable => "Unmovable",
            MigrateType::Movable => "Movable",
            MigrateType::Reclaimable => "Reclaimable",
            MigrateType::HighAtomic => "HighAtomic",
        }
    }

    /// The kind of this number, of which only the two lowest bits count.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u64) -> MigrateType {
        match bits & 3 {
            0 => MigrateType::Unmovable,
            1 => MigrateType::Movable,
            2 => MigrateType::Reclaimable,
            _ => MigrateType::HighAtomic,
        }
    }

    /// The letter in reports of memory: Linux's `show_migration_types`.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            MigrateType::Unmovable => 'U',
            MigrateType::Movable => 'M',
            MigrateType::Reclaimable => 'E',
            MigrateType::HighAtomic => 'H',
        }
    }
}

impl fmt::Display for MigrateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

//! Entries and tables (SDM 3, 4.5.4), and the walk from an address to the entry that maps it.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use crate::arch::x86::registers;
use crate::mm::{PAGE_SHIFT, PAGE_SIZE, phys_to_virt};

/// Entries of a table, at every level.
pub const PTRS_PER_TABLE: usize = 512;

bitflags::bitflags! {
    /// Flags of an entry.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Flags: u64 {
        /// The entry maps something.
        const PRESENT = 1 << 0;
        /// It may be written.
        const RW = 1 << 1;
        /// User code may use it.
        const USER = 1 << 2;
        /// With [`Flags::PCD`] a number into the table of memory types (SDM 3, 12.12.3).
        const PWT = 1 << 3;
        /// See [`Flags::PWT`].
        const PCD = 1 << 4;
        /// Has been used. Set beforehand, so that the processor need not write it.
        const ACCESSED = 1 << 5;
        /// Has been written. Set beforehand, too.
        const DIRTY = 1 << 6;
        /// Maps a page of 2 MiB or 1 GiB, in the upper levels.
        const LARGE = 1 << 7;
        /// Stays in the TLB when CR3 changes.
        const GLOBAL = 1 << 8;
        /// May not be executed.
        const NX = 1 << 63;
    }
}

impl Flags {
    /// Of an entry that leads to a table: the entries there decide.
    pub const TABLE: Flags = Flags::PRESENT.union(Flags::RW).union(Flags::ACCESSED).union(Flags::DIRTY);
    /// Of code.
    pub const READ_EXECUTE: Flags = Flags::PRESENT.union(Flags::ACCESSED).union(Flags::DIRTY).union(Flags::GLOBAL);
    /// Of constants.
    pub const READ_ONLY: Flags = Flags::READ_EXECUTE.union(Flags::NX);
    /// Of data.
    pub const READ_WRITE: Flags = Flags::READ_ONLY.union(Flags::RW);
}

/// What an entry maps, by the level that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// 4 KiB, in a page table.
    Pte = 0,
    /// 2 MiB, in a page directory.
    Pmd = 1,
    /// 1 GiB, in a page-directory-pointer table.
    Pud = 2,
    /// 512 GiB, in the top table, whose entries cannot map pages.
    Pgd = 3,
}

impl Level {
    /// How many address bits an entry covers.
    #[must_use]
    pub const fn shift(self) -> u32 {
        PAGE_SHIFT + 9 * self as u32
    }

    /// How many bytes an entry covers.
    #[must_use]
    pub const fn size(self) -> usize {
        1 << self.shift()
    }

    /// The index that `address` has in a table of this level.
    #[must_use]
    pub const fn index(self, address: usize) -> usize {
        address >> self.shift() & (PTRS_PER_TABLE - 1)
    }

    /// The level below, none below [`Level::Pte`].
    #[must_use]
    pub const fn below(self) -> Option<Level> {
        match self {
            Level::Pgd => Some(Level::Pud),
            Level::Pud => Some(Level::Pmd),
            Level::Pmd => Some(Level::Pte),
            Level::Pte => None,
        }
    }
}

/// An entry's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(pub u64);

impl Entry {
    /// An entry that has never led anywhere. One that was made not present keeps its other bits.
    pub const NONE: Entry = Entry(0);

    const ADDRESS_MASK: u64 = 0x000f_ffff_ffff_f000;

    /// An entry that leads to physical address `phys`, a multiple of 4 KiB.
    #[must_use]
    pub const fn new(phys: u64, flags: Flags) -> Entry {
        Entry(phys | flags.bits())
    }

    /// Whether it maps something.
    #[must_use]
    pub const fn is_present(self) -> bool {
        self.flags().contains(Flags::PRESENT)
    }

    /// Whether the processor executes what it maps.
    #[must_use]
    pub const fn is_executable(self) -> bool {
        !self.flags().contains(Flags::NX)
    }

    /// Whether it maps a page, rather than leading to a table, being an entry of `level`.
    #[must_use]
    pub fn is_leaf(self, level: Level) -> bool {
        level == Level::Pte || self.flags().contains(Flags::LARGE)
    }

    /// The flags.
    #[must_use]
    pub const fn flags(self) -> Flags {
        Flags::from_bits_truncate(self.0)
    }

    /// The physical address of the table or the 4 KiB page.
    #[must_use]
    pub const fn phys(self) -> u64 {
        self.0 & Self::ADDRESS_MASK
    }
}

/// A table of any level. The processor reads it at any time, so each entry is read and written at once.
#[repr(C, align(4096))]
pub struct Table([AtomicU64; PTRS_PER_TABLE]);

const _: () = assert!(size_of::<Table>() == PAGE_SIZE);

impl Table {
    /// A table that maps nothing.
    #[must_use]
    pub const fn empty() -> Table {
        Table([const { AtomicU64::new(0) }; PTRS_PER_TABLE])
    }

    /// The table at a physical address, in the direct map.
    ///
    /// # Safety
    ///
    /// A table must be there, and stay.
    #[must_use]
    pub unsafe fn at(phys: u64) -> &'static Table {
        // SAFETY: the caller vouches for the table; its entries are atomics, so any number of users may share it.
        unsafe { &*phys_to_virt(phys).cast() }
    }

    /// The table that the entry at `index` leads to.
    #[must_use]
    pub fn get(&self, index: usize) -> Entry {
        Entry(self.0[index].load(Relaxed))
    }

    /// Calls `visit` with each entry that is present, and its index.
    pub fn for_each_present(&self, mut visit: impl FnMut(usize, Entry)) {
        // Most tables are nearly empty, so it pays to look at several entries at once.
        const AT_ONCE: usize = 8;
        for (group, entries) in self.0.chunks_exact(AT_ONCE).enumerate() {
            let all = entries.iter().fold(0, |all, entry| all | entry.load(Relaxed));
            if all & Flags::PRESENT.bits() == 0 {
                continue;
            }
            for (offset, entry) in entries.iter().enumerate() {
                let entry = Entry(entry.load(Relaxed));
                if entry.is_present() {
                    visit(group * AT_ONCE + offset, entry);
                }
            }
        }
    }

    /// Sets the entry at `index`. Changing one that was present calls for a TLB flush.
    ///
    /// # Safety
    ///
    /// If the table is in use, what the entry maps must be right for all that uses these addresses.
    pub unsafe fn set(&self, index: usize, entry: Entry) {
        self.0[index].store(entry.0, Relaxed);
    }

    /// Sets the entry at `index` if that has never led anywhere.
    ///
    /// What `entry` leads to must be complete, and its owner the only one who uses the addresses that it maps.
    ///
    /// # Errors
    ///
    /// The entry that is there.
    pub fn set_if_none(&self, index: usize, entry: Entry) -> Result<(), Entry> {
        // Whoever sees the entry sees what the table that it leads to holds.
        let old = self.0[index].compare_exchange(Entry::NONE.0, entry.0, AcqRel, Acquire);
        old.map(drop).map_err(Entry)
    }
}

/// The physical address of the top table that this CPU uses.
#[must_use]
pub fn current_pgd() -> u64 {
    Entry(registers::cr3()).phys()
}

/// The table, the index in it and the level of the entry that ends the walk for `address`: one that maps a page, or one that is not present.
#[must_use]
pub fn walk(address: usize) -> (&'static Table, usize, Level) {
    // SAFETY: the processor uses this table now, and the kernel frees none.
    let mut table = unsafe { Table::at(current_pgd()) };
    let mut level = Level::Pgd;
    loop {
        let index = level.index(address);
        let entry = table.get(index);
        match level.below() {
            Some(below) if entry.is_present() && !entry.is_leaf(level) => {
                // SAFETY: a present entry that maps no page leads to a table.
                table = unsafe { Table::at(entry.phys()) };
                level = below;
            }
            _ => return (table, index, level),
        }
    }
}

/// The entry that ends the walk for `address`, and its level; `None` if `address` is not canonical. Linux's `lookup_address`.
#[must_use]
pub fn lookup(address: usize) -> Option<(Entry, Level)> {
    let sign = address as isize >> 47;
    (sign == 0 || sign == -1).then(|| {
        let (table, index, level) = walk(address);
        (table.get(index), level)
    })
}

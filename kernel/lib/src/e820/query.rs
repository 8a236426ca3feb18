//! Questions to a sanitised map.

use super::{E820Table, E820Type};

const PAGE_SHIFT: u32 = 12;
const FOUR_GIB: u64 = 1 << 32;

/// Room in the 32-bit address space for devices that the firmware did not place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciGap {
    /// Its first address.
    pub start: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Whether the map has such a gap; if not, `start` is a guess past the end of memory.
    pub found: bool,
}

impl E820Table {
    /// The page frame after the last one of type `kind` that lies wholly below frame `limit`; 0 if
    /// there is none (`e820_end_pfn`).
    pub fn end_pfn(&self, limit: u64, kind: E820Type) -> u64 {
        let mut last = 0;
        for entry in self.entries().iter().filter(|entry| entry.kind == kind) {
            let start = entry.addr >> PAGE_SHIFT;
            let end = entry.addr.saturating_add(entry.size) >> PAGE_SHIFT;
            if start < limit {
                last = last.max(end.min(limit));
            }
        }
        last
    }

    /// The page frame after the last RAM, `max_pfn`; `max_arch_pfn` is what the page tables can
    /// reach (`e820__end_of_ram_pfn`).
    pub fn end_of_ram_pfn(&self, max_arch_pfn: u64) -> u64 {
        self.end_pfn(max_arch_pfn, E820Type::RAM)
    }

    /// The page frame after the last RAM below 4 GiB, `max_low_pfn`
    /// (`e820__end_of_low_ram_pfn`).
    pub fn end_of_low_ram_pfn(&self) -> u64 {
        self.end_pfn(FOUR_GIB >> PAGE_SHIFT, E820Type::RAM)
    }

    /// Whether any of `start..end` is in the map, and of type `kind` if given
    /// (`e820__mapped_any`).
    pub fn mapped_any(&self, start: u64, end: u64, kind: Option<E820Type>) -> bool {
        self.entries().iter().any(|entry| {
            kind.is_none_or(|kind| kind == entry.kind)
                && entry.size != 0
                && entry.addr < end
                && entry.addr.saturating_add(entry.size) > start
        })
    }

    /// Whether all of `start..end` is in the map, and of type `kind` if given
    /// (`e820__mapped_all`). The map must be sorted.
    pub fn mapped_all(&self, start: u64, end: u64, kind: Option<E820Type>) -> bool {
        let mut covered = start;
        for entry in self.entries() {
            if covered >= end {
                break;
            }
            let counts = kind.is_none_or(|kind| kind == entry.kind);
            if counts && entry.addr <= covered {
                covered = covered.max(entry.addr.saturating_add(entry.size));
            }
        }
        covered >= end
    }

    /// The largest hole below 4 GiB, of at least 4 MiB; of equal ones the lowest. If there is none,
    /// 1 MiB past page frame `max_pfn` is the guess (`e820__setup_pci_gap`). The map must be sorted.
    pub fn pci_gap(&self, max_pfn: u64) -> PciGap {
        let mut gap = PciGap {
            start: (max_pfn << PAGE_SHIFT) + 0x10_0000,
            size: 0x40_0000,
            found: false,
        };
        let mut ceiling = FOUR_GIB;
        for entry in self.entries().iter().rev() {
            let end = entry.addr.saturating_add(entry.size);
            if ceiling > end && ceiling - end >= gap.size {
                gap = PciGap {
                    start: end,
                    size: ceiling - end,
                    found: true,
                };
            }
            ceiling = ceiling.min(entry.addr);
        }
        gap
    }
}

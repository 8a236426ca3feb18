//! What an allocation may do and where its memory may lie: Linux's `gfp_t`.
//!
//! The values are those of Linux 6.1, so that the mask that a report prints is read as it is read there.

use core::fmt;

use crate::zone::{MigrateType, ZoneType};

bitflags::bitflags! {
    /// Flags of an allocation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Gfp: u32 {
        /// Below 16 MiB.
        const DMA = 0x01;
        /// Need not be in the direct map. All memory is, on this processor; with [`Gfp::MOVABLE`] it opens the zone of that name.
        const HIGHMEM = 0x02;
        /// Below 4 GiB.
        const DMA32 = 0x04;
        /// Can be moved or given back when asked for.
        const MOVABLE = 0x08;
        /// Is a cache that can be shrunk.
        const RECLAIMABLE = 0x10;
        /// May take from the lower half of the reserves.
        const HIGH = 0x20;
        /// May start input or output.
        const IO = 0x40;
        /// May call into file systems.
        const FS = 0x80;
        /// Comes zeroed.
        const ZERO = 0x100;
        /// Cannot wait at all and matters: may take from the reserves.
        const ATOMIC_ACCESS = 0x200;
        /// May itself free memory that others use, and sleep meanwhile.
        const DIRECT_RECLAIM = 0x400;
        /// May wake who frees memory in the background.
        const KSWAPD_RECLAIM = 0x800;
        /// Will be written to soon.
        const WRITE = 0x1000;
        /// No report if there is no memory.
        const NOWARN = 0x2000;
        /// Try hard, but fail rather than kill.
        const RETRY_MAYFAIL = 0x4000;
        /// Try for ever.
        const NOFAIL = 0x8000;
        /// Try once.
        const NORETRY = 0x1_0000;
        /// May take all: what it is for frees memory.
        const MEMALLOC = 0x2_0000;
        /// Several pages become one compound page.
        const COMP = 0x4_0000;
        /// May not take from the reserves, whoever asks.
        const NOMEMALLOC = 0x8_0000;
        /// From the nodes that the task is bound to.
        const HARDWALL = 0x10_0000;
        /// From the node asked for or none.
        const THISNODE = 0x20_0000;
        /// Is charged to the task's memory group.
        const ACCOUNT = 0x40_0000;

        /// May have memory freed for it, by whomever.
        const RECLAIM = Self::DIRECT_RECLAIM.bits() | Self::KSWAPD_RECLAIM.bits();
        /// For a context that cannot sleep, and matters.
        const ATOMIC = Self::HIGH.bits() | Self::ATOMIC_ACCESS.bits() | Self::KSWAPD_RECLAIM.bits();
        /// For the kernel, in a context that may sleep: the usual one.
        const KERNEL = Self::RECLAIM.bits() | Self::IO.bits() | Self::FS.bits();
        /// The kernel's, on behalf of a task.
        const KERNEL_ACCOUNT = Self::KERNEL.bits() | Self::ACCOUNT.bits();
        /// For a context that cannot sleep.
        const NOWAIT = Self::KSWAPD_RECLAIM.bits();
        /// Where input and output must not be started.
        const NOIO = Self::RECLAIM.bits();
        /// Where file systems must not be called.
        const NOFS = Self::RECLAIM.bits() | Self::IO.bits();
        /// For user space, also used by the kernel.
        const USER = Self::KERNEL.bits() | Self::HARDWALL.bits();
        /// For user space only.
        const HIGHUSER = Self::USER.bits() | Self::HIGHMEM.bits();
        /// For user space, and can be moved.
        const HIGHUSER_MOVABLE = Self::HIGHUSER.bits() | Self::MOVABLE.bits();
        /// A large page for user space, if one is at hand.
        const TRANSHUGE_LIGHT =
            (Self::HIGHUSER_MOVABLE.bits() | Self::COMP.bits() | Self::NOMEMALLOC.bits() | Self::NOWARN.bits()) & !Self::RECLAIM.bits();
        /// A large page for user space, worth an effort.
        const TRANSHUGE = Self::TRANSHUGE_LIGHT.bits() | Self::DIRECT_RECLAIM.bits();
    }
}

/// The names, in the order in which Linux looks for them: each takes its bits away from what follows.
const NAMES: [(Gfp, &str); 35] = [
    (Gfp::TRANSHUGE, "GFP_TRANSHUGE"),
    (Gfp::TRANSHUGE_LIGHT, "GFP_TRANSHUGE_LIGHT"),
    (Gfp::HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE"),
    (Gfp::HIGHUSER, "GFP_HIGHUSER"),
    (Gfp::USER, "GFP_USER"),
    (Gfp::KERNEL_ACCOUNT, "GFP_KERNEL_ACCOUNT"),
    (Gfp::KERNEL, "GFP_KERNEL"),
    (Gfp::NOFS, "GFP_NOFS"),
    (Gfp::ATOMIC, "GFP_ATOMIC"),
    (Gfp::NOIO, "GFP_NOIO"),
    (Gfp::NOWAIT, "GFP_NOWAIT"),
    (Gfp::DMA, "GFP_DMA"),
    (Gfp::HIGHMEM, "__GFP_HIGHMEM"),
    (Gfp::DMA32, "GFP_DMA32"),
    (Gfp::HIGH, "__GFP_HIGH"),
    (Gfp::ATOMIC_ACCESS, "__GFP_ATOMIC"),
    (Gfp::IO, "__GFP_IO"),
    (Gfp::FS, "__GFP_FS"),
    (Gfp::NOWARN, "__GFP_NOWARN"),
    (Gfp::RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL"),
    (Gfp::NOFAIL, "__GFP_NOFAIL"),
    (Gfp::NORETRY, "__GFP_NORETRY"),
    (Gfp::COMP, "__GFP_COMP"),
    (Gfp::ZERO, "__GFP_ZERO"),
    (Gfp::NOMEMALLOC, "__GFP_NOMEMALLOC"),
    (Gfp::MEMALLOC, "__GFP_MEMALLOC"),
    (Gfp::HARDWALL, "__GFP_HARDWALL"),
    (Gfp::THISNODE, "__GFP_THISNODE"),
    (Gfp::RECLAIMABLE, "__GFP_RECLAIMABLE"),
    (Gfp::MOVABLE, "__GFP_MOVABLE"),
    (Gfp::ACCOUNT, "__GFP_ACCOUNT"),
    (Gfp::WRITE, "__GFP_WRITE"),
    (Gfp::RECLAIM, "__GFP_RECLAIM"),
    (Gfp::DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM"),
    (Gfp::KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM"),
];

impl Gfp {
    /// The highest zone that the memory may come from: Linux's `gfp_zone`.
    #[inline]
    #[must_use]
    pub const fn zone(self) -> ZoneType {
        if self.intersects(Gfp::DMA) {
            ZoneType::Dma
        } else if self.intersects(Gfp::DMA32) {
            ZoneType::Dma32
        } else if self.contains(Gfp::HIGHMEM.union(Gfp::MOVABLE)) {
            ZoneType::Movable
        } else {
            ZoneType::Normal
        }
    }

    /// The kind of page block that the memory is best taken from: Linux's `gfp_migratetype`.
    #[inline]
    #[must_use]
    pub const fn migrate_type(self) -> MigrateType {
        if self.intersects(Gfp::MOVABLE) {
            MigrateType::Movable
        } else if self.intersects(Gfp::RECLAIMABLE) {
            MigrateType::Reclaimable
        } else {
            MigrateType::Unmovable
        }
    }

    /// Whether the caller may be put to sleep meanwhile: Linux's `gfpflags_allow_blocking`.
    #[inline]
    #[must_use]
    pub const fn allows_blocking(self) -> bool {
        self.intersects(Gfp::DIRECT_RECLAIM)
    }
}

/// As Linux prints a mask: `0xcc0(GFP_KERNEL)`.
impl fmt::Display for Gfp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}(", self.bits())?;
        let mut rest = *self;
        let mut separator = "";
        for (flags, name) in NAMES {
            if rest.contains(flags) {
                write!(f, "{separator}{name}")?;
                rest.remove(flags);
                separator = "|";
            }
        }
        if self.is_empty() {
            f.write_str("none")?;
        } else if !rest.is_empty() {
            write!(f, "{separator}{:#x}", rest.bits())?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn masks_are_printed_as_linux_prints_them() {
        assert_eq!(Gfp::KERNEL.to_string(), "0xcc0(GFP_KERNEL)");
        assert_eq!(Gfp::ATOMIC.to_string(), "0xa20(GFP_ATOMIC)");
        assert_eq!((Gfp::KERNEL | Gfp::ZERO).to_string(), "0xdc0(GFP_KERNEL|__GFP_ZERO)");
        assert_eq!(
            (Gfp::ATOMIC | Gfp::COMP | Gfp::NOWARN).to_string(),
            "0x42a20(GFP_ATOMIC|__GFP_NOWARN|__GFP_COMP)"
        );
        assert_eq!((Gfp::USER | Gfp::DMA32).to_string(), "0x100cc4(GFP_USER|GFP_DMA32)");
        assert_eq!(Gfp::empty().to_string(), "0x0(none)");
        assert_eq!(Gfp::from_bits_retain(0x4000_0000).to_string(), "0x40000000(0x40000000)");
    }

    #[test]
    fn the_zone_is_the_most_narrow_one_asked_for() {
        assert_eq!((Gfp::KERNEL | Gfp::DMA).zone(), ZoneType::Dma);
        assert_eq!((Gfp::KERNEL | Gfp::DMA32).zone(), ZoneType::Dma32);
        assert_eq!(Gfp::KERNEL.zone(), ZoneType::Normal);
        assert_eq!((Gfp::KERNEL | Gfp::MOVABLE).zone(), ZoneType::Normal);
        assert_eq!(Gfp::HIGHUSER_MOVABLE.zone(), ZoneType::Movable);
    }

    #[test]
    fn only_direct_reclaim_may_sleep() {
        assert!(Gfp::KERNEL.allows_blocking() && Gfp::NOIO.allows_blocking());
        assert!(!Gfp::ATOMIC.allows_blocking() && !Gfp::NOWAIT.allows_blocking());
    }
}

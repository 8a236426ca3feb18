//! The lists as `memblock=debug` logs them.

use super::{List, Memblock, Region};
use core::fmt;

/// One line; iterator item of [`Memblock::dump`].
#[derive(Clone, Copy, Debug)]
pub enum DumpLine {
    /// What follows.
    Title,
    /// Bytes in each list.
    Sizes {
        /// Of memory.
        memory: u64,
        /// Of reservations.
        reserved: u64,
    },
    /// How many regions a list has.
    Count {
        /// Which list.
        list: List,
        /// Regions in it.
        count: usize,
    },
    /// A region of a list.
    Region {
        /// Which list.
        list: List,
        /// Its place in it.
        index: usize,
        /// The region.
        region: Region,
    },
}

impl fmt::Display for DumpLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Title => f.write_str("MEMBLOCK configuration:"),
            Self::Sizes { memory, reserved } => {
                write!(f, " memory size = {memory:#018x} reserved size = {reserved:#018x}")
            }
            Self::Count { list, count } => write!(f, " {list}.cnt  = {count:#x}"),
            Self::Region { list, index, region } => {
                let Region { base, size, flags, .. } = region;
                write!(
                    f,
                    " {list}[{index:#x}]\t[{base:#018x}-{:#018x}], {size:#018x} bytes",
                    base + (size - 1)
                )?;
                if let Some(nid) = region.nid() {
                    write!(f, " on node {nid}")?;
                }
                write!(f, " flags: {:#x}", flags.0)
            }
        }
    }
}

impl<const N: usize> Memblock<N> {
    /// Both lists as lines for the log (`memblock_dump_all`).
    pub fn dump(&self) -> impl Iterator<Item = DumpLine> + '_ {
        let sizes = DumpLine::Sizes {
            memory: self.memory.total_size(),
            reserved: self.reserved.total_size(),
        };
        let lists = [&self.memory, &self.reserved].into_iter().flat_map(|list| {
            let (list, count, regions) = (list.list(), list.len(), list.iter().enumerate());
            let line = move |(index, region)| DumpLine::Region { list, index, region };
            core::iter::once(DumpLine::Count { list, count }).chain(regions.map(line))
        });
        [DumpLine::Title, sizes].into_iter().chain(lists)
    }
}

//! Which memory belongs to which node: as firmware says it, checked, and as `numa=fake=` cuts it.
//!
//! Plain numbers only. Rules and texts are those of Linux's `arch/x86/mm/{srat,numa,numa_emulation}.c` and `drivers/acpi/numa/srat.c`: a description that contradicts itself, or leaves
//! out memory, is not used at all.

mod affinity;
mod emulate;

pub use affinity::{Affinity, AffinityLine};
pub use emulate::{Emulation, EmulationError, FakeNodes, MIN_FAKE_SIZE};

use core::fmt;
use core::ops::Range;

use arrayvec::ArrayVec;

/// The most nodes that anything here can tell apart.
pub const MAX_NODES: usize = 64;
/// The most blocks: Linux's `NR_NODE_MEMBLKS`.
pub const MAX_BLOCKS: usize = 2 * MAX_NODES;

/// Memory of a node, by physical address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its addresses.
    pub range: Range<u64>,
    /// The node.
    pub nid: usize,
}

impl Block {
    fn overlaps(&self, range: &Range<u64>) -> bool {
        self.range.start < range.end && range.start < self.range.end
    }
}

/// A range as the lines about nodes show it.
struct Mem<'a>(&'a Range<u64>);

impl fmt::Display for Mem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[mem {:#010x}-{:#010x}]", self.0.start, self.0.end.wrapping_sub(1))
    }
}

/// Why a description of the nodes is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodesError {
    /// More blocks than [`MAX_BLOCKS`].
    TooManyBlocks,
    /// Memory is said to belong to two nodes.
    Overlap(Block, Block),
    /// Memory without a node.
    NotCovered {
        /// MiB that have one.
        covered: u64,
        /// MiB that there are.
        all: u64,
    },
}

impl fmt::Display for NodesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyBlocks => f.write_str("NUMA: too many memblk ranges"),
            Self::Overlap(one, other) => {
                let (one_mem, other_mem) = (Mem(&one.range), Mem(&other.range));
                write!(f, "NUMA: node {} {one_mem} overlaps with node {} {other_mem}", one.nid, other.nid)
            }
            Self::NotCovered { covered, all } => {
                write!(f, "NUMA: nodes only cover {covered}MB of your {all}MB e820 RAM. Not used.")
            }
        }
    }
}

impl core::error::Error for NodesError {}

/// What was done to the blocks, as a line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CleanupLine {
    /// Two blocks of a node overlap.
    OverlapsItself(Block, Range<u64>),
    /// Two blocks of a node became one.
    Joined(Block, Range<u64>, Range<u64>),
}

impl fmt::Display for CleanupLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OverlapsItself(block, other) => {
                let (mem, other) = (Mem(&block.range), Mem(other));
                write!(f, "NUMA: Warning: node {} {mem} overlaps with itself {other}", block.nid)
            }
            Self::Joined(block, one, other) => {
                write!(f, "NUMA: Node {} {} + {} -> {}", block.nid, Mem(one), Mem(other), Mem(&block.range))
            }
        }
    }
}

/// The memory of all nodes: Linux's `numa_meminfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks(ArrayVec<Block, MAX_BLOCKS>);

impl Blocks {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The blocks, in the order in which they were added until [`cleanup`](Self::cleanup), which leaves the order as it is.
    #[must_use]
    pub fn as_slice(&self) -> &[Block] {
        &self.0
    }

    /// Adds a block; one that is empty is nothing.
    ///
    /// # Errors
    ///
    /// [`NodesError::TooManyBlocks`].
    pub fn add(&mut self, range: Range<u64>, nid: usize) -> Result<(), NodesError> {
        if range.is_empty() {
            return Ok(());
        }
        self.0.try_push(Block { range, nid }).map_err(|_| NodesError::TooManyBlocks)
    }

    /// Drops what is no memory, and joins blocks of a node with none of another's between (`numa_cleanup_meminfo`). `has_memory` says whether there is RAM in a range, `end` where all
    /// RAM ends; what is done is told to `say`.
    ///
    /// # Errors
    ///
    /// [`NodesError::Overlap`].
    pub fn cleanup(
        &mut self,
        end: u64,
        has_memory: impl Fn(&Range<u64>) -> bool,
        mut say: impl FnMut(CleanupLine),
    ) -> Result<(), NodesError> {
        self.0.iter_mut().for_each(|block| block.range.end = block.range.end.min(end));
        self.0.retain(|block| !block.range.is_empty() && has_memory(&block.range));
        let mut at = 0;
        while at < self.0.len() {
            let mut other = at + 1;
            while other < self.0.len() {
                let (one, two) = (&self.0[at], &self.0[other]);
                if one.nid != two.nid {
                    if one.overlaps(&two.range) {
                        return Err(NodesError::Overlap(one.clone(), two.clone()));
                    }
                    other += 1;
                    continue;
                }
                if one.overlaps(&two.range) {
                    say(CleanupLine::OverlapsItself(one.clone(), two.range.clone()));
                }
                let both = one.range.start.min(two.range.start)..one.range.end.max(two.range.end);
                if self.0.iter().any(|third| third.nid != one.nid && third.overlaps(&both)) {
                    other += 1;
                    continue;
                }
                let joined = Block { range: both, nid: one.nid };
                say(CleanupLine::Joined(joined.clone(), one.range.clone(), two.range.clone()));
                self.0[at] = joined;
                self.0.remove(other);
                // The larger block may now reach what it did not reach before.
                other = at + 1;
            }
            at += 1;
        }
        Ok(())
    }

    /// Fails unless all but one MiB of memory belongs to a node (`numa_meminfo_cover_memory`). `memory` are the ranges of RAM.
    ///
    /// # Errors
    ///
    /// [`NodesError::NotCovered`].
    pub fn covers(&self, memory: impl Iterator<Item = Range<u64>>) -> Result<(), NodesError> {
        let (mut all, mut covered) = (0, 0);
        for ram in memory {
            all += ram.end - ram.start;
            let parts = self.0.iter().filter(|block| block.overlaps(&ram));
            covered += parts
                .map(|block| block.range.end.min(ram.end) - block.range.start.max(ram.start))
                .sum::<u64>();
        }
        if all.saturating_sub(covered) >= 1 << 20 {
            return Err(NodesError::NotCovered {
                covered: covered >> 20,
                all: all >> 20,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Nodes that the machine does not have: `numa=fake=`.
//!
//! The memory of the nodes there are is dealt out in turn, as Linux does it, so that each fake node lies in one of them. A fake node is at least [`MIN_FAKE_SIZE`] large.

use core::fmt;
use core::ops::Range;

use arrayvec::ArrayVec;

use super::{Block, Blocks, MAX_NODES, NodesError};
use crate::param::memparse;

/// The least size of a fake node, and the unit of all: Linux's `FAKE_NODE_MIN_SIZE`.
pub const MIN_FAKE_SIZE: u64 = 32 << 20;
/// Where memory ends that devices with 32 address bits reach.
const DMA32_END: u64 = 1 << 32;

/// What `numa=fake=` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulation {
    /// So many nodes.
    Count(usize),
    /// So many in each node there is.
    Uniform(usize),
    /// Nodes of so many bytes.
    Size(u64),
}

/// Why no nodes are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmulationError {
    /// The value is no number, size, or number with `U`.
    Malformed,
    /// Not every node would get [`MIN_FAKE_SIZE`].
    NotEnoughMemory,
    /// More pieces than can be told apart.
    Nodes(NodesError),
}

impl fmt::Display for EmulationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("numa=fake= takes a number of nodes, of nodes in each (4U), or their size (512M)"),
            Self::NotEnoughMemory => f.write_str("Not enough memory for each node.  NUMA emulation disabled."),
            Self::Nodes(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EmulationError {}

impl From<NodesError> for EmulationError {
    fn from(error: NodesError) -> Self {
        Self::Nodes(error)
    }
}

/// The fake nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FakeNodes {
    /// Their memory.
    pub blocks: Blocks,
    /// The node there is that each lies in.
    pub physical: ArrayVec<u8, MAX_NODES>,
    /// What is not dealt out yet.
    left: Blocks,
}

impl Emulation {
    /// Reads the value behind `numa=fake=`.
    ///
    /// # Errors
    ///
    /// [`EmulationError::Malformed`].
    pub fn parse(text: &[u8]) -> Result<Self, EmulationError> {
        let (number, rest) = memparse(text).map_err(|_| EmulationError::Malformed)?;
        let count = usize::try_from(number).map_err(|_| EmulationError::Malformed)?;
        match (rest, text.last()) {
            _ if number == 0 => Err(EmulationError::Malformed),
            ([], Some(b'0'..=b'9')) => Ok(Self::Count(count)),
            ([], _) => Ok(Self::Size(number)),
            ([b'U' | b'u'], _) => Ok(Self::Uniform(count)),
            _ => Err(EmulationError::Malformed),
        }
    }

    /// Deals out `physical` to `fake`, at most to `max_nodes` nodes. `memory` gives the bytes of RAM in a range.
    ///
    /// # Errors
    ///
    /// [`EmulationError::NotEnoughMemory`], and [`EmulationError::Nodes`] if the pieces are too many.
    pub fn split(
        self,
        physical: &Blocks,
        max_nodes: usize,
        memory: impl Fn(Range<u64>) -> u64,
        fake: &mut FakeNodes,
    ) -> Result<(), EmulationError> {
        let max_nodes = max_nodes.min(MAX_NODES);
        let ram = |block: &Block| memory(block.range.clone());
        let all = || physical.as_slice().iter();
        fake.left.clone_from(physical);
        let mut deal = Deal { fake, memory: &memory };
        match self {
            Self::Count(count) => {
                let count = count.min(max_nodes);
                deal.all(Share::of(all().map(ram).sum(), count)?, count, |_| true)
            }
            Self::Size(size) => deal.all(Share::exactly(size), max_nodes, |_| true),
            Self::Uniform(count) => (0..MAX_NODES).try_for_each(|nid| {
                let own = || all().filter(|block| block.nid == nid);
                if own().next().is_none() {
                    return Ok(());
                }
                let count = count.min(max_nodes);
                let end = (deal.fake.physical.len() + count).min(max_nodes);
                deal.all(Share::of(own().map(ram).sum(), count)?, end, |node| node == nid)
            }),
        }
    }
}

/// How much each node gets.
#[derive(Clone, Copy)]
struct Share {
    size: u64,
    /// How many nodes get [`MIN_FAKE_SIZE`] more, so that little is left over.
    larger: usize,
}

impl Share {
    fn of(memory: u64, count: usize) -> Result<Self, EmulationError> {
        let each = memory / count as u64;
        let rest = each % MIN_FAKE_SIZE * count as u64 / MIN_FAKE_SIZE;
        let size = each / MIN_FAKE_SIZE * MIN_FAKE_SIZE;
        if size == 0 {
            return Err(EmulationError::NotEnoughMemory);
        }
        Ok(Self {
            size,
            larger: rest as usize,
        })
    }

    fn exactly(size: u64) -> Self {
        let size = (size / MIN_FAKE_SIZE * MIN_FAKE_SIZE).max(MIN_FAKE_SIZE);
        Self { size, larger: 0 }
    }
}

/// Dealing: what is left of the nodes there are goes to fake ones.
struct Deal<'a, M> {
    fake: &'a mut FakeNodes,
    memory: &'a M,
}

impl<M: Fn(Range<u64>) -> u64> Deal<'_, M> {
    /// Deals out what is left of the nodes that `of` chooses, a piece of each in turn, to new nodes below `end`; what is left over then goes round once more.
    fn all(&mut self, share: Share, end: usize, of: impl Fn(usize) -> bool) -> Result<(), EmulationError> {
        let first = self.fake.physical.len();
        if first >= end {
            return Err(NodesError::TooManyBlocks.into());
        }
        let mut next = first;
        while self.fake.left.0.iter().any(|block| of(block.nid)) {
            for nid in (0..MAX_NODES).filter(|nid| of(*nid)) {
                let Some(at) = self.fake.left.0.iter().position(|block| block.nid == nid) else {
                    continue;
                };
                let larger = if next - first < share.larger { MIN_FAKE_SIZE } else { 0 };
                let cut = self.cut(&self.fake.left.0[at].range, share.size, larger);
                let fake = first + (next - first) % (end - first);
                self.take(at, cut, fake)?;
                next += 1;
            }
        }
        Ok(())
    }

    /// Where the piece at the beginning of `block` ends.
    fn cut(&self, block: &Range<u64>, size: u64, larger: u64) -> u64 {
        let ram = |range: Range<u64>| (self.memory)(range);
        let limit = block.end;
        let mut end = block.start.saturating_add(size + larger);
        while end < limit && ram(block.start..end) < size {
            end += MIN_FAKE_SIZE;
        }
        // A next piece that would be too small becomes part of this one.
        let dma32_end = DMA32_END.min(limit);
        if end < dma32_end && ram(end..dma32_end) < MIN_FAKE_SIZE {
            end = dma32_end;
        }
        if end >= limit || ram(end..limit) < size { limit } else { end }
    }

    /// Gives what lies before `cut` of the block at `at` to a fake node.
    fn take(&mut self, at: usize, cut: u64, fake: usize) -> Result<(), EmulationError> {
        let Block { range, nid } = self.fake.left.0[at].clone();
        if fake == self.fake.physical.len() {
            self.fake.physical.try_push(nid as u8).map_err(|_| NodesError::TooManyBlocks)?;
        }
        self.fake.blocks.add(range.start..cut, fake)?;
        if cut == range.end {
            self.fake.left.0.remove(at);
        } else {
            self.fake.left.0[at].range.start = cut;
        }
        Ok(())
    }
}

//! From which frame on each node keeps its pages for what can be moved: `kernelcore=`, `movablecore=`, `movable_node`. Linux's `find_zone_movable_pfns_for_nodes`.

use super::{NodeRange, ZoneLimits};
use crate::numa::MAX_NODES;
use crate::param::memparse;
use crate::sparse::GRANULE;
use crate::zone::ZoneType;

/// An amount of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Page frames.
    Pages(u64),
    /// A part of all memory, in percent.
    Percent(u64),
}

impl Amount {
    /// Reads `512M` or `30%`; `None` for anything else, and for more than all.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match memparse(text).ok()? {
            (percent @ 0..=100, b"%") => Some(Self::Percent(percent)),
            (bytes, []) => Some(Self::Pages(bytes >> 12)),
            _ => None,
        }
    }

    const fn of(self, all: u64) -> u64 {
        match self {
            Self::Pages(pages) => pages,
            Self::Percent(percent) => all / 100 * percent + all % 100 * percent / 100,
        }
    }
}

/// For each node the first frame of what must be movable; `None` where nothing must.
pub type Starts = [Option<u64>; MAX_NODES];

impl ZoneLimits {
    /// Leaves `kernelcore` of all memory, evenly spread over the nodes, to pages that cannot be moved, or all but `movablecore`, whichever is more.
    pub fn movable_starts<I: Iterator<Item = NodeRange>>(
        &self,
        kernelcore: Option<Amount>,
        movablecore: Option<Amount>,
        memory: impl Fn() -> I,
    ) -> Starts {
        let all: u64 = memory().map(|range| range.pfns.end - range.pfns.start).sum();
        let mut required = kernelcore.map_or(0, |amount| amount.of(all));
        if let Some(movable) = movablecore.map(|amount| amount.of(all)).filter(|pages| *pages != 0) {
            let movable = movable.min(all).next_multiple_of(GRANULE).min(all);
            required = required.max(all - movable);
        }
        if required == 0 || required >= all {
            return [None; MAX_NODES];
        }
        let mut spread = Spread {
            required,
            usable: self.of(self.highest()).start,
            ends: [0; MAX_NODES],
        };
        let has_memory = |nid: usize| memory().any(|range| range.nid == nid);
        let mut nodes = (0..MAX_NODES).filter(|nid| has_memory(*nid)).count() as u64;
        loop {
            let mut share = spread.required / nodes;
            for nid in 0..MAX_NODES {
                share = if spread.required < share { spread.required / nodes } else { share };
                spread.node(nid, share, memory());
            }
            nodes -= 1;
            if nodes == 0 || spread.required <= nodes {
                break;
            }
        }
        aligned(spread.ends.map(Some), memory)
    }

    /// Keeps all memory that can be unplugged, the frames of `hotplug`, movable, and what of its node lies behind it.
    pub fn hotplug_starts<I: Iterator<Item = NodeRange>>(hotplug: impl Iterator<Item = NodeRange>, memory: impl Fn() -> I) -> Starts {
        let mut starts: Starts = [None; MAX_NODES];
        for range in hotplug {
            if let Some(start) = starts.get_mut(range.nid) {
                *start = Some(start.map_or(range.pfns.start, |start| start.min(range.pfns.start)));
            }
        }
        aligned(starts, memory)
    }

    /// The highest kind of zone that this machine has: movable memory is taken from it alone.
    fn highest(&self) -> ZoneType {
        let kinds = [ZoneType::Normal, ZoneType::Dma32];
        kinds.into_iter().find(|kind| !self.of(*kind).is_empty()).unwrap_or(ZoneType::Dma)
    }
}

/// Moves starts to granules, and drops those behind all memory of their node.
fn aligned<I: Iterator<Item = NodeRange>>(mut starts: Starts, memory: impl Fn() -> I) -> Starts {
    for (nid, start) in starts.iter_mut().enumerate() {
        let end = memory()
            .filter(|range| range.nid == nid)
            .map(|range| range.pfns.end)
            .max()
            .unwrap_or(0);
        *start = start
            .map(|start| start.next_multiple_of(GRANULE))
            .filter(|start| *start != 0 && *start < end);
    }
    starts
}

/// Spreading what cannot be moved over the nodes.
struct Spread {
    /// Pages that no node has taken yet.
    required: u64,
    /// Below this frame nothing can be movable.
    usable: u64,
    /// For each node where what it has taken ends.
    ends: [u64; MAX_NODES],
}

impl Spread {
    /// Lets a node take `share` pages more.
    fn node(&mut self, nid: usize, share: u64, memory: impl Iterator<Item = NodeRange>) {
        let mut left = share;
        for range in memory.filter(|range| range.nid == nid) {
            let mut start = range.pfns.start.max(self.ends[nid]);
            let end = range.pfns.end;
            if start >= end {
                continue;
            }
            if start < self.usable {
                let low = end.min(self.usable) - start;
                left -= low.min(left);
                self.required -= low.min(self.required);
                if end <= self.usable {
                    self.ends[nid] = end;
                    continue;
                }
                start = self.usable;
            }
            let taken = (end - start).min(left);
            self.ends[nid] = start + taken;
            self.required -= taken.min(self.required);
            left -= taken;
            if left == 0 {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// 4 GiB of DMA32 memory on two nodes, in frames.
    fn two() -> Vec<NodeRange> {
        vec![
            NodeRange {
                pfns: 0x100..0x4_0000,
                nid: 0,
            },
            NodeRange {
                pfns: 0x4_0000..0x8_0000,
                nid: 1,
            },
        ]
    }

    fn starts(kernelcore: Option<&str>, movablecore: Option<&str>, memory: &[NodeRange]) -> Vec<Option<u64>> {
        let amount = |text: Option<&str>| text.map(|text| Amount::parse(text.as_bytes()).expect("an amount"));
        let limits = ZoneLimits::new(memory[0].pfns.start, memory[memory.len() - 1].pfns.end);
        limits.movable_starts(amount(kernelcore), amount(movablecore), || memory.iter().cloned())[..2].to_vec()
    }

    #[test]
    fn amounts_are_sizes_or_percents() {
        assert_eq!(Amount::parse(b"512M"), Some(Amount::Pages(0x2_0000)));
        assert_eq!(Amount::parse(b"30%"), Some(Amount::Percent(30)));
        for wrong in ["", "101%", "mirror", "5M%", "-1"] {
            assert_eq!(Amount::parse(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(Amount::Percent(100).of(u64::MAX), u64::MAX);
    }

    #[test]
    fn nothing_is_movable_unless_asked_for() {
        assert_eq!(starts(None, None, &two()), [None, None]);
        assert_eq!(starts(Some("100%"), None, &two()), [None, None]);
        assert_eq!(starts(Some("64G"), None, &two()), [None, None]);
    }

    #[test]
    fn kernelcore_is_spread_evenly() {
        // 512 MiB on each of two nodes; the first MiB is a hole, and what lies below 16 MiB counts as the kernel's.
        assert_eq!(starts(Some("1G"), None, &two()), [Some(0x2_0400), Some(0x6_0000)]);
    }

    #[test]
    fn movablecore_is_what_the_kernel_does_not_get() {
        let memory = [NodeRange { pfns: 0..0x8_0000, nid: 0 }];
        assert_eq!(starts(None, Some("512M"), &memory), [Some(0x6_0000), None]);
        assert_eq!(starts(None, Some("25%"), &memory), [Some(0x6_0000), None]);
        assert_eq!(starts(Some("1G"), Some("512M"), &memory), [Some(0x6_0000), None]);
    }

    #[test]
    fn memory_that_can_be_unplugged_is_movable() {
        let memory = two();
        let hotplug = [NodeRange {
            pfns: 0x5_0123..0x6_0000,
            nid: 1,
        }];
        let found = ZoneLimits::hotplug_starts(hotplug.into_iter(), || memory.iter().cloned());
        assert_eq!(found[..2], [None, Some(0x5_0400)]);
    }

    proptest! {
        #[test]
        fn the_kernel_keeps_at_least_what_it_needs(
            runs in proptest::collection::vec((0..0x2_0000_u64, 0x400..0x2_0000_u64, 0..3_usize), 1..8),
            percent in 0..=100_u64,
            movable in proptest::option::of(0..=100_u64),
        ) {
            let mut end = 0;
            let memory: Vec<_> = runs.into_iter().map(|(hole, length, nid)| {
                let start = end + hole;
                end = start + length;
                NodeRange { pfns: start..end, nid }
            }).collect();
            let limits = ZoneLimits::new(memory[0].pfns.start, end);
            let starts = limits.movable_starts(Some(Amount::Percent(percent)), movable.map(Amount::Percent), || memory.iter().cloned());
            let all: u64 = memory.iter().map(|range| range.pfns.end - range.pfns.start).sum();
            let kept: u64 = memory.iter().map(|range| {
                range.pfns.end.min(starts[range.nid].unwrap_or(u64::MAX)).saturating_sub(range.pfns.start)
            }).sum();
            // What is left when the division by nodes does not come out even is less than their number.
            prop_assert!(kept + 3 >= Amount::Percent(percent).of(all).min(all));
            let lowest = limits.of(limits.highest()).start;
            prop_assert!(starts.iter().flatten().all(|start| *start >= lowest && start % GRANULE == 0));
        }
    }
}

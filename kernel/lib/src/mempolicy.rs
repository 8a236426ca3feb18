//! Which node an allocation begins at.

use core::fmt;

/// A node must have so much memory to take part in [`Policy::Interleave`] during the boot.
const LEAST_MEMORY: u64 = 16 << 20;

/// A rule for allocations that name no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// At the node of the processor that asks.
    Local,
    /// At each of these nodes in turn, a bit for each; never none.
    Interleave(u64),
}

impl Policy {
    /// That of the boot, so that what stays for good does not all lie on one node: all nodes with enough memory take turns, or the largest has all. `nodes` gives
    /// numbers and bytes.
    pub fn of_boot(nodes: impl Iterator<Item = (usize, u64)> + Clone) -> Self {
        let bit = |nid: usize| 1_u64.checked_shl(nid as u32).unwrap_or(0);
        let large = nodes.clone().filter(|(_, bytes)| *bytes >= LEAST_MEMORY);
        match large.fold(0, |set, (nid, _)| set | bit(nid)) {
            // Of several, the first is the largest.
            0 => nodes
                .reduce(|most, next| if next.1 > most.1 { next } else { most })
                .map_or(Self::Local, |(nid, _)| Self::Interleave(bit(nid))),
            set => Self::Interleave(set),
        }
    }

    /// The node for the allocation with number `turn`, if a processor of node `local` asks.
    #[must_use]
    pub const fn node(self, local: usize, turn: u64) -> usize {
        match self {
            Self::Local | Self::Interleave(0) => local,
            Self::Interleave(mut set) => {
                let mut skip = turn % set.count_ones() as u64;
                while skip > 0 {
                    set &= set - 1;
                    skip -= 1;
                }
                set.trailing_zeros() as usize
            }
        }
    }
}

/// As `/proc/PID/numa_maps` shows it.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Interleave(set) = *self else {
            return f.write_str("local");
        };
        f.write_str("interleave")?;
        let mut separator = ':';
        for nid in (0..64).filter(|nid| set & 1 << nid != 0) {
            write!(f, "{separator}{nid}")?;
            separator = ',';
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    const MIB: u64 = 1 << 20;

    #[test]
    fn nodes_that_are_too_small_do_not_take_part() {
        let policy = Policy::of_boot([(0, 64 * MIB), (1, 16 * MIB), (3, 15 * MIB)].into_iter());
        assert_eq!(policy, Policy::Interleave(0b11));
        assert_eq!(policy.to_string(), "interleave:0,1");
    }

    #[test]
    fn where_all_are_too_small_the_largest_has_all() {
        let policy = Policy::of_boot([(0, MIB), (2, 4 * MIB), (3, 4 * MIB)].into_iter());
        assert_eq!(policy, Policy::Interleave(0b100));
        assert_eq!(Policy::of_boot(core::iter::empty()), Policy::Local);
    }

    #[test]
    fn local_is_where_one_is() {
        assert_eq!(Policy::Local.node(5, 7), 5);
        assert_eq!(Policy::Local.to_string(), "local");
    }

    proptest! {
        #[test]
        fn every_node_has_its_turn(set in 1..u64::MAX, first in 0..u64::MAX - 64) {
            let policy = Policy::Interleave(set);
            // A turn that wraps to 0 would come twice.
            let first = first / u64::from(set.count_ones()) * u64::from(set.count_ones());
            let turns = (0..u64::from(set.count_ones())).map(|turn| policy.node(0, first + turn));
            prop_assert_eq!(turns.fold(0_u64, |seen, nid| seen | 1 << nid), set);
        }
    }
}

//! Gives lines that run side by side in a gap a lane each, so that no two lie on each other as long as there are lanes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A stretch of a line in a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins and ends, along the gap, in either order.
    pub ends: (u32, u32),
    /// Whose it is.
    pub owner: usize,
}

/// The lane of each stretch, with its owner, and how many lanes there are: as few as keep stretches that meet apart, but at most `most`; beyond that lanes are
/// shared.
pub fn assign(stretches: &[Stretch], most: u32) -> (Vec<(usize, u32)>, u32) {
    let mut order: Vec<_> = stretches
        .iter()
        .map(|stretch| {
            let (one, other) = stretch.ends;
            (one.min(other), one.max(other), stretch.owner)
        })
        .collect();
    order.sort_unstable();
    let mut free = BinaryHeap::new();
    let mut taken: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::new();
    let mut count = 0;
    let mut lanes = Vec::with_capacity(order.len());
    for (start, end, owner) in order {
        while taken.peek().is_some_and(|Reverse((until, _))| *until < start) {
            free.extend(taken.pop().map(|Reverse((_, lane))| Reverse(lane)));
        }
        let lane = free.pop().map_or_else(
            || {
                count += 1;
                count - 1
            },
            |Reverse(lane)| lane,
        );
        taken.push(Reverse((end, lane)));
        lanes.push((owner, lane % most));
    }
    (lanes, count.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(ends: &[(u32, u32)], most: u32) -> (Vec<u32>, u32) {
        let stretches: Vec<_> = ends.iter().enumerate().map(|(owner, &ends)| Stretch { ends, owner }).collect();
        let (mut lanes, count) = assign(&stretches, most);
        lanes.sort_unstable();
        (lanes.into_iter().map(|(_, lane)| lane).collect(), count)
    }

    #[test]
    fn stretches_that_meet_are_kept_apart_and_others_share() {
        assert_eq!(lanes(&[(0, 3), (3, 5), (6, 9), (9, 4)], 8), (vec![0, 1, 1, 0], 2));
        assert_eq!(lanes(&[(0, 9), (1, 1), (2, 2), (1, 2)], 8), (vec![0, 1, 1, 2], 3));
        assert_eq!(lanes(&[], 8), (vec![], 0));
    }

    #[test]
    fn lanes_are_shared_when_there_are_no_more() {
        let (lanes, count) = lanes(&[(0, 9), (0, 9), (0, 9), (0, 9), (0, 9)], 2);
        assert_eq!((lanes, count), (vec![0, 1, 0, 1, 0], 2));
    }
}

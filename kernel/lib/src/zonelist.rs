//! In which order an allocation that begins at one node goes through the others: the nearest first, and so that nodes that are equally far take turns.

use arrayvec::ArrayVec;

use crate::numa::MAX_NODES;

/// What is known of the machine's nodes.
pub trait Nodes {
    /// The nodes with memory, in order.
    fn with_memory(&self) -> impl Iterator<Item = usize>;
    /// How far node `to` is from node `from`.
    fn distance(&self, from: usize, to: usize) -> u8;
    /// Whether the node has processors, whose own memory it then is.
    fn has_processors(&self, nid: usize) -> bool;
}

/// Makes the orders of all nodes, one after the other: how often each node was the first of a group counts for the next ones. Linux's `find_next_best_node` and the part of its
/// `build_zonelists` that calls it.
#[derive(Debug)]
pub struct Fallback<N> {
    nodes: N,
    load: [u16; MAX_NODES],
}

impl<N: Nodes> Fallback<N> {
    /// Nothing made yet.
    pub const fn new(nodes: N) -> Self {
        Self {
            nodes,
            load: [0; MAX_NODES],
        }
    }

    /// The order for allocations that begin at `local`: that node, and all others that have memory.
    pub fn order(&mut self, local: usize) -> ArrayVec<usize, MAX_NODES> {
        let mut order = ArrayVec::new();
        let mut previous = local;
        order.push(local);
        while let Some(best) = self.best(local, &order) {
            // Of nodes that are equally far, each is to be the first for some.
            if self.nodes.distance(local, best) != self.nodes.distance(local, previous) {
                self.load[best] += 1;
            }
            order.push(best);
            previous = best;
        }
        order
    }

    /// The best node that is not in `order`.
    fn best(&self, local: usize, order: &[usize]) -> Option<usize> {
        let left = self.nodes.with_memory().filter(|nid| *nid < MAX_NODES && !order.contains(nid));
        left.min_by_key(|&nid| {
            // Nodes below would be everybody's first choice; processors need their memory themselves.
            let penalty = u32::from(nid < local) + u32::from(self.nodes.has_processors(nid));
            let near = u32::from(self.nodes.distance(local, nid)) + penalty;
            near * MAX_NODES as u32 + u32::from(self.load[nid])
        })
    }
}

#[cfg(test)]
mod tests;

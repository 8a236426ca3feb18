//! The critical path: in each level the chain of entries that takes longest. Levels wait for each other, so this is what would remain of the boot if all that
//! may run side by side did.

use incipit_linker::graph::Graph;

use super::{Costs, bands};

/// Which entries and edges are on the critical path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Critical {
    /// By index of the entry.
    pub entries: Vec<bool>,
    /// By index of the edge.
    pub edges: Vec<bool>,
}

/// What a chain costs: measured, and then by how many entries it has.
type Cost = (u64, u32);

/// Finds the critical path of `graph`.
#[must_use]
pub fn find(graph: &Graph, costs: &Costs) -> Critical {
    let mut critical = Critical {
        entries: vec![false; graph.entries.len()],
        edges: vec![false; graph.edges.len()],
    };
    let (chains, incoming) = chains(graph, costs);
    for band in bands(graph) {
        // The first of several that are equal, so that the picture does not depend on anything else.
        let Some(mut at) = band.entries.rev().max_by_key(|index| chains[*index]) else {
            continue;
        };
        critical.entries[at] = true;
        while let Some(edge) = incoming[at] {
            critical.edges[edge] = true;
            at = graph.edges[edge].first;
            critical.entries[at] = true;
        }
    }
    critical
}

/// For each entry what the dearest chain in its level that ends with it costs, and the edge by which that comes in.
fn chains(graph: &Graph, costs: &Costs) -> (Vec<Cost>, Vec<Option<usize>>) {
    let cost = |index: usize| (costs.of.get(index).copied().flatten().unwrap_or(0), 1);
    let mut chains: Vec<Cost> = (0..graph.entries.len()).map(cost).collect();
    let mut incoming = vec![None; chains.len()];
    let mut inner: Vec<usize> = (0..graph.edges.len()).filter(|edge| is_inner(graph, *edge)).collect();
    // What an entry depends on has a smaller index, so by then its own chain is known.
    inner.sort_by_key(|edge| (graph.edges[*edge].then, *edge));
    for edge in inner {
        let (first, then) = (graph.edges[edge].first, graph.edges[edge].then);
        let own = cost(then);
        let through = (chains[first].0 + own.0, chains[first].1 + own.1);
        if through > chains[then] {
            chains[then] = through;
            incoming[then] = Some(edge);
        }
    }
    (chains, incoming)
}

/// Whether both ends of an edge are in one level.
fn is_inner(graph: &Graph, edge: usize) -> bool {
    let edge = &graph.edges[edge];
    graph.entries[edge.first].part.name == graph.entries[edge.then].part.name
}

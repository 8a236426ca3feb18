//! Ranks the entries of each part by what must run before them, and puts them into the order in which the kernel runs them.

use super::explain;
use super::relations::subject;
use super::{Edge, Graph};
use crate::seal::problem::Problems;

/// Ranks and sorts the entries of `graph`; its edges follow. A cycle is noted in `problems`.
pub fn sort(graph: &mut Graph, problems: &mut Problems) {
    let successors = Successors::within_parts(graph);
    let left = rank(graph, &successors);
    if let Some(cycle) = left.and_then(|waiting| find_cycle(&successors, &waiting)) {
        let edges: Vec<Edge> = cycle.iter().map(|edge| graph.edges[*edge]).collect();
        problems.add(subject(graph, edges[0].first), explain::cycle(graph, &edges));
        return;
    }
    let mut order: Vec<usize> = (0..graph.entries.len()).collect();
    order.sort_by(|one, other| graph.entries[*one].key().cmp(&graph.entries[*other].key()));
    let mut place = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        place[old] = new;
    }
    graph.entries = order.iter().map(|old| graph.entries[*old].clone()).collect();
    for edge in &mut graph.edges {
        (edge.first, edge.then) = (place[edge.first], place[edge.then]);
    }
    graph.edges.sort_unstable();
}

/// For each entry, the edges to those of its own part that run behind it. Between parts the levels decide.
struct Successors {
    start: Vec<usize>,
    edges: Vec<(usize, usize)>,
}

impl Successors {
    fn within_parts(graph: &Graph) -> Self {
        let mut edges: Vec<_> = (0..)
            .zip(&graph.edges)
            .filter(|(_, edge)| graph.entries[edge.first].turn == graph.entries[edge.then].turn)
            .map(|(index, edge)| (edge.first, (edge.then, index)))
            .collect();
        edges.sort_unstable();
        let start = (0..=graph.entries.len())
            .map(|entry| edges.partition_point(|(first, _)| *first < entry))
            .collect();
        Self {
            start,
            edges: edges.into_iter().map(|(_, edge)| edge).collect(),
        }
    }

    /// The entries behind `entry`, each with the edge that leads there.
    fn of(&self, entry: usize) -> &[(usize, usize)] {
        &self.edges[self.start[entry]..self.start[entry + 1]]
    }
}

/// Gives each entry its rank: one more than the greatest of those before it. If that cannot be done for all, returns for each entry how many it still waits
/// for.
fn rank(graph: &mut Graph, successors: &Successors) -> Option<Vec<usize>> {
    let count = graph.entries.len();
    let mut waiting = vec![0usize; count];
    for (then, _) in &successors.edges {
        waiting[*then] += 1;
    }
    let mut ready: Vec<usize> = (0..count).filter(|entry| waiting[*entry] == 0).collect();
    let mut ranked = 0;
    while let Some(entry) = ready.pop() {
        ranked += 1;
        let next = graph.entries[entry].rank + 1;
        for (then, _) in successors.of(entry) {
            let node = &mut graph.entries[*then];
            node.rank = node.rank.max(next);
            waiting[*then] -= 1;
            if waiting[*then] == 0 {
                ready.push(*then);
            }
        }
    }
    (ranked < count).then_some(waiting)
}

/// The edges of a cycle, in order, among the entries that still wait.
fn find_cycle(successors: &Successors, waiting: &[usize]) -> Option<Vec<usize>> {
    // Some that wait are only behind a cycle: going from one to one that it waits for always ends in one. The edges lead the other way.
    let mut before = vec![None; waiting.len()];
    for first in (0..waiting.len()).filter(|entry| waiting[*entry] > 0) {
        for (then, edge) in successors.of(first).iter().filter(|(then, _)| waiting[*then] > 0) {
            before[*then].get_or_insert((first, *edge));
        }
    }
    let mut seen = vec![false; waiting.len()];
    let mut at = waiting.iter().position(|count| *count > 0)?;
    while !seen[at] {
        seen[at] = true;
        at = before[at]?.0;
    }
    let (start, mut cycle) = (at, Vec::new());
    loop {
        let (first, edge) = before[at]?;
        cycle.push(edge);
        at = first;
        if at == start {
            cycle.reverse();
            return Some(cycle);
        }
    }
}

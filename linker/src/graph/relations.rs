//! Turns what records say of each other into edges, and refuses what nothing can keep.

use std::collections::{BTreeMap, HashMap};

use super::explain::{self, place};
use super::{Edge, Graph, Kind};
use crate::record::key;
use crate::seal::problem::Problems;
use crate::seal::records::Record;

/// What is known of the names in a graph.
struct Names {
    by_path: HashMap<String, usize>,
    capabilities: HashMap<String, usize>,
    /// For each capability, who provides it.
    providers: BTreeMap<usize, Vec<usize>>,
}

/// Adds the edges of `graph`, which `records` declare. Returns what is wrong with them; an edge that cannot be kept is left out.
pub fn relate(graph: &mut Graph, records: &[Record]) -> Problems {
    let mut problems = Problems::default();
    let names = Names::of(graph);
    check_exclusive(graph, &names, &mut problems);
    check_last(graph, &mut problems);
    check_strangers(graph, &names, records, &mut problems);
    let mut edges = Vec::new();
    for index in 0..graph.entries.len() {
        functions(graph, &names, index, &mut edges);
        capabilities(graph, &names, index, &mut edges, &mut problems);
    }
    edges.sort_unstable();
    edges.dedup();
    let is_possible = |edge: &Edge| {
        let (first, then) = (&graph.entries[edge.first], &graph.entries[edge.then]);
        first.turn < then.turn || (first.turn == then.turn && !first.last)
    };
    let (kept, refused): (Vec<_>, Vec<_>) = edges.into_iter().partition(is_possible);
    for edge in refused {
        problems.add(subject(graph, edge.declared_by()), explain::too_late(graph, &edge));
    }
    graph.edges = kept;
    problems
}

impl Names {
    fn of(graph: &Graph) -> Self {
        let entries = || graph.entries.iter().enumerate();
        let capabilities: HashMap<_, _> = (0..)
            .zip(&graph.capabilities)
            .map(|(index, record)| (record.path.clone(), index))
            .collect();
        let mut providers = BTreeMap::<usize, Vec<usize>>::new();
        for (index, node) in entries() {
            for capability in items(&node.record, key::PROVIDES).filter_map(|path| capabilities.get(path)) {
                let provided = providers.entry(*capability).or_default();
                // Saying it twice is not providing it twice.
                if provided.last() != Some(&index) {
                    provided.push(index);
                }
            }
        }
        Self {
            by_path: entries().map(|(index, node)| (node.record.path.clone(), index)).collect(),
            capabilities,
            providers,
        }
    }

    fn providers(&self, capability: usize) -> &[usize] {
        self.providers.get(&capability).map_or(&[], Vec::as_slice)
    }
}

/// The items of a list in a record.
pub fn items<'r>(record: &'r Record, key: &str) -> impl Iterator<Item = &'r str> {
    record.get(key).unwrap_or_default().split(',').filter(|item| !item.is_empty())
}

/// The table of an entry: what a problem with it is about.
pub fn subject(graph: &Graph, entry: usize) -> &'static str {
    graph.tables[graph.entries[entry].turn.0].name
}

/// Edges to functions. One that is not in the image had its own complaint: its entry was lost.
fn functions(graph: &Graph, names: &Names, index: usize, edges: &mut Vec<Edge>) {
    let record = &graph.entries[index].record;
    for other in items(record, key::AFTER).filter_map(|path| names.by_path.get(path)) {
        edges.push(Edge {
            first: *other,
            then: index,
            kind: Kind::After,
            capability: None,
        });
    }
    for other in items(record, key::BEFORE).filter_map(|path| names.by_path.get(path)) {
        edges.push(Edge {
            first: index,
            then: *other,
            kind: Kind::Before,
            capability: None,
        });
    }
}

/// Edges to what provides something.
fn capabilities(graph: &Graph, names: &Names, index: usize, edges: &mut Vec<Edge>, problems: &mut Problems) {
    let record = &graph.entries[index].record;
    for (word, kind) in [(key::REQUIRES, Kind::Requires), (key::WANTS, Kind::Wants)] {
        for path in items(record, word) {
            let Some(&capability) = names.capabilities.get(path) else {
                let message = format!(
                    "{} {word} {path}, but the declaration of that capability is not in the image",
                    place(record)
                );
                problems.add(subject(graph, index), message);
                continue;
            };
            let providers = names.providers(capability);
            if providers.is_empty() && kind == Kind::Requires {
                let message = explain::unprovided(record, &graph.capabilities[capability]);
                problems.add(subject(graph, index), message);
            }
            edges.extend(providers.iter().map(|&first| Edge {
                first,
                then: index,
                kind,
                capability: Some(capability),
            }));
        }
    }
}

/// Refuses relations to what is walked for another reason: nothing would keep them.
fn check_strangers(graph: &Graph, names: &Names, records: &[Record], problems: &mut Problems) {
    let strangers: HashMap<_, _> = records
        .iter()
        .filter_map(|record| Some((record.path.as_str(), (record, super::related_table(record)?))))
        .filter(|(path, _)| !names.by_path.contains_key(*path))
        .collect();
    for (index, node) in graph.entries.iter().enumerate() {
        for word in [key::AFTER, key::BEFORE] {
            for (other, table) in items(&node.record, word).filter_map(|path| strangers.get(path)) {
                let own = subject(graph, index);
                problems.add(own, explain::stranger(&node.record, word, other, own, table.name));
            }
        }
    }
}

fn check_exclusive(graph: &Graph, names: &Names, problems: &mut Problems) {
    for (capability, providers) in &names.providers {
        let record = &graph.capabilities[*capability];
        if record.get(key::EXCLUSIVE).is_some() && providers.len() > 1 {
            let message = explain::provided_twice(graph, record, providers);
            problems.add(subject(graph, providers[0]), message);
        }
    }
}

fn check_last(graph: &Graph, problems: &mut Problems) {
    let last: Vec<_> = (0..graph.entries.len()).filter(|entry| graph.entries[*entry].last).collect();
    if last.len() > 1 {
        problems.add(subject(graph, last[0]), explain::last_twice(graph, &last));
    }
}

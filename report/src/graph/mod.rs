//! Draws the declared graph: levels as bands from top to bottom, and in each the entries in the order in which they run.
//!
//! [`layout`] says where things are, [`critical`] which of them decide how long the boot takes, [`svg`] and [`dot`] write them down. What there is to draw is
//! [`incipit_linker::graph`]'s; nothing here decides who runs when.

pub mod critical;
pub mod dot;
mod lanes;
pub mod layout;
pub mod svg;
pub mod words;

use std::collections::HashMap;
use std::ops::Range;

use incipit_linker::graph::Graph;

use crate::boot::entries::Entry;

/// A level: entries of one part of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// What people call it: `stages`, `console`, `early`, … `late (sync)`.
    pub name: String,
    /// Its entries, as indices into the graph's.
    pub entries: Range<usize>,
}

/// The levels of `graph` that have entries, in the order in which they run.
#[must_use]
pub fn bands(graph: &Graph) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    for (index, node) in graph.entries.iter().enumerate() {
        let begins = index == 0 || graph.entries[index - 1].part.name != node.part.name;
        match bands.last_mut() {
            Some(band) if !begins => band.entries.end = index + 1,
            _ => bands.push(Band {
                name: words::level(node.part),
                entries: index..index + 1,
            }),
        }
    }
    bands
}

/// What each entry of a graph cost in a boot, in one unit; without one each counts the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Costs {
    /// By index of the entry; `None` for one that did not run to its end.
    pub of: Vec<Option<u64>>,
    /// Whether the unit is instructions rather than nanoseconds.
    pub instructions: bool,
}

impl Costs {
    /// What `measured` says of the entries of `graph`.
    #[must_use]
    pub fn measured(graph: &Graph, measured: &[Entry]) -> Self {
        let instructions = measured.iter().any(|entry| entry.instructions.is_some());
        let cost = |entry: &Entry| if instructions { entry.instructions } else { entry.took };
        let by_path: HashMap<_, _> = measured.iter().map(|entry| (entry.path.as_str(), cost(entry))).collect();
        Self {
            of: graph
                .entries
                .iter()
                .map(|node| by_path.get(node.record.path.as_str()).copied().flatten())
                .collect(),
            instructions,
        }
    }
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

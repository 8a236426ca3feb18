//! What is said of an entry, wherever it is drawn.

use incipit_linker::graph::{Graph, Kind};
use incipit_linker::record::key;
use incipit_linker::table::Part;
use incipit_linker::tables::{CON_INITCALL, CPU_STATE, INITCALL_LEVELS, STAGE, level_of};

/// What people call the level that `part` holds.
#[must_use]
pub fn level(part: &Part) -> String {
    if part.name == STAGE.parts[0].name {
        return "stages".into();
    }
    if part.name == CON_INITCALL.parts[0].name {
        return "console".into();
    }
    let named = |name: &str| INITCALL_LEVELS.iter().find(|(_, part)| *part == name).map(|(level, _)| *level);
    match named(part.name) {
        Some(level) => level.into(),
        None => {
            let plain = part.name.strip_suffix('s').and_then(named);
            plain.map_or_else(|| level_of(part), |level| format!("{level} (sync)"))
        }
    }
}

/// Whether `graph` is that of the states of CPUs.
#[must_use]
pub fn is_of_cpus(graph: &Graph) -> bool {
    graph.tables.iter().any(|table| table.name == CPU_STATE.name)
}

/// What `graph` shows.
#[must_use]
pub fn title(graph: &Graph) -> &'static str {
    if is_of_cpus(graph) {
        "What is done for each CPU that comes"
    } else {
        "The declared boot"
    }
}

/// The word for a kind of edge, as the attributes spell it.
#[must_use]
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::After => "after",
        Kind::Before => "before",
        Kind::Requires => "requires",
        Kind::Wants => "wants",
    }
}

/// What an entry depends on, and what depends on it: a line each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relations {
    /// `after linux_banner`, `requires pci: pci_init`.
    pub needs: Vec<String>,
    /// `before report_way_in`, `provides pci`.
    pub gives: Vec<String>,
}

/// The relations of each entry of `graph`.
#[must_use]
pub fn relations(graph: &Graph) -> Vec<Relations> {
    let mut all = vec![Relations::default(); graph.entries.len()];
    for edge in &graph.edges {
        let (first, then) = (&graph.entries[edge.first].record.name, &graph.entries[edge.then].record.name);
        let capability = edge.capability.and_then(|index| graph.capabilities.get(index));
        match (edge.kind, capability) {
            (Kind::Before, _) => all[edge.first].gives.push(format!("before {then}")),
            (kind, Some(capability)) => all[edge.then]
                .needs
                .push(format!("{} {}: {first}", self::kind(kind), capability.name)),
            (kind, None) => all[edge.then].needs.push(format!("{} {first}", self::kind(kind))),
        }
    }
    for (relations, node) in all.iter_mut().zip(&graph.entries) {
        for path in node
            .record
            .get(key::PROVIDES)
            .unwrap_or_default()
            .split(',')
            .filter(|path| !path.is_empty())
        {
            let capability = graph.capabilities.iter().find(|capability| capability.path == path);
            let name = capability.map_or(path, |capability| &capability.name);
            relations.gives.push(format!("provides {name}"));
        }
    }
    all
}

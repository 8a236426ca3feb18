//! The words for declarations that do not add up: every link with its place, and what would mend it.

use super::{Edge, Graph, Kind};
use crate::seal::records::Record;
use crate::tables;

/// A declaration with its place.
pub fn place(record: &Record) -> String {
    format!("{} ({})", record.name, record.place())
}

/// Why `edge` is there, in a sentence: which declaration says it.
fn because(graph: &Graph, edge: &Edge) -> String {
    let (first, then) = (&graph.entries[edge.first].record, &graph.entries[edge.then].record);
    let capability = edge.capability.map(|index| &graph.capabilities[index]);
    match (edge.kind, capability) {
        (Kind::Before, _) => format!("{} says before({})", place(first), then.name),
        (Kind::Wants, Some(capability)) => format!("{} wants {}, which {} provides", place(then), place(capability), place(first)),
        (Kind::Requires, Some(capability)) => format!("{} requires {}, which {} provides", place(then), place(capability), place(first)),
        _ => format!("{} says after({})", place(then), first.name),
    }
}

/// An edge to something that runs too late.
pub fn too_late(graph: &Graph, edge: &Edge) -> String {
    let (first, then) = (&graph.entries[edge.first], &graph.entries[edge.then]);
    let (early, late) = (tables::level_of(then.part), tables::level_of(first.part));
    let is_behind_last = first.turn == then.turn;
    let (first, then) = (&first.record.name, &then.record.name);
    if is_behind_last {
        return format!(
            "{}, but {first} is the last {late} and does not come back: {then} would never run",
            because(graph, edge)
        );
    }
    format!(
        "{}, but {first} runs in {late}, behind {early}: move {first} to {early} or earlier, or {then} to {late} or later",
        because(graph, edge)
    )
}

/// A relation, `word`, between entries of tables that are walked for different reasons.
pub fn stranger(record: &Record, word: &str, other: &Record, own_table: &str, other_table: &str) -> String {
    format!(
        "{} says {word}({}), but {} is an entry of {other_table}, and nothing orders those and entries of {own_table}",
        place(record),
        other.name,
        place(other)
    )
}

/// A requirement that nothing in the image provides.
pub fn unprovided(record: &Record, capability: &Record) -> String {
    format!(
        "{} requires {}, but nothing in this image provides it: enable a crate with a function that says provides({}), or say wants if {} can do without",
        place(record),
        place(capability),
        ident(capability),
        record.name
    )
}

/// Several providers of an exclusive capability.
pub fn provided_twice(graph: &Graph, capability: &Record, providers: &[usize]) -> String {
    let providers: Vec<_> = providers.iter().map(|index| place(&graph.entries[*index].record)).collect();
    format!(
        "{} is exclusive, but {} provide it: configure all but one of them out, or declare it without `exclusive`",
        place(capability),
        providers.join(" and ")
    )
}

/// Several entries that say they are the last.
pub fn last_twice(graph: &Graph, last: &[usize]) -> String {
    let last: Vec<_> = last.iter().map(|index| place(&graph.entries[*index].record)).collect();
    format!("{} each say that they are the last: one can be", last.join(" and "))
}

/// A cycle: each edge ends where the next one starts, and the last where the first one starts.
pub fn cycle(graph: &Graph, edges: &[Edge]) -> String {
    let links: Vec<_> = edges
        .iter()
        .map(|edge| {
            let (first, then) = (&graph.entries[edge.first].record, &graph.entries[edge.then].record);
            format!("\n    {} before {}: {}", first.name, then.name, because(graph, edge))
        })
        .collect();
    format!(
        "these run in a cycle, so there is no order; one of the declarations must go:{}",
        links.concat()
    )
}

/// A capability as code spells it: the last part of its path.
fn ident(capability: &Record) -> &str {
    capability.path.rsplit("::").next().unwrap_or(&capability.path)
}

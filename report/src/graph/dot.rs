//! The graph in the language of Graphviz: for whoever wants another layout, or to ask questions with its tools.

use std::fmt::Write;

use incipit_linker::graph::{Graph, Kind};

use super::critical;
use super::words::{self, Relations};
use super::{Costs, bands};

/// Writes `graph` down; `dot` lays it out as `graph.svg` shows it, from top to bottom.
#[must_use]
pub fn draw(graph: &Graph, costs: &Costs) -> String {
    let critical = critical::find(graph, costs);
    let relations = words::relations(graph);
    let mut out = format!(
        "// {}: an arrow leads to what runs later. Grey: by path (dashed: before); blue: by capability (dotted: wants); red: critical path.\n\
         digraph incipit {{\n\
         \tnode [shape=box, fontname=\"monospace\", fontsize=10, color=\"#8c867c\"]\n\
         \tedge [fontname=\"monospace\", fontsize=9, color=\"#8c867c\", arrowsize=0.6]\n",
        words::title(graph)
    );
    let bands = bands(graph);
    // Writing to a string cannot fail.
    for (index, band) in bands.iter().enumerate() {
        let _ = writeln!(
            out,
            "\tsubgraph cluster_{index} {{\n\t\tlabel={}\n\t\tstyle=filled\n\t\tcolor=\"#f1eee8\"",
            quoted(&band.name)
        );
        for entry in band.entries.clone() {
            let (record, bold) = (
                &graph.entries[entry].record,
                if critical.entries[entry] {
                    ", color=\"#a3271f\", penwidth=2"
                } else {
                    ""
                },
            );
            let tooltip = tooltip(&record.place(), &relations[entry]);
            let _ = writeln!(
                out,
                "\t\tn{entry} [label={}, tooltip={}{bold}]",
                quoted(&record.name),
                quoted(&tooltip)
            );
        }
        out.push_str("\t}\n");
    }
    for pair in bands.windows(2) {
        // Levels run one behind the other, whether or not an edge says so.
        let _ = writeln!(out, "\tn{} -> n{} [style=invis]", pair[0].entries.end - 1, pair[1].entries.start);
    }
    for (index, edge) in graph.edges.iter().enumerate() {
        let capability = edge.capability.and_then(|capability| graph.capabilities.get(capability));
        let label = capability.map_or_else(String::new, |capability| format!(", label={}", quoted(&capability.name)));
        let style = match edge.kind {
            Kind::After => "style=solid",
            Kind::Before => "style=dashed",
            Kind::Requires => "style=solid, color=\"#1f5f8b\"",
            Kind::Wants => "style=dotted, color=\"#1f5f8b\"",
        };
        let marked = if critical.edges[index] {
            ", color=\"#a3271f\", penwidth=2"
        } else {
            ""
        };
        let _ = writeln!(out, "\tn{} -> n{} [{style}{label}{marked}]", edge.first, edge.then);
    }
    out.push_str("}\n");
    out
}

fn tooltip(place: &str, relations: &Relations) -> String {
    let lines = [place]
        .into_iter()
        .chain(relations.needs.iter().chain(&relations.gives).map(String::as_str));
    lines.collect::<Vec<_>>().join("\n")
}

/// `text` as a string of Graphviz's, in which a backslash begins an escape.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            character if character.is_control() => out.push('\u{fffd}'),
            character => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;

//! The table of stages and initcalls: what became of each. The cards of the timeline and of the picture are made from its rows.

use incipit_linker::record::key;
use maud::{Markup, html};

use super::{Item, breakable, filter, place, prose};
use crate::boot::entries::State;
use crate::figures::{duration, grouped};
use crate::graph::words;

const COLUMNS: [&str; 7] = ["Name", "Level", "State", "Took", "Source", "Needs", "Gives"];

/// Shows `items`.
pub fn show(items: &[Item]) -> Markup {
    html! {
        (filter("entry-rows", "Filter stages and initcalls"))
        table.stacked {
            thead { tr { @for column in COLUMNS { th scope="col" { (column) } } } }
            tbody id="entry-rows" { @for item in items { (row(item)) } }
        }
    }
}

fn row(item: &Item) -> Markup {
    let (entry, relations) = (item.entry, &item.relations);
    html! {
        tr id=(item.id) class=(entry.state.name()) {
            th scope="row" data-label=(COLUMNS[0]) {
                code { (breakable(&entry.name)) }
                span.note.path { (breakable(&entry.path)) }
                @if let Some(doc) = item.node.record.get(key::DOC) { span.note { (prose(doc)) } }
            }
            td data-label=(COLUMNS[1]) { (words::level(item.node.part)) }
            td data-label=(COLUMNS[2]) { (state(item)) }
            td.figure data-label=(COLUMNS[3]) { (took(item)) }
            td data-label=(COLUMNS[4]) { (place(&entry.place)) }
            (list(COLUMNS[5], &relations.needs))
            (list(COLUMNS[6], &relations.gives))
        }
    }
}

fn state(item: &Item) -> Markup {
    let entry = item.entry;
    html! {
        span.state.(entry.state.name()) { (entry.state.name()) @if let Some(error) = &entry.error { " " code { (error) } } }
        @if let Some(reason) = &entry.reason { span.note { (reason) } }
        @if entry.state == State::Running { span.note { "has not come back" } }
        @if let Some(policy) = entry.on_error.as_ref().filter(|policy| *policy != "warn") { span.note { "on error: " (policy) } }
    }
}

/// What the entry cost, and when it began, in one unit.
fn took(item: &Item) -> Markup {
    let entry = item.entry;
    let unit = if entry.instructions.is_some() { grouped } else { duration };
    html! {
        @match (entry.instructions, entry.took) {
            (Some(instructions), Some(took)) => span { (grouped(instructions)) span.unit { " instructions, " (duration(took)) } },
            (None, Some(took)) => span { (duration(took)) },
            _ => "–",
        }
        @if let Some(start) = entry.start { span.note { "began at " (unit(start)) } }
    }
}

fn list(column: &str, lines: &[String]) -> Markup {
    html! {
        @if lines.is_empty() { td.none data-label=(column) { "–" } }
        @else { td data-label=(column) { ul.plain { @for line in lines { li { (breakable(line)) } } } } }
    }
}

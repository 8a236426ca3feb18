//! The report: one page on what one boot did, in a file that needs nothing else.
//!
//! Each section is a room of its own; this one joins what the image declares with what the boot tells of it, and puts the page together. Everything that comes
//! from an image or a boot goes through `maud`, which escapes it. Without the script the page shows all the same; the script adds the card that follows the
//! pointer and the keyboard, and the filters.

mod entries;
mod exceptions;
mod head;
mod memory;
mod params;
mod scale;
mod sections;
mod tables;
mod timeline;

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use incipit_linker::graph::Node;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::boot::Boot;
use crate::boot::entries::Entry;
use crate::contents::Contents;
use crate::graph::words::{self, Relations};
use crate::graph::{Costs, svg};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// How many entries a page may have before the browser is told to lay out only what is looked at.
const LARGE: usize = 1000;

/// What the browser may load for this page: nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// A stage or an initcall: what is declared of it, and what became of it.
#[derive(Debug, Clone)]
struct Item<'a> {
    /// Its row in the page.
    id: String,
    node: &'a Node,
    entry: &'a Entry,
    relations: Relations,
}

/// A section of the page.
struct Section {
    id: &'static str,
    heading: &'static str,
    content: Markup,
}

/// The page on `boot`, a boot of the image that `contents` are.
///
/// # Errors
///
/// If the boot does not tell of the image's entries: it was another image's.
pub fn render(contents: &Contents, boot: &Boot) -> Result<String> {
    let items = items(contents, boot)?;
    let graph = svg::draw(&contents.graph, &Costs::measured(&contents.graph, &boot.entries), svg::Form::Inline);
    let section = |id, heading, content| Section { id, heading, content };
    let sections = [
        section("timeline", "Timeline", timeline::show(&items, boot.counts_instructions())),
        section("entries", "Stages and initcalls", entries::show(&items)),
        section("graph", "Declared order", picture(&graph)),
        section("memory", "Memory", memory::show(&boot.memory, contents)),
        section("image", "Image", sections::show(contents)),
        section("tables", "Tables", tables::show(contents)),
        section("parameters", "Parameters", params::show(contents, boot)),
        section("exceptions", "References to init memory", exceptions::show(contents)),
        section("log", "Log", log(&boot.log)),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { "Boot report · Incipit" }
                style { (PreEscaped(STYLE)) }
            }
            body.large[items.len() > LARGE] {
                a.skip href="#main" { "Skip to the timeline" }
                (head::show(contents, boot, &items))
                nav aria-label="Sections" {
                    ul { @for section in &sections { li { a href=(format!("#{}", section.id)) { (section.heading) } } } }
                }
                main id="main" { @for section in &sections { (show(section)) } }
                aside id="card" role="region" aria-label="Details" hidden {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    Ok(page.into_string())
}

fn show(section: &Section) -> Markup {
    let heading = format!("{}-heading", section.id);
    html! {
        section id=(section.id) aria-labelledby=(heading) {
            h2 id=(heading) { (section.heading) }
            (section.content)
        }
    }
}

/// The entries of the graph with what became of them.
fn items<'a>(contents: &'a Contents, boot: &'a Boot) -> Result<Vec<Item<'a>>> {
    let by_path: HashMap<_, _> = boot.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let nodes = &contents.graph.entries;
    ensure!(
        by_path.len() == nodes.len(),
        "the image declares {} stages and initcalls, but the boot tells of {}: it was another image's",
        nodes.len(),
        by_path.len()
    );
    let mut items = Vec::with_capacity(nodes.len());
    for (index, (node, relations)) in nodes.iter().zip(words::relations(&contents.graph)).enumerate() {
        let path = node.record.path.as_str();
        let entry = by_path.get(path).copied();
        items.push(Item {
            id: format!("e{index}"),
            node,
            entry: entry.with_context(|| format!("the boot tells nothing of {path}: it was another image's"))?,
            relations,
        });
    }
    Ok(items)
}

fn picture(graph: &str) -> Markup {
    html! {
        p { "Each box is a stage or an initcall, each band a level; they run from top to bottom and, in a row, from left to right. A line says that one must come before another." }
        div.picture tabindex="0" role="region" aria-label="Picture of the declared order" { (PreEscaped(graph)) }
    }
}

fn log(log: &str) -> Markup {
    html! {
        details {
            summary { "What the kernel said" }
            pre.log { (log) }
        }
    }
}

/// A box that hides the rows of the element `of` which do not hold what is typed.
fn filter(of: &str, label: &str) -> Markup {
    let id = format!("{of}-filter");
    html! {
        p.filter {
            label for=(id) { (label) }
            input id=(id) type="search" data-filters=(of) autocomplete="off" spellcheck="false";
            output for=(id) {}
        }
    }
}

/// A place in the source.
fn place(text: &str) -> Markup {
    html! { code.place { (breakable(text)) } }
}

/// `text` with places where a line may break, behind each `/`, `::` and `_`: paths are long and a phone is not.
fn breakable(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split("::").enumerate() {
            @if index > 0 { "::" wbr; }
            @for piece in part.split_inclusive(['/', '_']) { (piece) @if piece.ends_with(['/', '_']) { wbr; } }
        }
    }
}

/// Documentation of an item, or of a table: code stands between backticks.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, piece) in text.split('`').enumerate() { @if index % 2 == 1 { code { (breakable(piece)) } } @else { (piece) } }
    }
}

#[cfg(test)]
mod tests;

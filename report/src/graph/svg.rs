//! The picture as SVG: for a file of its own, or inside the report.
//!
//! Everything that comes from an image goes through `maud`, which escapes it. Colours and dashes are in `graph.css`, so that the picture follows its reader's
//! dark mode wherever it is shown.

use std::fmt::Write;

use incipit_linker::graph::{Edge, Graph, Kind};
use incipit_linker::record::key;
use maud::{Markup, PreEscaped, html};

use super::critical::{self, Critical};
use super::layout::{self, BOX_HEIGHT, Layout, MARGIN, Route};
use super::words::{self, Relations};
use super::{Band, Costs};
use crate::figures::{counted, duration, grouped};

const STYLE: &str = include_str!("graph.css");

/// Widths of a character, of an entry's name and of its place, in tenths of a pixel: those of a wide monospaced font.
const NAME_CHARACTER: u32 = 73;
const PLACE_CHARACTER: u32 = 61;
/// What a box has beside the text: its number, and a border.
const BOX_PAD: u32 = 46;
/// How wide a box is, at least and at most.
const BOX_WIDTH: std::ops::RangeInclusive<u32> = 170..=310;
/// Radius of the bends of an edge.
const BEND: u32 = 5;
/// How many labels of capabilities are written beside edges; more would hide the picture, and each edge says its own when it is pointed at.
const MOST_LABELS: usize = 400;

const LEGEND_LINE: u32 = 22;
const LEGEND_COLUMN: u32 = 150;
/// Wide enough for the title, and for two columns of the legend.
const LEAST_WIDTH: u32 = 2 * LEGEND_COLUMN + 2 * MARGIN;

/// Where the picture will stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In a file of its own.
    File,
    /// Inside the report, where each box leads to the row `#e` and its index, and each edge says what it connects.
    Inline,
}

/// The kinds of lines, each with its class in the style, and what the legend says of it.
const LEGEND: [(&str, &str); 5] = [
    ("after", "after(path)"),
    ("before", "before(path)"),
    ("requires", "requires(Cap)"),
    ("wants", "wants(Cap)"),
    ("critical", "critical path"),
];

/// Draws `graph`.
#[must_use]
pub fn draw(graph: &Graph, costs: &Costs, form: Form) -> String {
    let picture = Picture::new(graph, costs, form);
    let Layout { width, height, .. } = picture.layout;
    let drawn = html! {
        svg xmlns="http://www.w3.org/2000/svg" class="incipit-graph" width=(width) height=(height)
            viewBox=(format!("0 0 {width} {height}")) role="group" aria-label=(picture.summary()) {
            style { (PreEscaped(STYLE)) }
            (markers())
            rect.paper width=(width) height=(height) {}
            (picture.head())
            g.bands { @for (_, top, bottom) in &picture.layout.bands { (picture.band(*top, *bottom)) } }
            g.edges { @for index in 0..graph.edges.len() { (picture.edge(index)) } }
            g.nodes { @for index in 0..graph.entries.len() { (picture.node(index)) } }
            g.labels {
                @for (band, top, _) in &picture.layout.bands { (picture.level(band, *top)) }
                @for label in picture.labels() { (label) }
            }
        }
    };
    drawn.into_string()
}

struct Picture<'a> {
    graph: &'a Graph,
    costs: &'a Costs,
    form: Form,
    layout: Layout,
    critical: Critical,
    relations: Vec<Relations>,
}

impl<'a> Picture<'a> {
    fn new(graph: &'a Graph, costs: &'a Costs, form: Form) -> Self {
        let layout = layout::lay_out(graph, box_width(graph), LEAST_WIDTH);
        let head = head_height(layout.width, form);
        Self {
            graph,
            costs,
            form,
            layout: layout.moved_down(head),
            critical: critical::find(graph, costs),
            relations: words::relations(graph),
        }
    }

    /// What there is, in a sentence.
    fn summary(&self) -> String {
        let (entries, edges) = (self.graph.entries.len() as u64, self.graph.edges.len() as u64);
        let stages = self.layout.bands.iter().find(|(band, ..)| band.name == "stages");
        let stages = stages.map_or(0, |(band, ..)| band.entries.len() as u64);
        let what = if words::is_of_cpus(self.graph) {
            counted(entries, "state")
        } else {
            format!("{}, {}", counted(stages, "stage"), counted(entries - stages, "initcall"))
        };
        format!(
            "{what}, {}",
            match edges {
                1 => "1 dependency".to_owned(),
                edges => format!("{} dependencies", grouped(edges)),
            }
        )
    }

    fn head(&self) -> Markup {
        let weight = match (self.costs.of.is_empty(), self.costs.instructions) {
            (true, _) => "by number of entries",
            (false, true) => "by instructions",
            (false, false) => "by time",
        };
        html! {
            @if self.form == Form::File { text.title x=(MARGIN) y=(MARGIN + 16) { (words::title(self.graph)) } }
            text.subtitle x=(MARGIN) y=(MARGIN + title_height(self.form) - 16) { (self.summary()) }
            g.legend {
                @for (index, (class, words)) in (0..).zip(LEGEND) {
                    @let columns = legend_columns(self.layout.width);
                    @let (x, y) = (MARGIN + index % columns * LEGEND_COLUMN, MARGIN + title_height(self.form) + index / columns * LEGEND_LINE);
                    path class=(format!("edge {class}")) d=(format!("M{x} {y}h26")) {}
                    text.key x=(x + 34) y=(y + 4) {
                        (words)
                        @if class == "critical" { title { "In each level the chain that takes longest, " (weight) ". Levels wait for each other." } }
                    }
                }
            }
        }
    }

    fn band(&self, top: u32, bottom: u32) -> Markup {
        html! { rect.band x=(MARGIN / 2) y=(top) width=(self.layout.width - MARGIN) height=(bottom - top) rx="6" {} }
    }

    /// The name of a band, and what its part of the critical path cost.
    fn level(&self, band: &Band, top: u32) -> Markup {
        let critical = band.entries.clone().filter(|index| self.critical.entries[*index]);
        let cost: u64 = critical.filter_map(|index| self.costs.of.get(index).copied().flatten()).sum();
        html! {
            text.level x=(MARGIN) y=(top + 19) {
                (band.name) " "
                tspan.count { (band.entries.len()) @if cost > 0 { " · critical path " (self.cost(cost)) } }
            }
        }
    }

    fn cost(&self, cost: u64) -> String {
        if self.costs.instructions {
            counted(cost, "instruction")
        } else {
            duration(cost)
        }
    }

    fn node(&self, index: usize) -> Markup {
        let node = &self.graph.entries[index];
        let (x, y) = self.layout.places[index];
        let width = self.layout.box_width;
        let class = if self.critical.entries[index] { "node critical" } else { "node" };
        let room = |character: u32| ((width - BOX_PAD) * 10 / character) as usize;
        let drawn = html! {
            g class=(class) transform=(format!("translate({x} {y})")) {
                title { (self.title(index)) }
                rect width=(width) height=(BOX_HEIGHT) rx="4" {}
                text.number x="28" y="16" { (index + 1) }
                text.name x="36" y="16" { (shortened_at_end(&node.record.name, room(NAME_CHARACTER))) }
                text.place x="36" y="30" { (shortened_at_start(&node.record.place(), room(PLACE_CHARACTER))) }
            }
        };
        match self.form {
            Form::File => drawn,
            Form::Inline => html! { a href=(format!("#e{index}")) data-entry=(format!("e{index}")) { (drawn) } },
        }
    }

    /// What pointing at an entry shows.
    fn title(&self, index: usize) -> String {
        let (record, relations) = (&self.graph.entries[index].record, &self.relations[index]);
        let mut lines = vec![record.path.clone(), record.place()];
        lines.extend(record.get(key::DOC).map(str::to_owned));
        lines.extend(relations.needs.iter().chain(&relations.gives).cloned());
        lines.extend(self.costs.of.get(index).copied().flatten().map(|cost| self.cost(cost)));
        lines.join("\n")
    }

    fn edge(&self, index: usize) -> Markup {
        let edge = &self.graph.edges[index];
        let critical = if self.critical.edges[index] { " critical" } else { "" };
        let ends = (self.form == Form::Inline).then(|| format!("e{} e{}", edge.first, edge.then));
        html! {
            path class=(format!("edge {}{critical}", words::kind(edge.kind))) data-ends=[ends] d=(path(&self.layout.routes[index])) {
                title { (self.sentence(edge)) }
            }
        }
    }

    /// What pointing at an edge shows.
    fn sentence(&self, edge: &Edge) -> String {
        let (first, then) = (
            &self.graph.entries[edge.first].record.name,
            &self.graph.entries[edge.then].record.name,
        );
        match (edge.kind, self.capability(edge)) {
            (Kind::Before, _) => format!("{first} before {then}"),
            (kind, Some(capability)) => format!("{then} {} {capability}, which {first} provides", words::kind(kind)),
            (kind, None) => format!("{then} {} {first}", words::kind(kind)),
        }
    }

    fn capability(&self, edge: &Edge) -> Option<&str> {
        let capability = self.graph.capabilities.get(edge.capability?)?;
        Some(&capability.name)
    }

    /// The capabilities of the edges, each where its edge arrives; once where it has several providers.
    fn labels(&self) -> Vec<Markup> {
        let mut labelled: Vec<_> = (0..self.graph.edges.len())
            .filter(|edge| self.graph.edges[*edge].capability.is_some())
            .collect();
        let arrival = |index: usize| (self.graph.edges[index].then, self.graph.edges[index].capability);
        labelled.sort_by_key(|index| (arrival(*index), std::cmp::Reverse(self.layout.routes[*index].to)));
        labelled.dedup_by_key(|index| arrival(*index));
        if labelled.len() > MOST_LABELS {
            return Vec::new();
        }
        let label = |index: usize| {
            let (name, (x, y)) = (self.capability(&self.graph.edges[index]), self.layout.routes[index].to);
            html! { text.label x=(x + 6) y=(y - 4) { (name.unwrap_or_default()) } }
        };
        labelled.into_iter().map(label).collect()
    }
}

fn legend_columns(width: u32) -> u32 {
    ((width - 2 * MARGIN) / LEGEND_COLUMN).clamp(2, LEGEND.len() as u32)
}

/// What stands above the legend: inside a page the picture has a heading already.
const fn title_height(form: Form) -> u32 {
    match form {
        Form::File => 52,
        Form::Inline => 28,
    }
}

fn head_height(width: u32, form: Form) -> u32 {
    let lines = (LEGEND.len() as u32).div_ceil(legend_columns(width));
    MARGIN + title_height(form) + lines * LEGEND_LINE
}

/// As wide as the longest name and place need, within bounds.
fn box_width(graph: &Graph) -> u32 {
    let width = |text: &str, character: u32| {
        u32::try_from(text.chars().count())
            .unwrap_or(u32::MAX)
            .saturating_mul(character)
            .div_ceil(10)
    };
    let widths = graph.entries.iter().map(|node| {
        let record = &node.record;
        width(&record.name, NAME_CHARACTER).max(width(&record.place(), PLACE_CHARACTER))
    });
    widths
        .max()
        .unwrap_or(0)
        .saturating_add(BOX_PAD)
        .clamp(*BOX_WIDTH.start(), *BOX_WIDTH.end())
}

/// The heads of the arrows: one for each colour, for a marker takes none over from its line.
fn markers() -> Markup {
    html! {
        defs {
            @for name in ["typed", "capability", "critical"] {
                marker id=(format!("incipit-{name}")) class=(format!("arrow {name}")) viewBox="0 0 8 8" refX="7" refY="4"
                    markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto" { path d="M0 0L8 4L0 8z" {} }
            }
        }
    }
}

/// The way of an edge in SVG's words.
fn path(route: &Route) -> String {
    let ((x, y), (to_x, to_y)) = (route.from, route.to);
    let mut path = format!("M{x} {y}");
    // Writing to a string cannot fail.
    let _ = match route.detour {
        None if x == to_x => write!(path, "V{to_y}"),
        None => {
            let middle = y.midpoint(to_y);
            write!(path, "C{x} {middle} {to_x} {middle} {to_x} {to_y}")
        }
        Some((down, side, further)) => {
            turn(&mut path, (x, down), side);
            turn_down(&mut path, (side, down), x, further);
            turn(&mut path, (side, further), to_x);
            turn_down(&mut path, (to_x, further), side, to_y);
            write!(path, "V{to_y}")
        }
    };
    path
}

/// Goes down to the corner and turns sideways, towards `to`.
fn turn(path: &mut String, (x, y): (u32, u32), to: u32) {
    let bend = BEND.min(x.abs_diff(to) / 2);
    let after = if to < x { x - bend } else { x + bend };
    let _ = write!(path, "V{}Q{x} {y} {after} {y}", y - bend);
}

/// Goes sideways to the corner, which lies at the side of `from`, and turns down, towards `to`.
fn turn_down(path: &mut String, (x, y): (u32, u32), from: u32, to: u32) {
    let bend = BEND.min(x.abs_diff(from) / 2).min(to.saturating_sub(y) / 2);
    let before = if from < x { x - bend } else { x + bend };
    let _ = write!(path, "H{before}Q{x} {y} {x} {}", y + bend);
}

/// `text`, or as much of its beginning as `most` characters have room for.
fn shortened_at_end(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// `text`, or as much of its end.
fn shortened_at_start(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    ['…'].into_iter().chain(text.chars().skip(count + 1 - most)).collect()
}

#[cfg(test)]
mod tests;

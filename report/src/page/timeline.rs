//! The timeline: when each stage and initcall ran, and for how long.
//!
//! Each entry has a lane, in the order in which they began; one that ran inside another is set in below it. Where a bar lies is written twice, to scale and on
//! the bent line; the style takes the one that the reader has chosen.

use incipit_linker::tables::STAGE;
use maud::{Markup, html};

use super::Item;
use super::scale::Scale;
use crate::boot::entries::State;
use crate::figures::{duration, grouped};
use crate::graph::words;

/// How many lanes of one level may stand in a row; more are folded away until somebody asks for them.
const UNFOLDED: usize = 400;
/// How deep lanes are set in, at most.
const DEEPEST: usize = 3;

/// A lane: an entry, and how many others it ran inside of.
struct Lane<'a> {
    item: &'a Item<'a>,
    depth: usize,
    /// When it began and ended; `None` if it did not run.
    span: Option<(u64, u64)>,
}

/// Shows when `items` ran.
pub fn show(items: &[Item], counts_instructions: bool) -> Markup {
    let lanes = lanes(items);
    let scale = Scale::of(lanes.iter().filter_map(|lane| lane.span).flat_map(|(start, end)| [start, end]));
    let unit = if counts_instructions { grouped } else { duration };
    html! {
        p {
            @if counts_instructions { "Instructions since the first stage began. " } @else { "Time since the first stage began. " }
            "Point at a lane, tap it, or reach it with the keyboard, to see more."
        }
        fieldset.switch {
            legend { "Scale" }
            label { input type="radio" name="scale" id="scale-straight" checked; "to scale" }
            label { input type="radio" name="scale" id="scale-bent"; "logarithmic" }
        }
        div.timeline {
            (axis("straight", &scale.straight_marks(), |moment| scale.straight(moment), unit))
            (axis("bent", &scale.bent_marks(), |moment| scale.bent(moment), unit))
            ol.lanes {
                @for lanes in lanes.chunk_by(|one, other| level(one) == level(other)) {
                    // A level inside a stage is seen to be there.
                    @if lanes.len() > UNFOLDED { (fold(lanes, &scale)) }
                    @else {
                        @if lanes[0].depth == 0 { (heading(lanes[0].item)) }
                        @for lane in lanes { (show_lane(lane, &scale)) }
                    }
                }
            }
        }
    }
}

fn level<'a>(lane: &'a Lane) -> &'a str {
    lane.item.node.part.name
}

/// The lanes in the order in which the entries began. What did not run stands behind what is declared before it.
fn lanes<'a>(items: &'a [Item<'a>]) -> Vec<Lane<'a>> {
    let ends = items
        .iter()
        .filter_map(|item| Some(item.entry.start? + item.entry.took.unwrap_or(0)));
    let end = ends.max().unwrap_or(0);
    let mut began = 0;
    let mut order: Vec<_> = items
        .iter()
        .map(|item| {
            began = item.entry.start.unwrap_or(began);
            (began, item)
        })
        .collect();
    order.sort_by_key(|(began, _)| *began);
    let mut around: Vec<u64> = Vec::new();
    let mut lanes = Vec::with_capacity(items.len());
    for (began, item) in order {
        // What has not come back goes on to the end.
        let span = item
            .entry
            .start
            .map(|start| (start, item.entry.took.map_or(end, |took| start + took)));
        let depth = if span.is_some() {
            around.retain(|until| began < *until);
            around.len()
        } else {
            lanes.last().map_or(0, |lane: &Lane| lane.depth)
        };
        lanes.push(Lane { item, depth, span });
        around.extend(span.map(|(_, until)| until));
    }
    lanes
}

fn axis(class: &str, marks: &[u64], place: impl Fn(u64) -> f64, unit: fn(u64) -> String) -> Markup {
    html! {
        div.axis.(class) aria-hidden="true" {
            @for moment in marks {
                span.mark style=(format!("--at:{:.3}%", place(*moment) * 100.0)) { span { (unit(*moment)) } }
            }
        }
    }
}

/// What stands above the lanes of a level. Stages go on behind the console's initcalls, which run inside one, without it.
fn heading(item: &Item) -> Markup {
    let continues = item.node.part.name == STAGE.parts[0].name && item.id != "e0";
    html! { @if !continues { li.level { (words::level(item.node.part)) } } }
}

/// The lanes of a level that has very many.
fn fold(level: &[Lane], scale: &Scale) -> Markup {
    html! {
        li {
            details {
                summary { (words::level(level[0].item.node.part)) " " span.count { (grouped(level.len() as u64)) } }
                ol.lanes { @for lane in level { (show_lane(lane, scale)) } }
            }
        }
    }
}

fn show_lane(lane: &Lane, scale: &Scale) -> Markup {
    let (item, entry) = (lane.item, lane.item.entry);
    html! {
        li {
            a.lane.(entry.state.name()) href=(format!("#{}", item.id)) data-entry=(item.id) {
                span.name style=(format!("--depth:{}", lane.depth.min(DEEPEST))) { (entry.name) }
                span.track { @if let Some(span) = lane.span { span.bar style=(bar(span, scale)) {} } }
                span.cost { (cost(lane)) }
            }
        }
    }
}

/// Where the bar lies and how long it is, in percent, on either line.
fn bar((start, end): (u64, u64), scale: &Scale) -> String {
    let percent = |from: f64, to: f64| (from * 100.0, (to - from) * 100.0);
    let (left, width) = percent(scale.straight(start), scale.straight(end));
    let (bent_left, bent_width) = percent(scale.bent(start), scale.bent(end));
    format!("--l:{left:.3}%;--w:{width:.3}%;--bl:{bent_left:.3}%;--bw:{bent_width:.3}%")
}

/// What stands at the end of a lane: what it cost, or why there is nothing to tell.
fn cost(lane: &Lane) -> String {
    let entry = lane.item.entry;
    let cost = entry.instructions.map(grouped).or_else(|| entry.took.map(duration));
    match (entry.state, &entry.error, cost) {
        (State::Ok, _, Some(cost)) => cost,
        (State::Failed, Some(error), _) => error.clone(),
        (state, ..) => state.name().to_owned(),
    }
}

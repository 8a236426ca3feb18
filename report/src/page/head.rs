//! The head of the page: what was booted, and how it went, in one look.

use incipit_linker::tables::STAGE;
use maud::{Markup, html};

use super::Item;
use crate::boot::Boot;
use crate::boot::entries::State;
use crate::contents::Contents;
use crate::figures::{bytes, counted, duration};
use crate::graph::{Costs, critical};

/// Shows the head.
pub fn show(contents: &Contents, boot: &Boot, items: &[Item]) -> Markup {
    let (stages, initcalls): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.node.part.name == STAGE.parts[0].name);
    let end = items
        .iter()
        .filter_map(|item| Some(item.entry.start? + item.entry.took?))
        .max()
        .unwrap_or(0);
    let range = contents.range();
    html! {
        header {
            p.eyebrow { "Incipit · boot report" }
            h1 {
                (counted(stages.len() as u64, "stage")) " and " (counted(initcalls.len() as u64, "initcall")) " in "
                span.total { @if boot.counts_instructions() { (counted(end, "instruction")) } @else { (duration(end)) } }
            }
            dl.facts {
                (fact("Outcome", html! { (outcome(items)) }))
                (fact("Initcalls", html! { (to_share(contents, boot)) }))
                (fact("Kernel", html! { (boot.version) }))
                (fact("Build id", html! { code { (contents.build_id) } }))
                (fact("Command line", html! { code { (boot.command_line()) } }))
                (fact("In memory", html! { (bytes(range.end - range.start)) }))
                (fact("Measured", html! {
                    @if boot.counts_instructions() { "in QEMU, an instruction a nanosecond: the same on every machine" }
                    @else { "by the time stamp counter" }
                }))
            }
        }
    }
}

/// What the initcalls that CPUs can share took: from the first to the last, all added up, and those that follow each other in any case.
fn to_share(contents: &Contents, boot: &Boot) -> String {
    const BEFORE: [&str; 3] = ["stage", "con_initcall", "initcallearly"];
    let graph = &contents.graph;
    let costs = Costs::measured(graph, &boot.entries);
    let critical = critical::find(graph, &costs);
    let shared = || (0..graph.entries.len()).filter(|index| !BEFORE.contains(&graph.entries[*index].part.name));
    let sum = |indices: &mut dyn Iterator<Item = usize>| indices.filter_map(|index| costs.of[index]).sum::<u64>();
    let amount = |sum: u64| {
        if costs.instructions {
            counted(sum, "instruction")
        } else {
            duration(sum)
        }
    };
    let whole = amount(sum(&mut shared()));
    let least = amount(sum(&mut shared().filter(|index| critical.entries[*index])));
    format!("{whole} behind the start of the other CPUs; however many share them, {least}")
}

fn fact(name: &str, value: Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// How many entries did not come back without an error.
fn outcome(items: &[Item]) -> String {
    let count = |state: State| items.iter().filter(|item| item.entry.state == state).count();
    let told: Vec<_> = [State::Failed, State::Skipped, State::Blacklisted, State::Pending]
        .into_iter()
        .filter(|state| count(*state) > 0)
        .map(|state| format!("{} {}", count(state), state.name()))
        .collect();
    if told.is_empty() {
        "no entry failed or was left out".into()
    } else {
        told.join(", ")
    }
}

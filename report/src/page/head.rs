//! The head of the page: what was booted, and how it went, in one look.

use incipit_linker::tables::STAGE;
use maud::{Markup, html};

use super::Item;
use crate::boot::Boot;
use crate::boot::entries::State;
use crate::contents::Contents;
use crate::figures::{bytes, counted, duration};

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

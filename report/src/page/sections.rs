//! The map of the image: its sections as they lie in memory, to scale, and what may be done with each.

use maud::{Markup, html};

use crate::contents::{Area, Class, Contents};
use crate::figures::bytes;

const COLUMNS: [&str; 5] = ["Section", "Size", "", "Permissions", "After the boot"];

/// Shows the sections of `contents`.
pub fn show(contents: &Contents) -> Markup {
    let areas = &contents.areas;
    let range = contents.range();
    let freed: u64 = areas.iter().filter(|area| area.freed).map(size).sum();
    let largest = areas.iter().map(size).max().unwrap_or(1);
    html! {
        p { (bytes(range.end - range.start)) " in memory, of which " (bytes(freed)) " are given back after the boot. Drawn to scale." }
        div.strip.image aria-hidden="true" {
            @for area in areas { span.(class(area)) style=(format!("flex-grow:{}", size(area))) title=(title(area)) {} }
        }
        ul.key aria-hidden="true" {
            @for class in Class::ALL { li { span.swatch.(word(class)) {} (permissions(class)) } }
            li { span.swatch.data.freed {} "given back" }
        }
        table.stacked {
            thead { tr { @for column in COLUMNS { th scope="col" { (column) } } } }
            tbody id="section-rows" { @for area in areas { (row(area, largest)) } }
        }
    }
}

fn row(area: &Area, largest: u64) -> Markup {
    html! {
        tr {
            th scope="row" data-label=(COLUMNS[0]) {
                span.swatch.(class(area)) {}
                code { (area.name) }
                span.note { code { (format!("{:#x}", area.range.start)) } }
            }
            td.figure data-label=(COLUMNS[1]) { (bytes(size(area))) }
            td.gauge { span.(class(area)) style=(format!("width:{:.2}%", size(area) as f64 * 100.0 / largest as f64)) {} }
            td data-label=(COLUMNS[3]) { (permissions(area.class)) }
            td data-label=(COLUMNS[4]) { @if area.freed { "given back" } @else { "kept" } }
        }
    }
}

fn size(area: &Area) -> u64 {
    area.range.end - area.range.start
}

fn class(area: &Area) -> String {
    format!("{}{}", word(area.class), if area.freed { " freed" } else { "" })
}

const fn word(class: Class) -> &'static str {
    match class {
        Class::Code => "code",
        Class::ReadOnly => "constant",
        Class::Data => "data",
        Class::Zeroed => "zeroed",
    }
}

const fn permissions(class: Class) -> &'static str {
    match class {
        Class::Code => "read, execute",
        Class::ReadOnly => "read",
        Class::Data => "read, write",
        Class::Zeroed => "read, write; zeros at first",
    }
}

fn title(area: &Area) -> String {
    format!("{}: {}, {}", area.name, bytes(size(area)), permissions(area.class))
}

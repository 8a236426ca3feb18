//! Code and data that stay and may refer to init memory, each with the reason that stands beside it.

use incipit_linker::record::key;
use maud::{Markup, html};

use super::{breakable, place, prose};
use crate::contents::Contents;

const COLUMNS: [&str; 3] = ["Item", "Reason", "Source"];

/// Shows the exceptions that `contents` declare.
pub fn show(contents: &Contents) -> Markup {
    html! {
        p { "Nothing that stays may refer to what is given back after the boot, but for these; the build checks it." }
        table.stacked {
            thead { tr { @for column in COLUMNS { th scope="col" { (column) } } } }
            tbody id="exception-rows" {
                @for record in &contents.exceptions {
                    tr {
                        th scope="row" data-label=(COLUMNS[0]) { code { (breakable(&record.path)) } }
                        td data-label=(COLUMNS[1]) { (prose(record.get(key::REASON).unwrap_or_default())) }
                        td data-label=(COLUMNS[2]) { (place(&record.place())) }
                    }
                }
            }
        }
    }
}

//! The parameters: what each is, and what it was in this boot; and the options that a function takes.

use std::collections::HashMap;

use incipit_linker::record::key;
use incipit_linker::seal::list::Row;
use incipit_linker::tables::{PARAM, SETUP};
use maud::{Markup, html};

use super::{breakable, filter, place, prose};
use crate::boot::Boot;
use crate::boot::params::Param;
use crate::contents::{Contents, Entries};

const COLUMNS: [&str; 6] = ["Parameter", "Value", "Default", "Type", "From", "Source"];
const OPTION_COLUMNS: [&str; 3] = ["Option", "Handler", "Source"];

/// Shows the parameters of `contents` as they were in `boot`.
pub fn show(contents: &Contents, boot: &Boot) -> Markup {
    let declared: HashMap<_, _> = rows(contents, PARAM.name)
        .iter()
        .map(|row| (row.record.name.as_str(), row))
        .collect();
    let options = rows(contents, SETUP.name);
    html! {
        (filter("param-rows", "Filter parameters"))
        table.stacked {
            thead { tr { @for column in COLUMNS { th scope="col" { (column) } } } }
            tbody id="param-rows" { @for param in &boot.params { (show_param(param, declared.get(param.name.as_str()).copied())) } }
        }
        h3 { "Options that a function takes" }
        (filter("option-rows", "Filter options"))
        table.stacked {
            thead { tr { @for column in OPTION_COLUMNS { th scope="col" { (column) } } } }
            tbody id="option-rows" { @for option in options { (show_option(option)) } }
        }
    }
}

fn rows<'a>(contents: &'a Contents, table: &str) -> &'a [Row] {
    match contents
        .tables
        .iter()
        .find(|listed| listed.table.name == table)
        .map(|listed| &listed.entries)
    {
        Some(Entries::Declared(rows)) => rows,
        _ => &[],
    }
}

fn show_param(param: &Param, declared: Option<&Row>) -> Markup {
    let about = |key: &str| declared.and_then(|row| row.record.get(key));
    html! {
        tr.changed[param.origin != "default"] {
            th scope="row" data-label=(COLUMNS[0]) {
                code { (breakable(&param.name)) }
                @if let Some(doc) = about(key::DOC) { span.note { (prose(doc)) } }
            }
            td data-label=(COLUMNS[1]) { code.value { (param.value) } }
            td data-label=(COLUMNS[2]) { @match about(key::DEFAULT) { Some(default) => { code.value { (default) } } None => { "–" } } }
            td data-label=(COLUMNS[3]) { code { (param.kind) } span.note { (mode(&param.perm)) } }
            td data-label=(COLUMNS[4]) { (param.origin) }
            td data-label=(COLUMNS[5]) { (place(&param.place)) }
        }
    }
}

/// What may be done with the file that shows a parameter.
fn mode(perm: &str) -> String {
    match u32::from_str_radix(perm, 8) {
        Ok(0) => "not shown".into(),
        Ok(mode) if mode & 0o222 != 0 => format!("{perm}, can be changed"),
        _ => perm.to_owned(),
    }
}

fn show_option(option: &Row) -> Markup {
    let record = &option.record;
    html! {
        tr {
            th scope="row" data-label=(OPTION_COLUMNS[0]) {
                code { (breakable(&record.name)) }
                @if let Some(doc) = record.get(key::DOC) { span.note { (prose(doc)) } }
            }
            td data-label=(OPTION_COLUMNS[1]) {
                code { (breakable(&record.path)) }
                @if record.get(key::TYPE) == Some("early") { span.note { "before memory is set up" } }
            }
            td data-label=(OPTION_COLUMNS[2]) { (place(&record.place())) }
        }
    }
}

//! The link-time tables, each with its entries.

use incipit_linker::record::key;
use incipit_linker::seal::list::Row;
use incipit_linker::table::{Access, Lifetime, Sort, Table};
use maud::{Markup, html};

use super::{breakable, filter, place, prose};
use crate::contents::{Contents, Entries, Listed};
use crate::figures::{bytes, counted};

/// Shows the tables of `contents`.
pub fn show(contents: &Contents) -> Markup {
    html! {
        p { (counted(contents.tables.len() as u64, "table")) ", filled by attributes, collected by the linker, sorted and checked by the build." }
        (filter("table-rows", "Filter the entries of all tables"))
        div id="table-rows" { @for listed in &contents.tables { (show_table(listed)) } }
    }
}

fn show_table(listed: &Listed) -> Markup {
    let table = listed.table;
    html! {
        details.table id=(format!("table-{}", table.name)) {
            summary {
                code { (table.name) } " "
                span.count { (listed.len()) " · " (bytes(listed.range.end - listed.range.start)) }
            }
            p { (prose(table.about)) }
            dl.facts { @for (name, value) in facts(listed) { div { dt { (name) } dd { (value) } } } }
            (entries(&listed.entries))
        }
    }
}

fn facts(listed: &Listed) -> [(&'static str, Markup); 6] {
    let table = listed.table;
    [
        ("Declared by", html! { code { (table.declared_by) } }),
        ("Walked by", prose(table.walked_by)),
        (
            "Section",
            html! { code { (table.output_section) } " at " code { (format!("{:#x}", listed.range.start)) } },
        ),
        (
            "Entry",
            html! { code { (breakable(table.entry_type)) } ", " (table.entry_size) " bytes" },
        ),
        ("Order", html! { (order(table)) }),
        ("Memory", html! { (access(table)) ", " (lifetime(table)) }),
    ]
}

const fn order(table: &Table) -> &'static str {
    match table.sort {
        Sort::None | Sort::RelativeCode => "as linked",
        Sort::RankName => "by rank, then name",
        Sort::FoldedName => "by name",
        Sort::Path => "by path",
        Sort::ExceptionTable => "by address",
        Sort::WithCompanion => "as the table that it belongs to",
    }
}

const fn access(table: &Table) -> &'static str {
    match table.access {
        Access::ReadOnly => "read-only",
        Access::Writable => "writable",
    }
}

const fn lifetime(table: &Table) -> &'static str {
    match table.lifetime {
        Lifetime::Init => "given back after the boot",
        Lifetime::Kept => "kept",
    }
}

fn entries(entries: &Entries) -> Markup {
    html! {
        @match entries {
            Entries::SlotsOf(owner, _) => p { "An entry for each of " a href=(format!("#table-{owner}")) { code { (owner) } } "." },
            Entries::Declared(rows) if !rows.is_empty() => ol.entries { @for row in rows { (declared(row)) } },
            Entries::Places(places) if !places.is_empty() => ol.entries {
                @for (place, belongs) in places { li { code { (breakable(place)) } " → " code { (breakable(belongs)) } } }
            },
            _ => p { "Empty." },
        }
    }
}

fn declared(row: &Row) -> Markup {
    let record = &row.record;
    // What is shown elsewhere on the page, and better.
    let elsewhere = [key::DOC, key::AFTER];
    let more = record
        .more
        .iter()
        .filter(|(key, value)| !elsewhere.contains(&key.as_str()) && !value.is_empty());
    html! {
        li {
            code { (breakable(&record.name)) } " " (place(&record.place()))
            @for (key, value) in more { " " span.pair { (key) "=" (breakable(value.trim_end_matches(','))) } }
            @if let Some(doc) = record.get(key::DOC) { span.note { (prose(doc)) } }
        }
    }
}

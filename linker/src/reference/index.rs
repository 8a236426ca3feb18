//! Writes the front page of an image's documentation: every entry of every table, with links to the pages that rustdoc made of the items.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use super::without_links;
use crate::record::key;
use crate::seal::list::Row;
use crate::table::Table;
use crate::tables::{self, INITCALL_LEVELS};

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the tables of the image hold</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 80rem; margin: 0 auto; padding: 1rem; }
section { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; }
td:first-child, code { font-family: ui-monospace, monospace; font-size: .9em; }
</style>
<h1>What the tables of the image hold</h1>
"#;

/// The page. `rows` are the image's entries in their order, and `folder` is where rustdoc put the crates' pages, beside which this one will stand: an item
/// without a page there gets no link.
#[must_use]
pub fn page(rows: &[Row], folder: &Path) -> String {
    let mut out = HEAD.to_owned();
    let crates: BTreeSet<_> = rows.iter().map(|row| crate_of(&row.record.path)).collect();
    let crates: Vec<_> = crates
        .into_iter()
        .map(|name| linked(folder, &format!("{name}/index.html"), name))
        .collect();
    let _ = writeln!(out, "<p>The crates: {}.</p>", crates.join(", "));
    for table in tables::ALL {
        let rows: Vec<_> = rows
            .iter()
            .filter(|row| table.parts.iter().any(|part| part.name == row.part))
            .collect();
        if !rows.is_empty() {
            out.push_str(&section(table, &rows, folder));
        }
    }
    out
}

fn section(table: &Table, rows: &[&Row], folder: &Path) -> String {
    let mut out = format!(
        "<section id=\"{0}\">\n<h2>{0}</h2>\n<p>{1} Declared by {2}; walked by {3}. Entries: {4}.</p>\n<table>\n<tr>",
        table.name,
        escaped(table.about),
        marked(&format!("`{}`", table.declared_by)),
        marked(table.walked_by),
        rows.len()
    );
    let leveled = rows.iter().any(|row| level(row).is_some());
    let level_head = leveled.then_some("level");
    for head in ["name"].into_iter().chain(level_head).chain(["what it is", "place"]) {
        let _ = write!(out, "<th>{head}");
    }
    for row in rows {
        let record = &row.record;
        let _ = write!(out, "\n<tr><td>{}", linked(folder, &url(row), &record.name));
        if leveled {
            let _ = write!(out, "<td>{}", level(row).unwrap_or_default());
        }
        let about = record.get(key::DOC).map(|text| marked(&without_links(text))).unwrap_or_default();
        let _ = write!(out, "<td>{about}<td><code>{}</code>", escaped(&record.place()));
    }
    out.push_str("\n</table>\n</section>\n");
    out
}

/// The level of an initcall, as the attribute spells it.
fn level(row: &Row) -> Option<String> {
    INITCALL_LEVELS.iter().find_map(|(level, part)| match row.part.strip_prefix(part) {
        Some("") => Some((*level).to_owned()),
        Some("s") => Some(format!("{level}, sync")),
        _ => None,
    })
}

/// Where rustdoc puts the page of the annotated item.
fn url(row: &Row) -> String {
    let kind = match row.part {
        "param" => "static",
        "capability" => "struct",
        _ => "fn",
    };
    let path = &row.record.path;
    let (module, item) = path.rsplit_once("::").unwrap_or(("", path));
    format!("{}/{kind}.{item}.html", module.replace("::", "/"))
}

fn crate_of(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// `text` as a link to the page `url`, if there is such a page.
fn linked(folder: &Path, url: &str, text: &str) -> String {
    if folder.join(url).is_file() {
        format!("<a href=\"{}\">{}</a>", escaped(url), escaped(text))
    } else {
        escaped(text)
    }
}

/// Text with backquotes as HTML.
fn marked(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(index, piece)| match escaped(piece) {
            code if index % 2 == 1 => format!("<code>{code}</code>"),
            plain => plain,
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::list;
    use crate::seal::testing::Kernel;

    fn page_in(folder: &Path) -> String {
        let mut kernel = Kernel::new();
        kernel.entry_with("initcall6s", "late_one", &[("doc", "Sets [`a<b>`] up & more.")]);
        kernel.entry_with("param", "quick", &[("type", "bool")]);
        page(&list::rows(&kernel.image(), None).unwrap(), folder)
    }

    #[test]
    fn an_entry_has_its_name_level_and_place() {
        let page = page_in(Path::new("/nonexistent"));
        for line in [
            "<tr><td>late_one<td>device, sync<td>Sets <code>a&lt;b&gt;</code> up &amp; more.<td><code>src/lib.rs:1</code>",
            "<tr><td>quick<td><td><code>src/lib.rs:1</code>",
            "<tr><th>name<th>level<th>what it is<th>place",
            "<tr><th>name<th>what it is<th>place",
        ] {
            assert!(page.lines().any(|other| other == line), "no {line} in {page}");
        }
        assert!(!page.contains("<h2>stage</h2>") && !page.contains("href"), "{page}");
    }

    #[test]
    fn an_item_with_a_page_is_linked() {
        let folder = std::env::temp_dir().join(format!("incipit-index-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("test")).unwrap();
        std::fs::write(folder.join("test/static.quick.html"), "").unwrap();
        let page = page_in(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(page.contains("<td><a href=\"test/static.quick.html\">quick</a><td>"), "{page}");
    }
}

//! Lists what an image declares, in the order in which the kernel walks it: for the tests on the host, and for people.

use anyhow::{Result, bail};

use super::image::Image;
use super::order::{by_section, has_records, pair};
use super::placed::{self, Placed};
use super::problem::Problems;
use super::records::{self, Record};
use crate::tables;

/// An entry of a table, as it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Short name of the part.
    pub part: &'static str,
    /// The declaration.
    pub record: Record,
}

impl Row {
    /// The row as text, with tabs between: part, name, path, `file:line`, then `key=value` for each further key.
    #[must_use]
    pub fn to_line(&self) -> String {
        let record = &self.record;
        let mut line = [self.part, &record.name, &record.path, &record.place()].join("\t");
        for (key, value) in &record.more {
            line.push_str(&format!("\t{key}={value}"));
        }
        line
    }
}

/// The entries of the table called `name`, or of all tables that keep records, in the order of `image`.
///
/// # Errors
///
/// If no table has the name, the table keeps no records, or its entries and records do not match.
pub fn rows(image: &Image, name: Option<&str>) -> Result<Vec<Row>> {
    if let Some(name) = name {
        match tables::named(name) {
            Some(table) if has_records(table) => {}
            Some(_) => bail!("the entries of {name} are not declared one by one"),
            None => bail!("no table is called {name}: must be one of {}", listable()),
        }
    }
    let mut problems = Problems::default();
    let records = records::read(image)?;
    let groups = by_section(&records);
    let mut rows = Vec::new();
    let wanted = |placed: &&Placed| has_records(placed.table) && name.is_none_or(|name| name == placed.table.name);
    for placed in placed::find(image, &mut problems).iter().filter(wanted) {
        for (part, range) in &placed.parts {
            let declared = groups.get(part.section).map_or(&[] as &[_], Vec::as_slice);
            let paired = pair(image, placed.table, part, range, declared, &mut problems).unwrap_or_default();
            rows.extend(paired.into_iter().map(|record| Row {
                part: part.name,
                record: record.clone(),
            }));
        }
    }
    match problems.into_vec().first() {
        Some(problem) => bail!("{problem}"),
        None => Ok(rows),
    }
}

fn listable() -> String {
    tables::ALL
        .iter()
        .filter(|table| has_records(table))
        .map(|table| table.name)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::testing::Kernel;

    fn image() -> Image {
        let mut kernel = Kernel::new();
        kernel.entry_with("param", "serial.baud", &[("type", "u32"), ("perm", "0444")]);
        kernel.entry("initcall7", "z");
        kernel.entry("initcall6", "y");
        kernel.image()
    }

    #[test]
    fn rows_go_in_the_order_of_the_image() {
        let lines: Vec<_> = rows(&image(), Some("initcall")).unwrap().iter().map(Row::to_line).collect();
        assert_eq!(
            lines,
            ["initcall6\ty\ttest::y\tsrc/lib.rs:1", "initcall7\tz\ttest::z\tsrc/lib.rs:1"]
        );
        assert_eq!(rows(&image(), None).unwrap().len(), 3);
    }

    #[test]
    fn further_keys_follow() {
        let lines: Vec<_> = rows(&image(), Some("param")).unwrap().iter().map(Row::to_line).collect();
        assert_eq!(lines, ["param\tserial.baud\ttest::serial.baud\tsrc/lib.rs:1\tperm=0444\ttype=u32"]);
    }

    #[test]
    fn an_unknown_table_is_refused_with_the_known_ones() {
        let error = rows(&image(), Some("initcalls")).unwrap_err().to_string();
        assert!(
            error.starts_with("no table is called initcalls: must be one of stage, setup, param, initcall"),
            "{error}"
        );
        assert!(rows(&image(), Some("ex_table")).is_err());
    }

    #[test]
    fn entries_and_records_that_do_not_match_are_an_error() {
        let mut kernel = Kernel::new();
        kernel.raw_entry("ktest", &[0; 16]);
        assert!(
            rows(&kernel.image(), Some("ktest"))
                .unwrap_err()
                .to_string()
                .contains("has no record")
        );
    }
}

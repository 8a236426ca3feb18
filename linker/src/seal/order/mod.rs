//! Puts the entries of each table into the order that its description asks for.
//!
//! Link order is nobody's intent: it changes with the profile and the number of codegen units. So each part is sorted by keys that its declarations fix,
//! and the kernel sorts nothing at run time. Symbols of entries move with them: the symbol table of the sealed image stays true.

mod companion;
mod exception;
mod keys;
mod pairing;
mod permute;
mod relative;

use std::collections::HashMap;

use anyhow::Result;

pub use exception::{Entry as ExceptionEntry, read as read_exception_table};
use keys::Keys;
pub use keys::folded;
pub use pairing::pair;
pub use relative::read as read_code_pairs;

use super::image::Image;
use super::placed::Placed;
use super::problem::Problems;
use super::records::Record;
use crate::graph::Graph;
use crate::table::{Sort, Table};
use crate::tables;

/// The records by the input section that they name.
pub type BySection<'r> = HashMap<&'r str, Vec<&'r Record>>;

/// Groups `records` by the input section that they name.
#[must_use]
pub fn by_section(records: &[Record]) -> BySection<'_> {
    let mut groups = BySection::new();
    for record in records {
        groups.entry(&record.table).or_default().push(record);
    }
    groups
}

/// Whether each entry of `table` has a record.
#[must_use]
pub fn has_records(table: &Table) -> bool {
    matches!(table.sort, Sort::RankName | Sort::FoldedName | Sort::Path)
}

/// Sorts every table; entries with relations as `graphs` have them. A table whose entries and records do not match is noted in `problems` and left alone.
///
/// # Errors
///
/// If the file does not hold a table that its symbols say it has.
pub fn sort_all(image: &mut Image, placed: &[Placed], records: &[Record], graphs: &[&Graph], problems: &mut Problems) -> Result<()> {
    let groups = by_section(records);
    let keys = Keys::of(graphs);
    note_strangers(&groups, problems);
    for table in placed {
        match table.table.sort {
            Sort::None | Sort::RelativeCode | Sort::WithCompanion => {}
            Sort::ExceptionTable => exception::sort(image, table, problems)?,
            Sort::RankName | Sort::FoldedName | Sort::Path => sort_by_record(image, table, &groups, &keys, problems)?,
        }
    }
    for table in placed {
        companion::align(image, table, placed, problems)?;
    }
    Ok(())
}

/// Records that name a section of no table come from attributes that do not fit these descriptions.
fn note_strangers(groups: &BySection, problems: &mut Problems) {
    for (section, records) in groups {
        if !records[0].is_exception() && !tables::ALL.iter().any(|table| table.part_of(section).is_some()) {
            let record = records[0];
            problems.add(
                *section,
                format!(
                    "{} ({}) is declared in a section that is no part of a table",
                    record.name,
                    record.place()
                ),
            );
        }
    }
}

fn sort_by_record(image: &mut Image, placed: &Placed, groups: &BySection, keys: &Keys, problems: &mut Problems) -> Result<()> {
    let table = placed.table;
    for (part, range) in &placed.parts {
        let records = groups.get(part.section).map_or(&[] as &[_], Vec::as_slice);
        let Some(slots) = pair(image, table, part, range, records, problems) else {
            continue;
        };
        let mut order: Vec<usize> = (0..slots.len()).collect();
        order.sort_by(|&one, &other| keys.compare(table.sort, slots[one], slots[other]));
        permute::apply(image, range.start, table.entry_size, &order)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Holds what entries come after against when they run.
//!
//! A rank puts an entry behind what it comes after only inside one part. Across parts the levels decide, and no rank can help an entry that comes after
//! one of a later level: that is a mistake of its author.

use std::collections::HashMap;

use super::problem::Problems;
use super::records::Record;
use crate::record::key;
use crate::table::Table;
use crate::tables::{self, CON_INITCALL, INITCALL, STAGE};

/// The tables whose entries can come after each other, in the order in which they are walked: the stage `console_init` walks the console's, and the
/// last stage leads to the levels.
const WALKED: [&Table; 3] = [&STAGE, &CON_INITCALL, &INITCALL];

/// When an entry runs: its table's place in [`WALKED`], its part's in the table, its rank in the part.
type Moment = (usize, usize, u64);

/// Notes every entry that runs before one that it says it comes after.
pub fn check(records: &[Record], problems: &mut Problems) {
    let by_path: HashMap<&str, (&Record, Moment)> = records
        .iter()
        .filter_map(|record| Some((record.path.as_str(), (record, moment(record)?))))
        .collect();
    for record in records {
        let (Some(own), Some(after)) = (moment(record), record.get(key::AFTER)) else {
            continue;
        };
        let others = after.split(',').filter_map(|path| by_path.get(path));
        for (other, _) in others.filter(|(_, other)| *other >= own) {
            let message = format!(
                "{} ({}) comes after {} ({}), but {} runs no later than {}: give them levels in that order",
                record.name,
                record.place(),
                other.name,
                other.place(),
                part_of(record),
                part_of(other)
            );
            problems.add(WALKED[own.0].name, message);
        }
    }
}

fn moment(record: &Record) -> Option<Moment> {
    WALKED.iter().enumerate().find_map(|(walk, table)| {
        let part = table.parts.iter().position(|part| part.section == record.table)?;
        Some((walk, part, record.rank))
    })
}

/// Short name of the part that the entry of `record` is in.
fn part_of(record: &Record) -> &str {
    let part = tables::ALL.iter().find_map(|table| table.part_of(&record.table));
    part.map_or(&record.table, |part| part.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::records::parse;
    use crate::seal::testing::record_bytes;

    fn problems_of(declared: &[(&str, &str, u64, &str)]) -> Vec<String> {
        let record = |(part, name, rank, after): &(&str, &str, u64, &str)| {
            let (_, part) = tables::part_named(part).unwrap();
            record_bytes(part.section, name, name, *rank, &[("after", after)])
        };
        let mut problems = Problems::default();
        check(
            &parse(&declared.iter().flat_map(record).collect::<Vec<_>>()).unwrap(),
            &mut problems,
        );
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_comes_after_something_earlier_is_good() {
        let good = [
            ("stage", "first", 0, ""),
            ("stage", "second", 1, "test::first,"),
            ("con_initcall", "console", 2, "test::second,"),
            ("initcall1", "bus", 5, "test::second,test::console,"),
            ("initcall6", "device", 1, "test::bus,"),
            ("initcall6s", "device_sync", 0, "test::device,"),
        ];
        assert_eq!(problems_of(&good), [] as [&str; 0]);
    }

    #[test]
    fn an_entry_after_one_of_a_later_level_is_a_problem_that_names_both() {
        let problems = problems_of(&[("initcall6", "device", 0, ""), ("initcall1", "bus", 1, "test::device,")]);
        assert_eq!(
            problems,
            [
                "initcall: bus (src/lib.rs:1) comes after device (src/lib.rs:1), but initcall1 runs no later than initcall6: give them levels in that order"
            ]
        );
    }

    #[test]
    fn a_stage_after_an_initcall_and_a_rank_that_contradicts_are_problems() {
        assert_eq!(
            problems_of(&[("initcallearly", "call", 0, ""), ("stage", "stage", 1, "test::call,")]).len(),
            1
        );
        assert_eq!(problems_of(&[("stage", "one", 1, ""), ("stage", "two", 1, "test::one,")]).len(), 1);
    }

    #[test]
    fn entries_without_an_order_and_paths_that_are_not_in_the_image_are_passed_over() {
        assert_eq!(
            problems_of(&[("ktest", "t", 0, "test::late,"), ("initcall7", "late", 0, "test::elsewhere,")]),
            [] as [&str; 0]
        );
    }
}

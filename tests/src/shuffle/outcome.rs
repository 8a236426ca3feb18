//! What a boot came to, so that two can be compared: what each initcall returned, what was complained of, and how it ended.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::log::Log;

/// The lines of a boot that do not depend on order or time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome(BTreeSet<String>);

/// The parts of lines that tell of something wrong.
const COMPLAINTS: [&str; 7] = [
    "Kernel panic",
    "BUG: ",
    "WARNING: ",
    "Oops: ",
    "HARNESS",
    "skipped: ",
    "returned with ",
];

impl Outcome {
    /// What `log` tells.
    pub fn of(log: &Log) -> Self {
        Self(log.lines().filter_map(significant).collect())
    }

    /// What `other` has and this one has not, and the other way round, for people.
    pub fn difference(&self, other: &Self) -> String {
        let mut text = String::new();
        for (what, lines) in [("now", other.0.difference(&self.0)), ("missing", self.0.difference(&other.0))] {
            for line in lines {
                // A string takes everything.
                let _ = write!(text, "\n    {what}: {line}");
            }
        }
        text
    }
}

/// The part of a line that tells how the boot went.
fn significant(line: &str) -> Option<String> {
    if let Some((call, rest)) = line.strip_prefix("initcall ").and_then(|rest| rest.split_once(" returned "))
        && let Some((code, _)) = rest.split_once(" after ")
    {
        let name = call.split_once('+').map_or(call, |(name, _)| name);
        return Some(format!("initcall {name} returned {code}"));
    }
    let complaint = COMPLAINTS.iter().any(|part| line.contains(part)) || line.trim_start().starts_with("not ok ");
    complaint.then(|| line.to_owned())
}

/// The order of the initcalls, as the kernel prints it when it is another than the image's.
pub fn order(log: &Log) -> Vec<String> {
    let lines = log.lines().filter_map(|line| line.strip_prefix("initcall_shuffle: "));
    let names = lines
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(_, names)| names.split_whitespace());
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &[&str]) -> Log {
        Log::new(lines.join("\n").as_bytes())
    }

    #[test]
    fn times_and_order_make_no_difference() {
        let one = Outcome::of(&log(&[
            "[    0.000001] initcall a+0x0/0x10 returned 0 after 5 usecs",
            "[    0.000002] initcall b+0x0/0x10 returned -19 after 7 usecs",
            "[    0.000003] a: found 3 of them",
        ]));
        let other = Outcome::of(&log(&[
            "[    0.000001] initcall b+0x0/0x30 returned -19 after 1 usecs",
            "[    0.000002] initcall a+0x0/0x10 returned 0 after 2 usecs",
        ]));
        assert_eq!(one, other);
    }

    #[test]
    fn results_complaints_and_the_end_make_one() {
        let good = Outcome::of(&log(&[
            "initcall a+0x0/0x10 returned 0 after 5 usecs",
            "Kernel panic - not syncing: x",
        ]));
        for lines in [
            &["initcall a+0x0/0x10 returned -5 after 5 usecs", "Kernel panic - not syncing: x"][..],
            &["initcall a+0x0/0x10 returned 0 after 5 usecs"],
            &["initcall a+0x0/0x10 returned 0 after 5 usecs", "Kernel panic - not syncing: y"],
            &[
                "initcall a+0x0/0x10 returned 0 after 5 usecs",
                "Kernel panic - not syncing: x",
                "    not ok 3 t",
            ],
            &[
                "initcall a+0x0/0x10 returned 0 after 5 usecs",
                "initcall a+0x0/0x10 returned with preemption imbalance ",
                "Kernel panic - not syncing: x",
            ],
        ] {
            let bad = Outcome::of(&log(lines));
            assert_ne!(bad, good, "{lines:?}");
            assert!(!good.difference(&bad).is_empty());
        }
        assert_eq!(
            good.difference(&Outcome::of(&log(&[
                "initcall a+0x0/0x10 returned -5 after 5 usecs",
                "Kernel panic - not syncing: x"
            ]))),
            "\n    now: initcall a returned -5\n    missing: initcall a returned 0"
        );
    }

    #[test]
    fn the_order_is_read_from_all_lines() {
        let log = log(&[
            "[    0.000001] initcall_shuffle: console: a b",
            "x: y",
            "[    0.000002] initcall_shuffle: device: d c",
            "initcall_shuffle: device:",
        ]);
        assert_eq!(order(&log), ["a", "b", "d", "c"]);
    }
}

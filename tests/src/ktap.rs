//! Reads KTAP, the words in which the kernel tells of its tests, from a log that other lines stand in, too.

use crate::log::Log;

/// What a guest told of its tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The tests that came to an end, by path, in order: none for success, or why it failed.
    pub done: Vec<(String, Option<String>)>,
    /// The test that had begun and did not come to an end.
    pub running: Option<String>,
    /// Whether the report is whole: every suite that was announced came to an end.
    pub complete: bool,
}

/// Reads the report in `log`.
#[must_use]
pub fn parse(log: &Log) -> Report {
    let mut report = Report::default();
    let mut lines = log.lines().skip_while(|line| *line != "KTAP version 1").skip(1);
    let Some(suites) = lines
        .next()
        .and_then(|plan| plan.strip_prefix("1.."))
        .and_then(|count| count.parse::<usize>().ok())
    else {
        return report;
    };
    let (mut suite, mut ended) = (String::new(), 0);
    for line in lines {
        if line
            .strip_prefix("ok ")
            .or_else(|| line.strip_prefix("not ok "))
            .and_then(|rest| rest.split_once(' '))
            .is_some_and(|(_, name)| name == suite)
        {
            ended += 1;
        }
        let Some(line) = line.strip_prefix("    ") else { continue };
        if let Some(name) = line.strip_prefix("# Subtest: ") {
            name.clone_into(&mut suite);
        } else if let Some(name) = line.strip_prefix("# ").and_then(begun) {
            report.running = Some(format!("{suite}::{name}"));
        } else if let Some((name, why)) = result(line) {
            report.running = None;
            report.done.push((format!("{suite}::{name}"), why));
        }
    }
    report.complete = ended == suites;
    report
}

/// The test that a line `name (file:line)` says has begun.
fn begun(line: &str) -> Option<&str> {
    let (name, place) = line.split_once(" (")?;
    let (_, number) = place.strip_suffix(')')?.rsplit_once(':')?;
    (!name.contains(' ') && number.parse::<u32>().is_ok()).then_some(name)
}

/// The test that a line `ok 1 name` or `not ok 1 name` is about, and why it failed if it did.
fn result(line: &str) -> Option<(&str, Option<String>)> {
    let (rest, failed) = match line.strip_prefix("not ok ") {
        Some(rest) => (rest, true),
        None => (line.strip_prefix("ok ")?, false),
    };
    let (number, rest) = rest.split_once(' ')?;
    number.parse::<usize>().ok()?;
    let name = rest.split(" # ").next().unwrap_or(rest);
    Some((name, failed.then(|| format!("the kernel says: {line}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "[    0.1] before
[    0.100000] KTAP version 1
[    0.100001] 1..2
[    0.100002]     KTAP version 1
[    0.100003]     # Subtest: incipit::a::tests
[    0.100004]     1..2
[    0.100005]     # one (kernel/src/a.rs:10)
[    0.100006] WARNING: something else is said meanwhile
[    0.100007]     ok 1 one
[    0.100008]     # two (kernel/src/a.rs:20)
[    0.100009]     not ok 2 two
[    0.100010] ok 1 incipit::a::tests
[    0.100011]     KTAP version 1
[    0.100012]     # Subtest: incipit::b
[    0.100013]     1..1
[    0.100014]     # three (kernel/src/b.rs:30)
[    0.100015]     ok 1 three # SKIP listed only
[    0.100016] ok 2 incipit::b
[    0.100017] Run /init as init process
";

    fn paths(report: &Report) -> Vec<(&str, bool)> {
        report.done.iter().map(|(path, why)| (path.as_str(), why.is_none())).collect()
    }

    #[test]
    fn every_test_of_a_whole_report_has_its_result() {
        let report = parse(&Log::new(WHOLE.as_bytes()));
        assert_eq!(
            paths(&report),
            [
                ("incipit::a::tests::one", true),
                ("incipit::a::tests::two", false),
                ("incipit::b::three", true)
            ]
        );
        assert!(report.complete && report.running.is_none());
    }

    #[test]
    fn a_report_that_is_cut_off_names_the_test_that_was_running() {
        for (cut, done, running) in [
            ("    ok 1 one", 0, Some("incipit::a::tests::one")),
            ("    # two", 1, None),
            ("    ok 1 three", 2, Some("incipit::b::three")),
            ("ok 2 incipit::b", 3, None),
        ] {
            let report = parse(&Log::new(WHOLE.split(cut).next().unwrap().as_bytes()));
            assert_eq!(
                (report.done.len(), report.running.as_deref(), report.complete),
                (done, running, false),
                "{cut}"
            );
        }
    }

    #[test]
    fn a_log_without_a_report_has_none() {
        for log in ["", "[    0.1] x\n", "KTAP version 1\n", "KTAP version 1\nnonsense\n"] {
            assert_eq!(parse(&Log::new(log.as_bytes())), Report::default(), "{log}");
        }
    }

    #[test]
    fn a_report_without_tests_is_whole() {
        assert!(parse(&Log::new(b"KTAP version 1\n1..0\n")).complete);
    }
}

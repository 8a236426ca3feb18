//! Holds what was declared against what was linked.
//!
//! A library that nothing names is not linked, and its entries vanish without a word from the linker. So every entry that a library of the build declares
//! must be in the image; the kernel's list of enabled crates says in which words to complain.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result};

use super::artifacts::Artifact;
use super::image::Image;
use super::placed::is_included;
use super::problem::Problems;
use super::records::Record;
use super::rlib::{self, Declared};
use crate::record::{SYMBOL_END, SYMBOL_PREFIX};
use crate::tables;

/// What the libraries of a build declare, by package.
pub type Libraries = BTreeMap<String, Declared>;

/// Reads the libraries that `artifacts` name.
///
/// # Errors
///
/// If one cannot be read; the error names it.
pub fn read_libraries(artifacts: &[Artifact]) -> Result<Libraries> {
    let mut libraries = Libraries::new();
    for artifact in artifacts {
        let place = || format!("reading {}", artifact.rlib.display());
        let declared = rlib::read(&std::fs::read(&artifact.rlib).with_context(place)?).with_context(place)?;
        let library = libraries.entry(artifact.package.clone()).or_default();
        library.entries.extend(declared.entries);
        library.records.extend(declared.records);
    }
    Ok(libraries)
}

/// Reads a list of crates, one package name a line.
///
/// # Errors
///
/// If the file cannot be read; the error names it.
pub fn read_crates(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

/// Notes every entry that a library declares and `image` has not, and every crate of `enabled` that was not built.
pub fn check(image: &Image, libraries: &Libraries, enabled: &[String], problems: &mut Problems) {
    for name in enabled.iter().filter(|name| !libraries.contains_key(*name)) {
        problems.add(format!("crate {name}"), "is enabled but was not built: the image must depend on it");
    }
    let defined = image.symbols().iter().filter(|symbol| symbol.is_defined());
    let linked: HashSet<&str> = defined.map(|symbol| symbol.name.as_str()).collect();
    for (package, library) in libraries {
        let subject = format!("crate {package}");
        let expected = library.entries.iter().filter(|entry| is_expected(image, &subject, entry, problems));
        let (found, missing): (Vec<&str>, Vec<&str>) = expected.map(String::as_str).partition(|entry| linked.contains(entry));
        if !missing.is_empty() && found.is_empty() {
            problems.add(subject, none_linked(package, library, &missing, enabled.contains(package)));
            continue;
        }
        for entry in missing {
            let what = describe(library, entry);
            problems.add(
                &subject,
                format!("its {what} is not in the image, though others of its entries are: the linker script must keep its section"),
            );
        }
    }
}

/// The complaint about a library of which nothing is in the image.
fn none_linked(package: &str, library: &Declared, missing: &[&str], is_enabled: bool) -> String {
    let state = if is_enabled { "enabled" } else { "built" };
    let first = describe(library, missing[0]);
    let others = match missing.len() - 1 {
        0 => String::new(),
        1 => ", nor is one other".to_owned(),
        count => format!(", nor are {count} others"),
    };
    format!(
        "is {state} but not linked: its {first} is not in the image{others}; name it with `extern crate {} as _;`",
        package.replace('-', "_")
    )
}

/// Whether the image should have `entry`: not one of a table that the configuration leaves out.
fn is_expected(image: &Image, subject: &str, entry: &str, problems: &mut Problems) -> bool {
    let part = part_of(entry);
    let Some((table, _)) = tables::part_named(part) else {
        problems.add(
            subject,
            format!("declares {entry}, but no table has the part `{part}`: it was built with other attributes than this image"),
        );
        return false;
    };
    is_included(image, table)
}

fn part_of(entry: &str) -> &str {
    entry
        .strip_prefix(SYMBOL_PREFIX)
        .and_then(|rest| rest.split('.').next())
        .unwrap_or_default()
}

/// An entry in words: `initcall hello_init (src/lib.rs:12)`, as exactly as it is known.
fn describe(library: &Declared, entry: &str) -> String {
    let table = tables::part_named(part_of(entry)).map_or("entry", |(table, _)| table.name);
    match library.records.iter().find(|record| record.entry == entry) {
        Some(record) => format!("{table} {} ({})", record.name, record.place()),
        None => described_by_symbol(table, entry),
    }
}

/// The symbol of an entry says less than its record: `__incipit.<part>.<crate>.<file>.<item>.<line>_<column>$`.
fn described_by_symbol(table: &str, entry: &str) -> String {
    let fields: Vec<_> = entry.trim_end_matches(SYMBOL_END).split('.').collect();
    match fields[..] {
        [_, _, _, file, item, at] => format!("{table} {item} ({file}.rs:{})", at.split('_').next().unwrap_or(at)),
        _ => format!("{table} {entry}"),
    }
}

/// Notes every parameter that cannot be reached because something else has its name.
pub fn check_parameters(records: &[Record], problems: &mut Problems) {
    let folded = super::order::folded;
    let parameters = records.iter().filter(|record| record.table == tables::PARAM.parts[0].section);
    let mut by_name: BTreeMap<String, &Record> = BTreeMap::new();
    for record in parameters {
        if let Some(first) = by_name.insert(folded(&record.name), record) {
            let message = format!(
                "`{}` is declared twice, at {} and at {}: rename one",
                record.name,
                first.place(),
                record.place()
            );
            problems.add(tables::PARAM.name, message);
        }
    }
    let is_late = |record: &&Record| record.table == tables::SETUP.parts[0].section && record.get("type") != Some("early");
    for setup in records.iter().filter(is_late) {
        if let Some(parameter) = by_name.get(&folded(setup.name.trim_end_matches('='))) {
            let message = format!(
                "`{}` ({}) hides the handler of \"{}\" ({}), because parameters are looked up first: rename one or remove one",
                parameter.name,
                parameter.place(),
                setup.name,
                setup.place()
            );
            problems.add(tables::PARAM.name, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::records::parse;
    use crate::seal::testing::{Kernel, record_bytes};

    fn library(part: &str, names: &[&str]) -> Declared {
        let (_, described) = tables::part_named(part).unwrap();
        let entries: Vec<_> = names.iter().map(|name| Kernel::symbol_of(part, name)).collect();
        let records = names
            .iter()
            .zip(&entries)
            .flat_map(|(name, entry)| record_bytes(described.section, entry, name, &[]))
            .collect::<Vec<_>>();
        Declared {
            entries,
            records: parse(&records).unwrap(),
        }
    }

    fn problems_of(kernel: &Kernel, libraries: Vec<(&str, Declared)>, enabled: &[&str]) -> Vec<String> {
        let mut problems = Problems::default();
        let libraries = libraries.into_iter().map(|(name, library)| (name.to_owned(), library)).collect();
        let enabled: Vec<_> = enabled.iter().map(|&name| name.to_owned()).collect();
        check(&kernel.image(), &libraries, &enabled, &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_image_with_every_entry_is_good() {
        let mut kernel = Kernel::new();
        kernel.entry("initcall6", "hello_init");
        assert_eq!(
            problems_of(
                &kernel,
                vec![("hello", library("initcall6", &["hello_init"])), ("spin", Declared::default())],
                &["hello"]
            ),
            [] as [&str; 0]
        );
    }

    #[test]
    fn an_enabled_crate_that_is_not_linked_is_named_with_its_entry() {
        let problems = problems_of(
            &Kernel::new(),
            vec![("hello-world", library("initcall6", &["hello_init", "b"]))],
            &["hello-world"],
        );
        assert_eq!(
            problems,
            [
                "crate hello-world: is enabled but not linked: its initcall hello_init (src/lib.rs:1) is not in the image, nor is one other; name it with `extern crate hello_world as _;`"
            ]
        );
    }

    #[test]
    fn a_crate_that_was_not_built_is_named() {
        assert_eq!(
            problems_of(&Kernel::new(), vec![], &["hello"]),
            ["crate hello: is enabled but was not built: the image must depend on it"]
        );
    }

    #[test]
    fn single_entries_that_are_lost_are_named_one_by_one() {
        let mut kernel = Kernel::new();
        kernel.entry("initcall6", "a");
        let problems = problems_of(&kernel, vec![("x", library("initcall6", &["a", "b", "c"]))], &["x"]);
        assert_eq!(problems.len(), 2);
        assert!(
            problems[0].starts_with("crate x: its initcall b (src/lib.rs:1) is not in the image"),
            "{}",
            problems[0]
        );
    }

    #[test]
    fn an_entry_without_a_record_is_described_by_its_symbol() {
        let library = Declared {
            entries: vec!["__incipit.param.hello.main.DEBUG.12_1$".into()],
            records: Vec::new(),
        };
        let problems = problems_of(&Kernel::new(), vec![("hello", library)], &[]);
        assert!(
            problems[0].contains("its param DEBUG (main.rs:12) is not in the image"),
            "{}",
            problems[0]
        );
    }

    #[test]
    fn entries_of_a_table_that_is_configured_out_are_not_missed() {
        let mut kernel = Kernel::new();
        kernel.without_symbol("__kunit_suites_start");
        kernel.without_symbol("__kunit_suites_end");
        assert_eq!(problems_of(&kernel, vec![("x", library("ktest", &["t"]))], &["x"]), [] as [&str; 0]);
    }

    #[test]
    fn an_entry_of_an_unknown_part_is_a_problem() {
        let library = Declared {
            entries: vec!["__incipit.nothing.x.lib.A.1_1$".into()],
            records: Vec::new(),
        };
        assert!(problems_of(&Kernel::new(), vec![("x", library)], &[])[0].contains("no table has the part `nothing`"));
    }

    fn parameters(records: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let bytes: Vec<u8> = records
            .iter()
            .flat_map(|(table, entry, name, kind)| record_bytes(table, entry, name, &[("type", kind)]))
            .collect();
        let mut problems = Problems::default();
        check_parameters(&parse(&bytes).unwrap(), &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn two_parameters_of_one_folded_name_are_both_named() {
        let problems = parameters(&[
            ("__param", "a", "pci.no-msi", "bool"),
            ("__param", "b", "pci.no_msi", "u32"),
            ("__param", "c", "pci.msi", "u32"),
        ]);
        assert_eq!(
            problems,
            ["param: `pci.no_msi` is declared twice, at src/lib.rs:1 and at src/lib.rs:1: rename one"]
        );
    }

    #[test]
    fn a_parameter_that_hides_a_setup_handler_is_a_problem() {
        for name in ["log_level=", "log-level"] {
            let problems = parameters(&[("__param", "a", "log_level", "u32"), (".init.setup", "b", name, "setup")]);
            assert_eq!(problems.len(), 1, "{name}");
            assert!(problems[0].contains("hides the handler of"), "{}", problems[0]);
        }
    }

    #[test]
    fn an_early_option_and_a_longer_name_are_not_hidden() {
        let rest = [(".init.setup", "b", "debug", "early"), (".init.setup", "c", "debug_all=", "setup")];
        assert_eq!(
            parameters(&[&[("__param", "a", "debug", "bool")][..], &rest].concat()),
            [] as [&str; 0]
        );
    }
}

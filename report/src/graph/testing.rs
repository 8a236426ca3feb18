//! Graphs made by hand, from the records that a build would leave.

use std::collections::BTreeMap;

use incipit_linker::graph::Graph;
use incipit_linker::seal::records::Record;
use incipit_linker::tables::{CAPABILITY, part_named};

/// The record of an entry of `part` called `name`, whose path is `test::<name>`.
pub fn entry(part: &str, name: &str, more: &[(&str, &str)]) -> Record {
    let (_, part) = part_named(part).expect(part);
    record(part.section, name, more)
}

/// The record of the capability `name`.
pub fn capability(name: &str) -> Record {
    record(CAPABILITY.parts[0].section, name, &[])
}

fn record(section: &str, name: &str, more: &[(&str, &str)]) -> Record {
    Record {
        table: section.into(),
        entry: format!("__incipit.{name}$"),
        name: name.into(),
        path: format!("test::{name}"),
        file: "kernel/src/a/rather/long/path/lib.rs".into(),
        line: 12,
        more: more
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// The graph of `records`.
pub fn graph(records: &[Record]) -> Graph {
    match Graph::resolve(records) {
        Ok(graph) => graph,
        Err(problems) => panic!("{}", problems[0]),
    }
}

/// A small boot with every kind of edge, and one that crosses levels.
pub fn small() -> Graph {
    graph(&[
        entry("stage", "first", &[("doc", "Runs `first`.")]),
        entry("stage", "second", &[("after", "test::first,")]),
        entry("stage", "third", &[("after", "test::second,test::first,")]),
        capability("pci"),
        entry("initcall4", "pci_init", &[("provides", "test::pci,")]),
        entry(
            "initcall6",
            "disk_init",
            &[("requires", "test::pci,"), ("before", "test::net_init,")],
        ),
        entry("initcall6", "net_init", &[("wants", "test::pci,")]),
        entry("initcall6", "alone_init", &[]),
        entry("initcall6s", "wait_init", &[("after", "test::disk_init,")]),
    ])
}

/// `count` initcalls in three levels, each behind three others.
pub fn large(count: usize) -> Graph {
    let level = |index: usize| ["initcall4", "initcall6", "initcall7"][index * 3 / count];
    let records: Vec<_> = (0..count)
        .map(|index| {
            let before = |step: usize| format!("test::call_{:05},", index.saturating_sub(step));
            let after: String = [7, 200, 1 + index / 2].map(before).concat();
            let more = [("after", after.as_str())];
            entry(level(index), &format!("call_{index:05}"), if index == 0 { &[] } else { &more })
        })
        .collect();
    graph(&records)
}

//! Bands, words and the critical path.

use super::testing::{entry, graph, small};
use super::*;
use crate::boot::entries::parse;
use crate::boot::testing::answer;

#[test]
fn bands_are_the_levels_that_have_entries_in_their_order() {
    let found: Vec<_> = bands(&small()).into_iter().map(|band| (band.name, band.entries)).collect();
    let expected = [("stages", 0..3), ("subsys", 3..4), ("device", 4..7), ("device (sync)", 7..8)];
    assert_eq!(found, expected.map(|(name, entries)| (name.to_owned(), entries)));
    assert_eq!(bands(&Graph::default()), []);
}

#[test]
fn relations_are_told_at_the_entry_that_declares_them() {
    let graph = small();
    let relations = words::relations(&graph);
    let of = |name: &str| {
        let index = graph.entries.iter().position(|node| node.record.name == name).unwrap();
        (relations[index].needs.clone(), relations[index].gives.clone())
    };
    assert_eq!(of("pci_init"), (vec![], vec!["provides pci".to_owned()]));
    assert_eq!(
        of("disk_init"),
        (vec!["requires pci: pci_init".to_owned()], vec!["before net_init".to_owned()])
    );
    assert_eq!(of("net_init"), (vec!["wants pci: pci_init".to_owned()], vec![]));
    assert_eq!(of("wait_init"), (vec!["after disk_init".to_owned()], vec![]));
}

#[test]
fn states_of_cpus_are_drawn_by_section_and_called_so() {
    let records = [
        entry("cpu_state_prepare", "stacks", &[]),
        entry("cpu_state_online", "shares", &[("after", "test::stacks,")]),
    ];
    let graph = Graph::resolve_cpu_states(&records).unwrap();
    let names: Vec<_> = bands(&graph).into_iter().map(|band| band.name).collect();
    assert_eq!(names, ["prepare", "online"]);
    let drawn = svg::draw(&graph, &Costs::default(), svg::Form::File);
    assert!(
        drawn.contains("What is done for each CPU that comes") && drawn.contains("2 states, 1 dependency"),
        "{drawn}"
    );
    let dot = dot::draw(&graph, &Costs::default());
    assert!(
        dot.starts_with("// What is done for each CPU that comes: ") && dot.contains("n0 -> n1 [style=solid]"),
        "{dot}"
    );
}

/// The names on the critical path.
fn critical(graph: &Graph, costs: &Costs) -> Vec<String> {
    let critical = critical::find(graph, costs);
    let marked = graph.entries.iter().zip(critical.entries).filter(|(_, marked)| *marked);
    marked.map(|(node, _)| node.record.name.clone()).collect()
}

#[test]
fn without_figures_the_critical_path_is_the_longest_chain_of_each_level() {
    let graph = small();
    let names = critical(&graph, &Costs::default());
    assert_eq!(
        names,
        ["first", "second", "third", "pci_init", "disk_init", "net_init", "wait_init"]
    );
    let edges = critical::find(&graph, &Costs::default()).edges;
    assert_eq!(
        edges.into_iter().filter(|marked| *marked).count(),
        3,
        "first, second, third; disk, net"
    );
}

#[test]
fn with_figures_it_is_the_chain_that_takes_longest() {
    let graph = graph(&[
        entry("initcall6", "a", &[]),
        entry("initcall6", "b", &[("after", "test::a,")]),
        entry("initcall6", "long", &[]),
        entry("initcall6", "unmeasured", &[]),
    ]);
    let answer = answer(&[("device", "a", 10), ("device", "b", 20), ("device", "long", 31)]);
    let costs = Costs::measured(&graph, &parse(&answer).unwrap());
    assert_eq!(costs.of.iter().flatten().count(), 3);
    assert_eq!(critical(&graph, &costs), ["long"]);
    assert_eq!(critical(&graph, &Costs::default()), ["a", "b"]);
}

//! Orders that declarations ask for, and every way in which they do not add up.

use super::*;
use crate::seal::records::parse;
use crate::seal::testing::record_bytes;
use crate::tables;

/// Declarations in a file `src/lib.rs`, each on a line of its own.
#[derive(Default)]
struct Declared(Vec<u8>);

impl Declared {
    fn entry(self, part: &str, name: &str, more: &[(&str, &str)]) -> Self {
        let (_, part) = tables::part_named(part).unwrap();
        self.add(part.section, name, more)
    }

    fn capability(self, name: &str) -> Self {
        self.add(".capability", name, &[])
    }

    fn exclusive(self, name: &str) -> Self {
        self.add(".capability", name, &[("exclusive", "1")])
    }

    fn add(mut self, section: &str, name: &str, more: &[(&str, &str)]) -> Self {
        let line = self.0.iter().filter(|byte| **byte == 0).count() + 1;
        let symbol = format!("__incipit.x.test.{name}.1_1$");
        let bytes = record_bytes(section, &symbol, name, more);
        let text = String::from_utf8(bytes).unwrap().replace("\x1fline=1", &format!("\x1fline={line}"));
        self.0.extend(text.bytes());
        self
    }

    fn resolve(&self) -> std::result::Result<Graph, Vec<String>> {
        Graph::resolve(&parse(&self.0).unwrap()).map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    fn names(&self) -> Vec<String> {
        self.resolve()
            .unwrap()
            .entries
            .iter()
            .map(|node| node.record.name.clone())
            .collect()
    }

    fn problems(&self) -> Vec<String> {
        self.resolve().unwrap_err()
    }
}

#[test]
fn without_relations_the_level_decides_and_then_the_name() {
    let declared = Declared::default()
        .entry("initcall6", "b", &[])
        .entry("initcall1", "z", &[])
        .entry("initcall6", "a", &[])
        .entry("con_initcall", "y", &[])
        .entry("stage", "x", &[])
        .entry("initcall6s", "aa", &[]);
    assert_eq!(declared.names(), ["x", "y", "z", "a", "b", "aa"]);
}

#[test]
fn after_and_before_put_entries_in_order() {
    let declared = Declared::default()
        .entry("initcall6", "a", &[("after", "test::b,")])
        .entry("initcall6", "b", &[])
        .entry("initcall6", "c", &[("before", "test::b,")]);
    assert_eq!(declared.names(), ["c", "b", "a"]);
    let graph = declared.resolve().unwrap();
    assert_eq!(graph.entries.iter().map(|node| node.rank).collect::<Vec<_>>(), [0, 1, 2]);
    let kinds: Vec<_> = graph
        .edges
        .iter()
        .map(|edge| (edge.first, edge.then, edge.kind, edge.declared_by()))
        .collect();
    assert_eq!(kinds, [(0, 1, Kind::Before, 0), (1, 2, Kind::After, 2)]);
}

#[test]
fn a_capability_puts_all_that_provide_it_first() {
    let declared = Declared::default()
        .capability("pci")
        .entry("initcall6", "a", &[("requires", "test::pci,")])
        .entry("initcall6", "b", &[("wants", "test::pci,")])
        .entry("initcall6", "y", &[("provides", "test::pci,")])
        .entry("initcall6", "z", &[("provides", "test::pci,")]);
    assert_eq!(declared.names(), ["y", "z", "a", "b"]);
    let graph = declared.resolve().unwrap();
    assert_eq!(graph.edges.len(), 4);
    assert!(graph.edges.iter().all(|edge| edge.capability == Some(0)));
}

#[test]
fn a_rank_counts_within_its_part_only() {
    let declared = Declared::default()
        .entry("initcall1", "bus", &[])
        .entry("initcall1", "bus_late", &[("after", "test::bus,")])
        .entry("initcall6", "a", &[("after", "test::bus_late,")])
        .entry("initcall6", "b", &[]);
    assert_eq!(declared.names(), ["bus", "bus_late", "a", "b"]);
}

#[test]
fn what_is_wanted_may_be_missing_and_what_is_named_twice_counts_once() {
    let declared = Declared::default()
        .capability("pci")
        .entry("initcall6", "a", &[("wants", "test::pci,")])
        .entry("initcall6", "b", &[("after", "test::a,test::a,"), ("before", "test::elsewhere,")]);
    assert_eq!(declared.names(), ["a", "b"]);
    assert_eq!(declared.resolve().unwrap().edges.len(), 1);
}

#[test]
fn records_of_other_tables_are_passed_over() {
    let declared = Declared::default()
        .entry("ktest", "t", &[("after", "test::a,")])
        .entry("initcall6", "a", &[]);
    assert_eq!(declared.names(), ["a"]);
}

#[test]
fn states_of_cpus_are_a_graph_of_their_own() {
    let declared = Declared::default()
        .entry("cpu_state_online", "a", &[])
        .entry("cpu_state_prepare", "z", &[("before", "test::y,")])
        .entry("cpu_state_prepare", "y", &[])
        .entry("cpu_state_prepare", "b", &[("after", "test::y,")])
        .entry("cpu_state_starting", "c", &[("after", "test::b,")])
        .entry("initcall6", "elsewhere", &[]);
    assert_eq!(declared.names(), ["elsewhere"]);
    let graph = Graph::resolve_cpu_states(&parse(&declared.0).unwrap()).unwrap();
    let names: Vec<_> = graph.entries.iter().map(|node| node.record.name.as_str()).collect();
    assert_eq!(names, ["z", "y", "b", "c", "a"]);
}

#[test]
fn nothing_orders_states_of_cpus_and_the_boot() {
    let declared = Declared::default()
        .entry("cpu_state_prepare", "page_sets", &[("after", "test::cache_init,")])
        .entry("initcall6", "cache_init", &[("before", "test::page_sets,")]);
    let cpus = Graph::resolve_cpu_states(&parse(&declared.0).unwrap()).unwrap_err();
    let texts = [declared.problems(), cpus.iter().map(ToString::to_string).collect()].concat();
    let expected = [
        "initcall: cache_init (src/lib.rs:2) says before(page_sets), but page_sets (src/lib.rs:1) is an entry of cpu_state, and nothing orders those and entries \
         of initcall",
        "cpu_state: page_sets (src/lib.rs:1) says after(cache_init), but cache_init (src/lib.rs:2) is an entry of initcall, and nothing orders those and entries \
         of cpu_state",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn a_state_that_waits_for_a_later_section_is_told_so_and_a_cycle_with_its_places() {
    let late = Declared::default()
        .entry("cpu_state_prepare", "early", &[("after", "test::late,")])
        .entry("cpu_state_online", "late", &[]);
    let cycle = Declared::default()
        .entry("cpu_state_starting", "a", &[("after", "test::b,"), ("before", "test::c,")])
        .entry("cpu_state_starting", "b", &[])
        .entry("cpu_state_starting", "c", &[("before", "test::b,")]);
    let problems = |declared: &Declared| {
        let problems = Graph::resolve_cpu_states(&parse(&declared.0).unwrap()).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        problems(&late),
        [
            "cpu_state: early (src/lib.rs:1) says after(late), but late runs in online, behind prepare: move late to prepare or earlier, or early to online or later"
        ]
    );
    let text = problems(&cycle).concat();
    for part in [
        "cpu_state: these run in a cycle",
        "b before a: a (src/lib.rs:1) says after(b)",
        "a before c: a (src/lib.rs:1) says before(c)",
        "c before b: c (src/lib.rs:3) says before(b)",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn the_order_owes_nothing_to_the_order_of_the_records() {
    let entries = [
        ("a", "test::c,"),
        ("b", ""),
        ("c", ""),
        ("d", "test::b,"),
        ("e", "test::a,test::d,"),
    ];
    let names = |order: &[usize]| {
        let declare = |declared: Declared, index: &usize| declared.entry("initcall6", entries[*index].0, &[("after", entries[*index].1)]);
        order.iter().fold(Declared::default(), declare).names()
    };
    let first = names(&[0, 1, 2, 3, 4]);
    assert_eq!(first, ["b", "c", "a", "d", "e"]);
    for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 4, 0, 3, 2]] {
        assert_eq!(names(&order), first);
    }
}

#[test]
fn a_requirement_on_a_later_level_names_the_chain_and_what_would_mend_it() {
    let declared = Declared::default()
        .capability("pci")
        .entry("initcall6", "nic", &[("requires", "test::pci,")])
        .entry("initcall7", "pci_init", &[("provides", "test::pci,")]);
    assert_eq!(
        declared.problems(),
        [
            "initcall: nic (src/lib.rs:2) requires pci (src/lib.rs:1), which pci_init (src/lib.rs:3) provides, but pci_init runs in late, behind device: \
             move pci_init to device or earlier, or nic to late or later"
        ]
    );
}

#[test]
fn so_do_after_and_before_across_levels_and_tables() {
    let after = Declared::default()
        .entry("initcall1", "bus", &[("after", "test::disk,")])
        .entry("initcall6s", "disk", &[]);
    assert_eq!(
        after.problems(),
        [
            "initcall: bus (src/lib.rs:1) says after(disk), but disk runs in device, sync, behind core: \
             move disk to core or earlier, or bus to device, sync or later"
        ]
    );
    let before = Declared::default()
        .entry("initcallearly", "call", &[("before", "test::step,")])
        .entry("stage", "step", &[]);
    assert_eq!(
        before.problems(),
        [
            "initcall: call (src/lib.rs:1) says before(step), but call runs in early, behind stage: \
             move call to stage or earlier, or step to early or later"
        ]
    );
    let wants = Declared::default()
        .capability("net")
        .entry("stage", "step", &[("wants", "test::net,")])
        .entry("con_initcall", "console", &[("provides", "test::net,")]);
    assert_eq!(wants.problems().len(), 1);
}

#[test]
fn a_requirement_that_nothing_provides_is_named() {
    let declared = Declared::default()
        .capability("pci")
        .entry("initcall6", "nic", &[("requires", "test::pci,")]);
    assert_eq!(
        declared.problems(),
        [
            "initcall: nic (src/lib.rs:2) requires pci (src/lib.rs:1), but nothing in this image provides it: \
             enable a crate with a function that says provides(pci), or say wants if nic can do without"
        ]
    );
}

#[test]
fn a_second_provider_of_an_exclusive_capability_is_named() {
    let declared = Declared::default()
        .exclusive("clock")
        .entry("initcall1", "hpet", &[("provides", "test::clock,")])
        .entry("initcall3", "tsc", &[("provides", "test::clock,test::clock,")]);
    assert_eq!(
        declared.problems(),
        [
            "initcall: clock (src/lib.rs:1) is exclusive, but hpet (src/lib.rs:2) and tsc (src/lib.rs:3) provide it: \
             configure all but one of them out, or declare it without `exclusive`"
        ]
    );
    let once = Declared::default()
        .exclusive("clock")
        .entry("initcall1", "hpet", &[("provides", "test::clock,")]);
    assert_eq!(once.names(), ["hpet"]);
}

#[test]
fn a_cycle_through_capabilities_names_every_link() {
    let declared = Declared::default()
        .capability("net")
        .capability("disk")
        .entry("initcall6", "nfs", &[("provides", "test::disk,"), ("requires", "test::net,")])
        .entry("initcall6", "firmware", &[("after", "test::nfs,"), ("wants", "test::disk,")])
        .entry("initcall6", "nic", &[("after", "test::firmware,"), ("provides", "test::net,")])
        .entry("initcall6", "behind", &[("after", "test::nic,")]);
    let problems = declared.problems();
    assert_eq!(problems.len(), 1);
    let lines: Vec<_> = problems[0].lines().collect();
    assert_eq!(
        lines[0],
        "initcall: these run in a cycle, so there is no order; one of the declarations must go:"
    );
    let mut links = lines[1..].to_vec();
    links.sort_unstable();
    assert_eq!(
        links,
        [
            "    firmware before nic: nic (src/lib.rs:5) says after(firmware)",
            "    nfs before firmware: firmware (src/lib.rs:4) says after(nfs)",
            "    nic before nfs: nfs (src/lib.rs:3) requires net (src/lib.rs:1), which nic (src/lib.rs:5) provides",
        ]
    );
}

#[test]
fn a_function_that_needs_what_it_provides_is_a_cycle_of_one() {
    let declared =
        Declared::default()
            .capability("net")
            .entry("initcall6", "nic", &[("provides", "test::net,"), ("requires", "test::net,")]);
    assert_eq!(
        declared.problems()[0].lines().nth(1),
        Some("    nic before nic: nic (src/lib.rs:2) requires net (src/lib.rs:1), which nic (src/lib.rs:2) provides")
    );
}

#[test]
fn before_and_after_of_two_functions_are_a_cycle() {
    let declared = Declared::default()
        .entry("stage", "a", &[("before", "test::b,")])
        .entry("stage", "b", &[("before", "test::a,")]);
    let problems = declared.problems();
    assert!(problems[0].starts_with("stage: these run in a cycle"), "{problems:?}");
    assert!(problems[0].contains("a before b: a (src/lib.rs:1) says before(b)"), "{problems:?}");
}

#[test]
fn every_problem_is_named_in_one_go() {
    let declared = Declared::default()
        .capability("pci")
        .exclusive("clock")
        .entry("initcall6", "nic", &[("requires", "test::pci,")])
        .entry("initcall1", "one", &[("provides", "test::clock,")])
        .entry("initcall1", "two", &[("provides", "test::clock,")])
        .entry("initcall1", "three", &[("after", "test::nic,")])
        .entry("initcall1", "four", &[("before", "test::one,"), ("after", "test::two,test::one,")]);
    assert_eq!(declared.problems().len(), 4, "{:?}", declared.problems());
}

#[test]
fn a_capability_without_its_declaration_is_named() {
    let declared = Declared::default().entry("initcall6", "nic", &[("requires", "test::pci,")]);
    assert_eq!(
        declared.problems(),
        ["initcall: nic (src/lib.rs:1) requires test::pci, but the declaration of that capability is not in the image"]
    );
}

#[test]
fn the_last_stage_is_behind_all_others_whatever_their_rank() {
    let declared = Declared::default()
        .entry("stage", "a", &[("last", "1")])
        .entry("stage", "b", &[])
        .entry("stage", "c", &[("after", "test::b,")])
        .entry("initcallearly", "d", &[("after", "test::a,")]);
    assert_eq!(declared.names(), ["b", "c", "a", "d"]);
}

#[test]
fn nothing_can_come_behind_the_last_stage_and_there_is_one() {
    let behind = Declared::default()
        .entry("stage", "end", &[("last", "1")])
        .entry("stage", "more", &[("after", "test::end,")]);
    assert_eq!(
        behind.problems(),
        ["stage: more (src/lib.rs:2) says after(end), but end is the last stage and does not come back: more would never run"]
    );
    let two = Declared::default()
        .entry("stage", "one", &[("last", "1")])
        .entry("stage", "two", &[("last", "1")]);
    assert_eq!(
        two.problems(),
        ["stage: one (src/lib.rs:1) and two (src/lib.rs:2) each say that they are the last: one can be"]
    );
}

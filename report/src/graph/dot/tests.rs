//! The language: names are strings whatever they hold, and every edge says its kind.

use super::super::testing::{capability, entry, graph, small};
use super::*;

#[test]
fn every_entry_and_edge_is_there_with_its_kind() {
    let text = draw(&small(), &Costs::default());
    assert!(text.starts_with("// ") && text.ends_with("}\n"));
    for line in [
        "\tsubgraph cluster_0 {\n\t\tlabel=\"stages\"",
        "\t\tn0 [label=\"first\", tooltip=\"kernel/src/a/rather/long/path/lib.rs:12\", color=\"#a3271f\", penwidth=2]",
        "\tn0 -> n1 [style=solid, color=\"#a3271f\", penwidth=2]",
        "\tn0 -> n2 [style=solid]",
        "\tn3 -> n5 [style=solid, color=\"#1f5f8b\", label=\"pci\"]",
        "\tn3 -> n6 [style=dotted, color=\"#1f5f8b\", label=\"pci\"]",
        "\tn5 -> n6 [style=dashed, color=\"#a3271f\", penwidth=2]",
    ] {
        assert!(text.contains(line), "no {line} in {text}");
    }
}

#[test]
fn names_are_strings_whatever_they_hold() {
    let text = draw(
        &graph(&[
            capability("q\"\\"),
            entry("initcall6", "a\"b\\c\u{7}", &[("provides", "test::q\"\\,")]),
        ]),
        &Costs::default(),
    );
    assert!(text.contains("label=\"a\\\"b\\\\c\u{fffd}\""), "{text}");
    assert!(text.contains("provides q\\\"\\\\\""), "{text}");
}

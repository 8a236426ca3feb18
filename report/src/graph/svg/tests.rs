//! The file: well formed, whole, and harmless whatever the names are.

use roxmltree::{Document, Node};

use super::super::testing::{capability, entry, graph, large, small};
use super::*;

fn with_class<'a>(document: &'a Document, class: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    let has = move |node: &Node| {
        node.attribute("class")
            .is_some_and(|classes| classes.split(' ').any(|other| other == class))
    };
    document.descendants().filter(has)
}

fn title<'a>(node: Node<'a, 'a>) -> &'a str {
    node.children()
        .find(|child| child.has_tag_name("title"))
        .and_then(|title| title.text())
        .unwrap_or_default()
}

/// `children` takes namespaces into account, which `has_tag_name` of a plain name does not ask for.
fn parsed(text: &str) -> String {
    text.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "")
}

#[test]
fn every_entry_and_edge_is_drawn_and_says_what_it_is() {
    let text = parsed(&draw(&small(), &Costs::default(), Form::File));
    let document = Document::parse(&text).unwrap();
    let titles: Vec<_> = with_class(&document, "node").map(title).collect();
    assert_eq!(titles.len(), 8);
    assert_eq!(titles[0], "test::first\nkernel/src/a/rather/long/path/lib.rs:12\nRuns `first`.");
    assert!(titles[5].ends_with("\nrequires pci: pci_init\nbefore net_init"), "{titles:?}");
    for (class, count) in [("after", 4), ("before", 1), ("requires", 1), ("wants", 1)] {
        // One of each is in the legend.
        assert_eq!(with_class(&document, class).count(), count + 1, "{class}");
    }
    let sentences: Vec<_> = with_class(&document, "requires").map(title).collect();
    assert!(
        sentences.contains(&"disk_init requires pci, which pci_init provides"),
        "{sentences:?}"
    );
    let labels: Vec<_> = with_class(&document, "label").filter_map(|label| label.text()).collect();
    assert_eq!(labels, ["pci", "pci"]);
}

#[test]
fn names_are_text_whatever_they_hold() {
    let records = [
        capability("<script>alert(1)</script>"),
        entry("initcall6", "a&b<c>\"'", &[("doc", "]]> <!-- &amp; </title><script>")]),
        entry("initcall6", "b", &[("wants", "test::<script>alert(1)</script>,")]),
        entry("initcall6", "c", &[("provides", "test::<script>alert(1)</script>,")]),
    ];
    for form in [Form::File, Form::Inline] {
        let text = parsed(&draw(&graph(&records), &Costs::default(), form));
        assert!(!text.contains("<script"), "{text}");
        let document = Document::parse(&text).unwrap();
        let names: Vec<_> = with_class(&document, "name").filter_map(|name| name.text()).collect();
        assert!(names.contains(&"a&b<c>\"'"), "{names:?}");
    }
}

#[test]
fn inside_the_report_boxes_lead_to_their_rows_and_lines_say_what_they_connect() {
    let text = parsed(&draw(&small(), &Costs::default(), Form::Inline));
    let document = Document::parse(&text).unwrap();
    let links: Vec<_> = document.descendants().filter_map(|node| node.attribute("href")).collect();
    assert_eq!(links, ["#e0", "#e1", "#e2", "#e3", "#e4", "#e5", "#e6", "#e7"]);
    assert!(document.descendants().any(|node| node.attribute("data-ends") == Some("e0 e1")));
}

#[test]
fn names_that_are_too_long_are_shortened() {
    assert_eq!(shortened_at_end("setup_arch", 10), "setup_arch");
    assert_eq!(shortened_at_end("setup_archs", 10), "setup_arc…");
    assert_eq!(shortened_at_start("größe/lib.rs:1", 9), "…lib.rs:1");
    assert_eq!(shortened_at_start("lib.rs:1", 8), "lib.rs:1");
}

#[test]
fn a_capability_with_several_providers_is_written_once() {
    let records = [
        capability("bus"),
        entry("initcall4", "one", &[("provides", "test::bus,")]),
        entry("initcall4", "other", &[("provides", "test::bus,")]),
        entry("initcall6", "user", &[("requires", "test::bus,")]),
    ];
    let text = parsed(&draw(&graph(&records), &Costs::default(), Form::File));
    assert_eq!(with_class(&Document::parse(&text).unwrap(), "label").count(), 1);
}

#[test]
fn ten_thousand_initcalls_make_a_file_that_can_still_be_used() {
    let graph = large(10_000);
    assert!(graph.edges.len() > 25_000);
    let text = draw(&graph, &Costs::default(), Form::File);
    assert!(text.len() < 16 << 20, "{} bytes", text.len());
    let text = parsed(&text);
    let document = Document::parse(&text).unwrap();
    assert_eq!(with_class(&document, "node").count(), 10_000);
    let width: u32 = document.root_element().attribute("width").unwrap().parse().unwrap();
    assert!(width < 10_000, "{width}");
}

//! The page as a file: whole, harmless, and in need of nothing. What a reader sees of it is tested in a browser.

use std::collections::HashSet;

use incipit_linker::graph::Graph;
use incipit_linker::seal::list::Row;
use incipit_linker::tables::{PARAM, STAGE_INFO};

use super::*;
use crate::boot::params::Param;
use crate::boot::testing::answer;
use crate::contents::{Area, Class, Entries, Listed};
use crate::graph::testing::{entry, graph, small};

/// What a name might hold if somebody wanted to harm the reader.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>&\"'";

fn contents() -> Contents {
    let listed = |table, entries| Listed {
        table,
        range: 0x1000..0x1028,
        entries,
    };
    let area = |name: &str, start, class| Area {
        name: name.into(),
        range: start..start + 0x1000,
        class,
        freed: class == Class::Data,
    };
    let record = entry("param", HOSTILE, &[("doc", HOSTILE), ("default", HOSTILE), ("type", "charp")]);
    Contents {
        build_id: "abcd".into(),
        areas: vec![area(".text", 0x1000, Class::Code), area(HOSTILE, 0x2000, Class::Data)],
        tables: vec![
            listed(&PARAM, Entries::Declared(vec![Row { part: "param", record }])),
            listed(&STAGE_INFO, Entries::SlotsOf("stage", 3)),
        ],
        graph: small(),
        cpu_states: Graph::default(),
        exceptions: vec![entry("param", HOSTILE, &[("reason", HOSTILE)])],
    }
}

fn boot_of(contents: &Contents) -> Boot {
    let names: Vec<_> = contents
        .graph
        .entries
        .iter()
        .map(|node| ("device", node.record.name.as_str(), 10))
        .collect();
    let param = Param {
        name: HOSTILE.into(),
        kind: "charp".into(),
        perm: "0444".into(),
        origin: "command line".into(),
        place: "src/lib.rs:1".into(),
        value: HOSTILE.into(),
    };
    Boot {
        version: HOSTILE.into(),
        entries: crate::boot::entries::parse(&answer(&names)).unwrap(),
        params: vec![param],
        log: HOSTILE.into(),
        ..Boot::default()
    }
}

/// The values of the attribute `name` in `page`.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!(" {name}=\"");
    page.split(begin.as_str())
        .skip(1)
        .filter_map(|text| Some(text.split_once('"')?.0))
        .collect()
}

#[test]
fn every_entry_has_a_lane_a_row_and_a_box() {
    let contents = contents();
    let page = render(&contents, &boot_of(&contents)).unwrap();
    for (index, node) in contents.graph.entries.iter().enumerate() {
        let id = format!("e{index}");
        assert_eq!(
            attributes(&page, "data-entry").iter().filter(|other| **other == id).count(),
            2,
            "a lane and a box"
        );
        assert_eq!(attributes(&page, "id").iter().filter(|other| **other == id).count(), 1);
        assert!(page.contains(&node.record.name));
    }
}

#[test]
fn every_link_and_label_leads_somewhere_and_no_id_is_there_twice() {
    let contents = contents();
    let page = render(&contents, &boot_of(&contents)).unwrap();
    let ids = attributes(&page, "id");
    let unique: HashSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    for link in attributes(&page, "href") {
        let id = link.strip_prefix('#').expect("links stay on the page");
        assert!(unique.contains(id) || id == "table-stage", "{link}");
    }
    for name in ["for", "aria-labelledby", "data-filters"] {
        assert!(attributes(&page, name).iter().all(|id| unique.contains(id)), "{name}");
    }
}

#[test]
fn the_head_says_what_is_left_of_the_initcalls_when_all_that_may_be_shared_is() {
    let contents = contents();
    let page = render(&contents, &boot_of(&contents)).unwrap();
    // Five initcalls of ten instructions; of the three in the device level's first half one is beside the chain of the two others.
    let words = "50 instructions behind the start of the other CPUs; however many share them, 40 instructions";
    assert!(page.contains(words), "{page}");
}

#[test]
fn what_comes_from_outside_is_text() {
    let contents = contents();
    let page = render(&contents, &boot_of(&contents)).unwrap();
    assert!(!page.contains("<img"), "{page}");
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("</script>").count(), 1);
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let contents = contents();
    let page = render(&contents, &boot_of(&contents)).unwrap();
    let without_namespace = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for word in ["http:", "https:", "src=\"", "@import", "<link"] {
        assert!(!without_namespace.contains(word), "{word}");
    }
}

#[test]
fn a_boot_of_another_image_is_refused() {
    let contents = contents();
    let mut boot = boot_of(&contents);
    boot.entries.pop();
    let error = render(&contents, &boot).unwrap_err().to_string();
    assert_eq!(
        error,
        "the image declares 8 stages and initcalls, but the boot tells of 7: it was another image's"
    );
    let mut boot = boot_of(&contents);
    boot.entries[3].path = "test::other".into();
    let error = render(&contents, &boot).unwrap_err().to_string();
    assert_eq!(error, "the boot tells nothing of test::pci_init: it was another image's");
}

#[test]
fn a_level_with_very_many_initcalls_is_folded() {
    let records: Vec<_> = (0..500).map(|index| entry("initcall6", &format!("call_{index:03}"), &[])).collect();
    let contents = Contents {
        graph: graph(&records),
        ..contents()
    };
    let page = render(&contents, &boot_of(&contents)).unwrap();
    assert!(page.contains("<summary>device <span class=\"count\">500</span></summary>"));
    assert_eq!(page.matches("class=\"lane ok\"").count(), 500);
}

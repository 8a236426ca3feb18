//! The picture of the declared order, in a file of its own.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use incipit_tests::browser::Browser;
use incipit_tests::built::has_program;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;
use serde_json::json;

use crate::made::{DESK, Made, failing, ours};

/// Graphviz.
const DOT: &str = "dot";

const CONTRAST: &str = include_str!("contrast.js");

pub fn trials() -> Vec<Trial> {
    let has_dot = has_program(DOT);
    if !has_dot {
        eprintln!("skipped: a test needs {DOT}, which this machine does not have");
    }
    let dot = trial("graph::graphviz_takes_the_dot_file", graphviz).with_ignored_flag(!has_dot);
    vec![
        trial("graph::every_stage_and_initcall_is_drawn_where_it_can_be_read", || drawn(ours()?)),
        trial("graph::a_graph_with_every_kind_of_edge_can_be_read", || drawn(failing()?)),
        trial("graph::kinds_of_edges_are_told_apart_by_colour_and_dashes", kinds),
        trial("graph::light_and_dark_are_two_looks_with_enough_contrast", contrast),
        dot,
    ]
}

fn open(made: &Made) -> Result<Browser> {
    let mut browser = Browser::start(DESK)?;
    browser.open(&made.svg)?;
    Ok(browser)
}

fn drawn(made: &Made) -> Result<()> {
    let mut browser = open(made)?;
    let boxes = browser.eval("document.querySelectorAll('.node').length")?;
    ensure!(boxes == made.contents.graph.entries.len(), "{boxes} boxes");
    let edges = browser.eval("document.querySelectorAll('.edges .edge').length")?;
    ensure!(edges == made.contents.graph.edges.len(), "{edges} edges");
    let outside = browser.eval(
        "(() => { const within = (inner, outer) => { const [a, b] = [inner, outer].map((element) => element.getBoundingClientRect());
                return a.left >= b.left - .5 && a.right <= b.right + .5 && a.top >= b.top - .5 && a.bottom <= b.bottom + .5; };
            const texts = Array.from(document.querySelectorAll('.node text')).filter((text) => !within(text, text.parentElement.querySelector('rect')));
            const rest = Array.from(document.querySelectorAll('text, rect, .edge')).filter((element) => !within(element, document.documentElement));
            return [...texts, ...rest].map((element) => element.outerHTML); })()",
    )?;
    ensure!(outside == json!([]), "these stick out: {outside}");
    let titles = browser.eval("Array.from(document.querySelectorAll('.node'), (node) => node.querySelector('title').textContent)")?;
    for (node, title) in made.contents.graph.entries.iter().zip(titles.as_array().context("titles")?) {
        let title = title.as_str().unwrap_or_default();
        let (path, place) = (&node.record.path, node.record.place());
        let doc = node.record.get("doc").unwrap_or_default();
        ensure!([path.as_str(), &place, doc].iter().all(|part| title.contains(part)), "{title}");
    }
    Ok(())
}

fn kinds() -> Result<()> {
    let mut browser = open(failing()?)?;
    let mut looks = Vec::new();
    for kind in ["after", "before", "requires", "wants"] {
        let look = format!(
            "(() => {{ const style = getComputedStyle(document.querySelector('.edges .edge.{kind}:not(.critical)'));
                return `${{style.stroke}} ${{style.strokeDasharray}}`; }})()"
        );
        looks.push(browser.text(&look)?);
    }
    let distinct = looks.iter().collect::<std::collections::HashSet<_>>().len();
    ensure!(distinct == looks.len(), "{looks:?}");
    let critical = browser.eval("document.querySelectorAll('.node.critical').length")?;
    ensure!(critical.as_u64() > Some(0), "no critical path");
    Ok(())
}

fn contrast() -> Result<()> {
    let mut browser = open(failing()?)?;
    let mut papers = Vec::new();
    for dark in [false, true] {
        browser.prefer_dark(dark)?;
        browser.wait_for(&format!("matchMedia('(prefers-color-scheme: dark)').matches === {dark}"))?;
        papers.push(browser.text("getComputedStyle(document.querySelector('.paper')).fill")?);
        let found = browser.eval(CONTRAST)?;
        ensure!(found["seen"].as_u64() > Some(50), "{found}");
        ensure!(found["wrong"] == json!([]), "dark: {dark}: {}", found["wrong"]);
    }
    ensure!(papers[0] != papers[1], "{papers:?}");
    Ok(())
}

fn graphviz() -> Result<()> {
    for made in [ours()?, failing()?] {
        let drawn = Command::new(DOT).arg("-Tsvg").arg(&made.dot).output().context("starting dot")?;
        let (errors, text) = (String::from_utf8_lossy(&drawn.stderr), String::from_utf8_lossy(&drawn.stdout));
        ensure!(drawn.status.success() && errors.is_empty(), "{errors}");
        ensure!(
            text.matches("class=\"node\"").count() == made.contents.graph.entries.len(),
            "{text}"
        );
    }
    Ok(())
}

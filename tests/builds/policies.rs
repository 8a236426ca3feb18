//! What becomes of the boot when initcalls fail: each by its declared policy, and never otherwise.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use incipit_linker::graph::{Graph, Kind, Node};
use incipit_linker::seal::image::Image;
use incipit_report::qemu::{self as report, Session};
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::make::extended;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// The last line of a boot that has come to its end.
const END: &str = "Kernel panic - not syncing: No working init found.";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("policies::what_requires_a_failed_initcall_is_skipped_with_the_reason", || {
            let log = boots("")?;
            log.require(&[
                "initcall policies_broken failed: EIO",
                "initcall policies_needs_broken skipped: requires policy_broken, whose provider policies_broken failed: EIO",
                "initcall policies_needs_chain skipped: requires policy_chain, whose provider policies_needs_broken was skipped",
            ])?;
            none_runs(&log, &["policies_needs_broken", "policies_needs_chain"])
        }),
        trial("policies::what_wants_it_or_has_another_provider_runs", || {
            all_run(
                &boots("")?,
                &[
                    "policies_needs_bus",
                    "policies_wants_broken",
                    "policies_after_broken",
                    "policies_needs_either",
                ],
            )
        }),
        trial("policies::a_stage_from_outside_the_tree_runs_in_its_place", || {
            boots("")?.require(&[
                "printk: console [ttyS0] enabled",
                "policies: policies_stage runs",
                "policies: policies_needs_stage runs",
            ])
        }),
        trial("policies::a_device_that_is_not_there_is_no_warning", || {
            let log = boots("")?;
            log.refuse("initcall policies_device failed")?;
            log.require(&[
                "initcall policies_needs_device skipped: requires policy_device, whose provider policies_device failed: ENODEV",
            ])?;
            // Notices of that kind are below the level that `loglevel=5` shows.
            boots("loglevel=5")?.refuse("policies_needs_device")
        }),
        trial("policies::an_ignored_error_leaves_no_trace", || {
            let log = boots("")?;
            log.refuse("initcall policies_ignored failed")?;
            all_run(&log, &["policies_needs_ignored"])
        }),
        trial("policies::skip_dependents_takes_along_what_comes_after_by_path", || {
            let log = boots("")?;
            log.require(&[
                "initcall policies_takes_along failed: ENXIO",
                "initcall policies_after_it skipped: comes after policies_takes_along, which failed: ENXIO",
                "initcall policies_before_it skipped: comes after policies_takes_along, which failed: ENXIO",
                "initcall policies_after_that skipped: comes after policies_after_it, which was skipped",
            ])?;
            none_runs(&log, &["policies_after_it", "policies_before_it", "policies_after_that"])
        }),
        trial("policies::a_vital_initcall_ends_the_boot", || {
            let log = Machine::new(&extended()?.vmlinux())
                .append("initcall_fail=policies_vital:ENOMEM")
                .run()?;
            log.require_mention("Kernel panic - not syncing: initcall policies_vital failed: ENOMEM, and the boot cannot go on without it")
        }),
        trial("policies::what_is_blacklisted_provides_nothing", || {
            let log = boots("initcall_blacklist=policies::policies_bus")?;
            log.require(&["initcall policies_needs_bus skipped: requires policy_bus, whose provider policies_bus was blacklisted"])?;
            // Its other provider fails by itself.
            none_runs(&log, &["policies_bus", "policies_needs_bus", "policies_needs_either"])
        }),
        trial("policies::the_last_initcall_is_the_one_that_the_command_line_says", || {
            let log = boots("initcall_stop_after=policies_device initcall_debug ignore_loglevel")?;
            log.require(&["initcall_stop_after: policies_device is the last initcall"])?;
            ensure!(
                log.calls().last().is_some_and(|name| name == "policies_device"),
                "{:?}",
                log.calls()
            );
            Ok(())
        }),
        trial("policies::the_monitor_tells_states_reasons_and_providers", monitor),
        trial("policies::names_that_are_none_and_errors_that_are_none_are_named", || {
            let log = boots("initcall_fail=nosuch:EIO,policies_bus:EWHAT initcall_stop_after=nothing")?;
            log.require(&[
                "initcall_fail: `EWHAT' in `policies_bus:EWHAT' is no error: must be a name such as ENODEV or a number from 1 to 4095",
            ])?;
            log.require(&[
                "initcall_fail: there is no initcall nosuch",
                "initcall_stop_after: there is no initcall nothing",
            ])?;
            all_run(&log, &["policies_bus"])
        }),
        trial("policies::each_option_without_a_name_is_malformed", || {
            let log = boots("initcall_fail initcall_stop_after= initcall_blacklist initcall_shuffle=x")?;
            for option in ["initcall_fail", "initcall_stop_after", "initcall_blacklist", "initcall_shuffle"] {
                log.require_mention(&format!("Malformed early option '{option}'"))?;
            }
            Ok(())
        }),
        trial(
            "policies::each_initcall_that_fails_does_what_is_declared_and_nothing_else",
            each_in_turn,
        ),
    ]
}

fn monitor() -> Result<()> {
    let mut session = Session::boot(&extended()?.vmlinux(), &report::Machine::default())?;
    let rows = session.obey("initcalls")?;
    for (name, parts) in [
        ("policies_bus", &["subsys", " ok ", " 0 "][..]),
        ("policies_broken", &["failed", "EIO"]),
        (
            "policies_needs_broken",
            &["skipped", ": requires policy_broken, whose provider policies_broken failed: EIO"],
        ),
    ] {
        let row = rows
            .lines()
            .find(|row| row.split_whitespace().nth(5) == Some(name))
            .unwrap_or_default();
        ensure!(
            parts.iter().all(|part| row.contains(part)),
            "expected {parts:?} for {name} in:\n{rows}"
        );
    }
    let one = session.obey("initcalls policies::policies_after_it")?;
    for line in [
        "path      policies::policies_after_it",
        "state     skipped: comes after policies_takes_along, which failed: ENXIO",
        "on_error  skip_dependents",
        "after     policies::policies_takes_along",
    ] {
        ensure!(one.lines().any(|other| other == line), "no `{line}` in:\n{one}");
    }
    ensure!(
        one.contains("\nsource    tests/fixtures/policies/src/lib.rs:"),
        "no place in:\n{one}"
    );
    let capabilities = session.obey("capabilities")?;
    let either: Vec<_> = capabilities
        .lines()
        .skip_while(|line| !line.starts_with("policy_either "))
        .take(3)
        .collect();
    ensure!(
        either.len() == 3
            && either[0].contains("provided")
            && either[1].starts_with("  policies_broken")
            && either[2].starts_with("  policies_bus"),
        "{capabilities}"
    );
    let missing = capabilities
        .lines()
        .find(|line| line.starts_with("policy_broken "))
        .unwrap_or_default();
    ensure!(missing.contains("missing"), "{capabilities}");
    Ok(())
}

fn boots(words: &str) -> Result<Log> {
    let log = Machine::new(&extended()?.vmlinux()).append(words).run()?;
    log.require_mention(END)?;
    Ok(log)
}

fn all_run(log: &Log, names: &[&str]) -> Result<()> {
    names.iter().try_for_each(|name| log.require(&[&format!("policies: {name} runs")]))
}

fn none_runs(log: &Log, names: &[&str]) -> Result<()> {
    names.iter().try_for_each(|name| log.refuse(&format!("policies: {name} runs")))
}

/// Lets each initcall of the image fail in a boot of its own, and holds what was skipped then against what the declarations say.
fn each_in_turn() -> Result<()> {
    let vmlinux = extended()?.vmlinux();
    let graph = Graph::of_image(&Image::read(&vmlinux)?)?;
    let skipped: BTreeSet<_> = absent(&graph, None).difference(&failing(&graph)).copied().collect();
    let initcalls = graph.entries.iter().enumerate().filter(|(_, node)| node.part.name != "stage");
    // What is skipped anyway has no turn in which it could fail.
    for (index, node) in initcalls.filter(|(index, _)| !skipped.contains(index)) {
        let path = &node.record.path;
        // Without its console, the log comes out through the early one.
        let words = format!("initcall_fail={path}:ENOLINK initcall_debug ignore_loglevel earlyprintk=serial,keep");
        let log = Machine::new(&vmlinux).append(&words).run()?;
        log.require_mention(&format!("initcall {} is made to fail: ENOLINK", node.record.name))?;
        let ended = log.mentions(END);
        if policy(node) == "panic" {
            ensure!(
                !ended && log.mentions("the boot cannot go on without it"),
                "{path} is vital, but the boot went on"
            );
            continue;
        }
        ensure!(ended, "{path} failed, and the boot did not come to its end:\n{}", log.tail());
        ensure!(
            !log.mentions("WARNING: ") && !log.mentions("BUG: "),
            "{path} failed:\n{}",
            log.tail()
        );
        let mut expected = absent(&graph, Some(index));
        expected.retain(|entry| *entry == index || !failing(&graph).contains(entry));
        let expected = names(&graph, &expected);
        let called: BTreeSet<_> = log.calls().into_iter().collect();
        let wrong: Vec<_> = expected.intersection(&called).collect();
        ensure!(wrong.is_empty(), "{path} failed, and these were called all the same: {wrong:?}");
        let all = names(
            &graph,
            &(0..graph.entries.len())
                .filter(|entry| graph.entries[*entry].part.name != "stage")
                .collect(),
        );
        let missing: Vec<_> = all.difference(&expected).filter(|name| !called.contains(*name)).collect();
        ensure!(
            missing.is_empty(),
            "{path} failed, and these were not called for no declared reason: {missing:?}"
        );
    }
    Ok(())
}

fn policy(node: &Node) -> &str {
    node.record.get("on_error").unwrap_or("warn")
}

fn names(graph: &Graph, entries: &BTreeSet<usize>) -> BTreeSet<String> {
    entries.iter().map(|entry| graph.entries[*entry].record.name.clone()).collect()
}

/// The initcalls of the image that fail by themselves: they are called.
fn failing(graph: &Graph) -> BTreeSet<usize> {
    const FAIL: [&str; 6] = [
        "policies_broken",
        "policies_device",
        "policies_ignored",
        "policies_takes_along",
        "misbehaving_error",
        "misbehaving_no_device",
    ];
    (0..graph.entries.len())
        .filter(|entry| FAIL.contains(&graph.entries[*entry].record.name.as_str()))
        .collect()
}

/// All that is not there when `culprit` fails, too: those that fail, and by the declarations those that are skipped.
fn absent(graph: &Graph, culprit: Option<usize>) -> BTreeSet<usize> {
    let mut absent: BTreeSet<_> = failing(graph);
    absent.extend(culprit);
    // Entries stand in the order in which they run: each one's reasons are known when its turn comes.
    for entry in 0..graph.entries.len() {
        let edges = || graph.edges.iter().filter(move |edge| edge.then == entry);
        let by_path = edges().any(|edge| {
            matches!(edge.kind, Kind::After | Kind::Before)
                && absent.contains(&edge.first)
                && policy(&graph.entries[edge.first]) == "skip_dependents"
        });
        let mut required: Vec<_> = edges()
            .filter(|edge| edge.kind == Kind::Requires)
            .filter_map(|edge| edge.capability)
            .collect();
        required.dedup();
        let by_capability = required.iter().any(|capability| {
            let mut providers = edges().filter(|edge| edge.capability == Some(*capability));
            providers.all(|edge| absent.contains(&edge.first) && policy(&graph.entries[edge.first]) != "ignore")
        });
        if by_path || by_capability {
            absent.insert(entry);
        }
    }
    absent
}

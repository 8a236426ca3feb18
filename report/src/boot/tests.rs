//! Answers of the monitor, taken apart: good ones, and what is none.

use super::entries::{self, State};
use super::testing::answer;
use super::*;

const MEM: &str = "memory 632 KiB, of which reserved 0 KiB\nmemory     0  [0x0000000000001000-0x000000000009efff]       632 KiB\n";
const LOG: &str = "[    0.000085] Kernel command line: console=ttyS0 kdb\n";
const PARAMS: &str = "#parameter\ttype\tperm\tfrom\tsource\tvalue\n";

fn answers(stages: &str, initcalls: &str) -> Vec<(&'static str, String)> {
    [
        ("version", "Incipit version 0.1.0 (rustc)\n"),
        ("stages -r", stages),
        ("initcalls -r", initcalls),
        ("params -r", PARAMS),
        ("mem", MEM),
        ("dmesg", LOG),
    ]
    .map(|(command, answer)| (command, answer.to_owned()))
    .into()
}

#[test]
fn a_boot_is_what_the_monitor_tells() {
    let boot = Boot::of_answers(&answers(
        &answer(&[("stage", "setup_arch", 7)]),
        &answer(&[("device", "pci_init", 9)]),
    ))
    .unwrap();
    let names: Vec<_> = boot.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["setup_arch", "pci_init"]);
    assert_eq!(
        (boot.version.as_str(), boot.command_line()),
        ("Incipit version 0.1.0 (rustc)", "console=ttyS0 kdb")
    );
    assert!(boot.counts_instructions());
}

#[test]
fn a_wrong_answer_is_named_by_its_command() {
    for (stages, initcalls, command) in [
        ("Unknown kdb command: 'stages'", "", "stages -r"),
        (answer(&[]).as_str(), "", ""),
        (answer(&[("stage", "a", 1)]).as_str(), "", "initcalls -r"),
        (answer(&[("stage", "a", 1)]).as_str(), "#level\nlate\n", "initcalls -r"),
    ] {
        let error = format!("{:#}", Boot::of_answers(&answers(stages, initcalls)).unwrap_err());
        assert!(error.contains(command), "{error}");
    }
}

#[test]
fn what_did_not_run_has_neither_time_nor_instructions() {
    let head = answer(&[]);
    let row =
        "device\tx\ttest::x\tsrc/lib.rs:1\tskipped\t-\t-\t-\t-\tskip_dependents\trequires pci, whose provider pci_init failed: ENODEV\n";
    let entries = entries::parse(&format!("{head}{row}")).unwrap();
    assert_eq!((entries[0].state, entries[0].start, entries[0].took), (State::Skipped, None, None));
    assert_eq!(
        entries[0].reason.as_deref(),
        Some("requires pci, whose provider pci_init failed: ENODEV")
    );
    assert_eq!(entries[0].on_error.as_deref(), Some("skip_dependents"));
}

#[test]
fn a_state_or_number_that_is_none_is_named_with_its_entry() {
    for (from, to, message) in [
        ("\tok\t", "\tfine\t", "`fine` must be one of pending, running, ok"),
        ("\t7\t7\t", "\t7\tmany\t", "instructions: `many` is no number"),
        ("\t0\t7", "\t-1\t7", "start_ns: `-1` is no number"),
    ] {
        let text = answer(&[("stage", "setup_arch", 7)]).replace(from, to);
        let error = format!("{:#}", entries::parse(&text).unwrap_err());
        assert!(error.contains("entry `setup_arch`") && error.contains(message), "{error}");
    }
}

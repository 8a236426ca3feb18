//! What the command line has to say about crash points, and about what becomes of an oops, a warning and a panic.

use anyhow::{Result, bail, ensure};
use incipit_tests::machine::Machine;

use crate::cases::CASES;
use crate::expect::Trigger;
use crate::report::Report;
use crate::{END_OF_BOOT, PROMPT, crash, crash_after_the_boot};

/// A test that boots the machine.
pub type Test = (&'static str, fn(Machine) -> Result<()>);

/// All of them.
pub const TESTS: &[Test] = &[
    ("every_crash_point_has_a_case", every_crash_point_has_a_case),
    ("without_parameters_nothing_crashes", without_parameters_nothing_crashes),
    ("a_wrong_name_is_named_and_the_boot_goes_on", a_wrong_name_is_named),
    ("one_parameter_alone_is_too_few", one_parameter_alone_is_too_few),
    ("what_needs_the_boot_to_be_done_says_so_before", what_needs_the_boot_to_be_done),
    ("without_protection_the_direct_map_can_write_to_constants", without_protection),
    ("the_monitor_lists_crash_points_and_triggers_them", the_monitor_triggers),
    ("an_oops_is_a_panic_if_asked_for", an_oops_is_a_panic),
    ("a_warning_is_a_panic_if_asked_for", a_warning_is_a_panic),
    ("panic_seconds_are_counted_down", panic_seconds_are_counted),
    ("without_a_timeout_a_panic_stops_for_ever", a_panic_stops),
    ("a_quiet_boot_still_reports_an_oops", a_quiet_boot_reports),
];

fn every_crash_point_has_a_case(machine: Machine) -> Result<()> {
    let log = crash(&machine, "NO_SUCH_TYPE")?;
    let lists = log.lines().filter_map(|line| line.strip_prefix("lkdtm: The crash types are "));
    let names: Vec<_> = lists.flat_map(|list| list.split(' ')).collect();
    let expected: Vec<_> = CASES.iter().map(|case| case.name).collect();
    ensure!(names == expected, "the kernel has {names:?}, the cases are {expected:?}");
    Ok(())
}

fn without_parameters_nothing_crashes(machine: Machine) -> Result<()> {
    let log = machine.run()?;
    log.refuse("lkdtm")?;
    log.require_mention(END_OF_BOOT)
}

fn a_wrong_name_is_named(machine: Machine) -> Result<()> {
    for (words, line) in [
        (
            "lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type=panic",
            "lkdtm: Unknown crashtype 'panic'",
        ),
        ("lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type=", "lkdtm: Unknown crashtype ''"),
        (
            "lkdtm.cpoint_name=INT_HARDWARE_ENTRY lkdtm.cpoint_type=PANIC",
            "lkdtm: Invalid crashpoint INT_HARDWARE_ENTRY: only DIRECT exists",
        ),
    ] {
        let log = machine.clone().append(words).run()?;
        log.require(&[line, "initcall lkdtm_module_init failed: EINVAL"])?;
        log.require_mention(END_OF_BOOT)?;
    }
    Ok(())
}

fn one_parameter_alone_is_too_few(machine: Machine) -> Result<()> {
    for words in ["lkdtm.cpoint_name=DIRECT", "lkdtm.cpoint_type=PANIC"] {
        let log = machine.clone().append(words).run()?;
        log.require(&["lkdtm: Need both cpoint_type and cpoint_name or neither"])?;
        log.require_mention(END_OF_BOOT)?;
    }
    Ok(())
}

fn what_needs_the_boot_to_be_done(machine: Machine) -> Result<()> {
    for case in CASES.iter().filter(|case| case.trigger == Trigger::Monitor) {
        let log = crash(&machine, case.name)?;
        let why = "the boot is not done: the monitor's lkdtm triggers this when it is";
        log.require(&[&format!("lkdtm: FAIL: {}: {why}", case.name)])?;
        log.require_mention(END_OF_BOOT)?;
    }
    Ok(())
}

fn without_protection(machine: Machine) -> Result<()> {
    let log = crash_after_the_boot(&machine.append("rodata=off"), "WRITE_RO_ALIAS")?;
    log.require(&["lkdtm: FAIL: WRITE_RO_ALIAS: survived, and should not have"])?;
    log.require_mention(END_OF_BOOT)
}

fn the_monitor_triggers(machine: Machine) -> Result<()> {
    let mut guest = machine.append("kdb").start()?;
    guest.wait_for(PROMPT)?;
    let mut obey = |line: &str| {
        guest.send(format!("{line}\r").as_bytes())?;
        guest.wait_for(PROMPT)
    };
    let list = obey("lkdtm")?;
    for case in CASES {
        let is_its = |line: &str| line.split_whitespace().next() == Some(case.name);
        ensure!(list.lines().any(is_its), "no {} in:\n{list}", case.name);
    }
    for (line, answer) in [
        ("lkdtm panic", "Unknown crashtype 'panic'"),
        ("lkdtm PANIC now", "diag: Improper argument count, see usage."),
        ("lkdtm WARNING", "lkdtm: WARNING is over, and the boot goes on"),
    ] {
        let text = obey(line)?;
        ensure!(text.contains(answer), "{line}: {text}");
    }
    Ok(())
}

fn an_oops_is_a_panic(machine: Machine) -> Result<()> {
    for words in ["oops=panic", "panic_on_oops", "panic_on_oops=1"] {
        let log = crash(&machine.clone().append(words), "INVALID_OPCODE")?;
        log.require(&["invalid opcode: 0000 [#1]", "Kernel panic - not syncing: Fatal exception"])?;
        log.refuse("Attempted to kill init")?;
    }
    for words in ["oops=other", "panic_on_oops=0"] {
        let log = crash(&machine.clone().append(words), "INVALID_OPCODE")?;
        log.require_mention("Kernel panic - not syncing: Attempted to kill init!")?;
    }
    Ok(())
}

fn a_warning_is_a_panic(machine: Machine) -> Result<()> {
    let end = "Kernel panic - not syncing: kernel: panic_on_warn set ...";
    for name in ["WARNING", "DEBUG_STEP"] {
        let log = crash(&machine.clone().append("panic_on_warn"), name)?;
        log.require(&["------------[ cut here ]------------", end])?;
        log.refuse(END_OF_BOOT)?;
    }
    crash(&machine.append("panic_on_warn=0"), "WARNING")?.require_mention(END_OF_BOOT)
}

fn panic_seconds_are_counted(machine: Machine) -> Result<()> {
    let words = "panic=5 lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type=PANIC";
    let mut guest = machine.append(words).start()?;
    let log = guest.wait_for("Rebooting in 5 seconds..")?;
    if log.contains("Kernel panic - not syncing: dumptest") {
        return Ok(());
    }
    bail!("no panic in\n{log}");
}

fn a_panic_stops(machine: Machine) -> Result<()> {
    let words = "panic=0 lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type=PANIC";
    let mut guest = machine.append(words).start()?;
    guest.wait_for("---[ end Kernel panic - not syncing: dumptest ]---").map(drop)
}

fn a_quiet_boot_reports(machine: Machine) -> Result<()> {
    let log = crash(&machine.append("quiet"), "DIVIDE_ERROR")?;
    log.refuse("lkdtm: Performing")?;
    let report = Report::parse(&log)?;
    ensure!(report.title == "divide error", "the title is {}", report.title);
    Ok(())
}

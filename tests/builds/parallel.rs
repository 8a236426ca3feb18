//! Initcalls that several CPUs share, in an image whose initcalls meet each other, get in each other's way and fail: what is seen of them is as on one CPU.

use anyhow::{Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::make::BuiltOnce;
use incipit_tests::session::Session;
use incipit_tests::side_by_side::{PARALLEL, look, of_initcalls, require_same};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// So often one initcall looks for the other: it ends when the other is there, however slow the computer.
const PATIENCE: &str = "together.patience=18446744073709551615";

/// The boot's last line.
const END: &str = "Kernel panic - not syncing: No working init found.";

/// The image, which is built once.
fn image() -> Result<&'static Build> {
    static IMAGE: BuiltOnce = BuiltOnce::new();
    IMAGE.make("together", &["SUBSYS=tests/fixtures/together".to_owned()])
}

fn machine(cpus: u32, words: &str) -> Result<Machine> {
    Ok(Machine::new(&image()?.vmlinux()).processors(cpus).append(words))
}

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("parallel::a_panic_comes_in_its_turn_and_names_its_initcall", panic),
        trial("parallel::what_would_wait_for_ever_goes_on_and_is_named", backwards),
        trial("parallel::what_the_command_line_asks_of_single_initcalls_is_done", || {
            let words = "initcall_blacklist=together_meets_one,together_right initcall_fail=together_left:ENOLINK,together_b_quick";
            let log = |cpus: u32, more: &str| end_of(&machine(cpus, &format!("{words} {more}"))?.run()?);
            let serial = log(4, "")?;
            ensure!(
                serial.iter().any(|line| line == "initcall together_left is made to fail: ENOLINK"),
                "{serial:#?}"
            );
            require_same(&serial, &log(4, PARALLEL)?)
        }),
    ];
    for cpus in [2, 4] {
        trials.push(trial(
            format!("parallel::initcalls_meet_on_{cpus}_cpus_and_leave_what_one_leaves"),
            move || meet(cpus),
        ));
    }
    trials
}

/// The initcalls' lines of a boot that has come to its end.
fn end_of(log: &Log) -> Result<Vec<String>> {
    log.require_mention(END)?;
    of_initcalls(log, "Freeing unused kernel image")
}

/// Two pairs of initcalls wait for each other, and one of them for somebody who has to wait for its turn: on one CPU none would find the other.
fn meet(cpus: u32) -> Result<()> {
    let (mut session, serial) = look(&machine(1, "kdb")?)?;
    // Who comes second finds the first.
    counts(&mut session, ["together.ahead=0", "together.met=2", "together.moved=0"])?;
    let (mut session, parallel) = look(&machine(cpus, &format!("kdb {PARALLEL} {PATIENCE}"))?)?;
    counts(&mut session, ["together.ahead=1", "together.met=4", "together.moved=1"])?;
    require_same(&serial.log, &parallel.log)?;
    let of_initcalls = |lists: &[String]| {
        // One CPU has other interrupts and other memory.
        let lines = lists
            .iter()
            .filter(|line| line.starts_with("initcalls") || line.starts_with("ioports") || line.contains("together"));
        lines.cloned().collect::<Vec<_>>()
    };
    require_same(&of_initcalls(&serial.lists), &of_initcalls(&parallel.lists))?;
    let (_, serial) = look(&machine(cpus, "kdb")?)?;
    require_same(&serial.lists, &parallel.lists)
}

fn counts(session: &mut Session, expected: [&str; 3]) -> Result<()> {
    let params = session.obey("params")?;
    for setting in expected {
        ensure!(
            params.lines().any(|line| line.split_whitespace().next() == Some(setting)),
            "no {setting} in:\n{params}"
        );
    }
    Ok(())
}

fn panic() -> Result<()> {
    let reason = "Kernel panic - not syncing: together: a panic was asked for";
    let lines = |words: &str| -> Result<_> {
        let log = machine(4, &format!("together.panic=1 {words}"))?.run()?;
        ensure!(
            log.lines().any(|line| line.starts_with("During: initcall together_panics (")),
            "{}",
            log.tail()
        );
        ensure!(!log.mentions(END), "{}", log.tail());
        of_initcalls(&log, reason)
    };
    require_same(&lines("")?, &lines(PARALLEL)?)
}

/// The first of two waits for the second, which waits for its turn: no declared relation says so.
fn backwards() -> Result<()> {
    let log = machine(2, &format!("{PARALLEL} {PATIENCE} together.backwards=1"))?.run()?;
    log.require_mention(END)?;
    log.require(&[
        "initcall_parallel: together_b_quick has waited 10 s for its turn, while together_a_slow runs, and goes on without it",
        "together: together-quick registers",
        "together: together-slow registers",
        "initcall_parallel: out of turn, because they could not wait: 1",
    ])
}

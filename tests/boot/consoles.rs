//! The log on the serial line: every line once, whichever consoles take turns showing it.

use anyhow::{Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;

/// What the command line says of consoles, beside `console=ttyS0`.
const ALONE: &[(&str, &str)] = &[
    ("no_early_console", ""),
    ("earlyprintk", "earlyprintk=serial,ttyS0,115200"),
    ("earlycon_by_ports", "earlycon=uart8250,io,0x3f8,115200n8"),
    ("earlycon_by_name", "earlycon=uart,io,0x3f8"),
    ("a_console_with_options", "console=ttyS0,115200n8"),
];

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = ALONE
        .iter()
        .map(|&(name, words)| {
            trial(format!("consoles::every_line_is_shown_once_with_{name}"), move || {
                every_line_once(&boots(words)?)
            })
        })
        .collect();
    trials.extend([
        trial("consoles::an_early_console_shows_what_happens_before_the_others_are_there", || {
            let mut guest = machine("earlyprintk=serial").start()?;
            let before = guest.wait_for("printk: console [ttyS0] enabled")?;
            ensure!(before.contains("Incipit version"), "the first line is not there yet: {before}");
            Ok(())
        }),
        trial("consoles::an_early_console_gives_way_to_the_one_that_was_asked_for", || {
            boots("earlyprintk=serial")?.require(&["printk: console [ttyS0] enabled", "printk: bootconsole [earlyser0] disabled"])
        }),
        trial("consoles::an_early_console_stays_if_the_command_line_says_so", || {
            boots("earlyprintk=serial,keep")?.refuse("printk: bootconsole [earlyser0] disabled")
        }),
        trial("consoles::the_debug_port_takes_the_log_beside_the_serial_line", || {
            let (port, log) = debug_port("console=ttyE9")?;
            log.require(&["printk: console [ttyE9] enabled"])?;
            every_line_once(&port)?;
            every_line_once(&log)
        }),
        trial("consoles::the_debug_port_is_an_early_console_that_ttye9_goes_on_from", || {
            let (port, log) = debug_port("earlycon=debugcon console=ttyE9")?;
            log.require(&[
                "printk: bootconsole [debugcon0] enabled",
                "printk: bootconsole [debugcon0] disabled",
            ])?;
            every_line_once(&port)
        }),
        trial("consoles::a_debug_port_that_nobody_listens_at_is_said_to_be", || {
            let log = boots("console=ttyE9 console=ttyS0 earlycon=debugcon")?;
            log.require_mention("earlycon: debugcon cannot be used: ENODEV")?;
            log.require_mention("debugcon: nobody listens at port 0xe9")?;
            log.refuse("console [ttyE9] enabled")
        }),
        trial("consoles::an_earlycon_that_nobody_has_is_no_obstacle", || {
            boots("earlycon=nosuch,io,0x3f8").map(drop)
        }),
        trial("consoles::an_earlycon_at_a_malformed_address_is_named", || {
            boots("earlycon=uart8250,io,nonsense")?.require_mention("bad address 'nonsense'")
        }),
        trial("consoles::a_console_that_nobody_has_is_no_obstacle", || {
            every_line_once(&boots("console=nosuch0 console=ttyS0")?)
        }),
        trial("consoles::the_log_keeps_its_first_line_when_it_moves", || {
            let mut guest = machine("log_buf_len=1M kdb").start()?;
            guest.wait_for("kdb> ")?;
            guest.send(b"dmesg\r")?;
            let text = guest.wait_for("kdb> ")?;
            ensure!(
                text.contains("Incipit version") && text.contains("log_buf_len: 1048576 bytes"),
                "{text}"
            );
            Ok(())
        }),
        trial("consoles::a_log_of_a_senseless_size_is_no_obstacle", || {
            for words in [
                "log_buf_len=0",
                "log_buf_len=nonsense",
                "log_buf_len=1",
                "log_buf_len=64G",
                "log_buf_len=18446744073709551615",
            ] {
                boots(words)?;
            }
            Ok(())
        }),
    ]);
    trials
}

fn machine(words: &str) -> Machine {
    Machine::new(&Build::ours().vmlinux()).append(words)
}

fn boots(words: &str) -> Result<Log> {
    let log = machine(words).run()?;
    require_end(&log)?;
    Ok(log)
}

/// What the debug port and the serial line got of a boot.
fn debug_port(words: &str) -> Result<(Log, Log)> {
    let folder = Folder::new()?;
    let file = folder.path().join("port");
    let log = machine(words).option("-debugcon", &format!("file:{}", file.display())).run()?;
    require_end(&log)?;
    Ok((Log::new(&std::fs::read(&file)?), log))
}

/// Fails unless lines from before and behind the change of consoles are there once.
fn every_line_once(log: &Log) -> Result<()> {
    for part in [
        "Incipit version",
        "Kernel command line: ",
        "printk: console [ttyS0] enabled",
        "Run /init as init process",
    ] {
        let count = log.lines().filter(|line| line.contains(part)).count();
        ensure!(count == 1, "`{part}` is shown {count} times; the log ends:\n{}", log.tail());
    }
    Ok(())
}

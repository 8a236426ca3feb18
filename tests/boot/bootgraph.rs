//! What Linux's `scripts/bootgraph.pl` and its like make of our log.
//!
//! They draw a bar for each initcall from two lines: after `] `, with two blanks, `calling  NAME+`, and `initcall NAME+… returned …`. The number between the
//! last blank and `]` is the time in seconds. A name is made of letters, digits, `_` and `.`; one with another character, such as the `$` that a symbol may
//! have, would be no name. `@ PID` at the end of the first line says who calls. The line `Write protecting the …` ends the picture.

use anyhow::{Context, Result, bail, ensure};
use incipit_tests::built::Build;
use incipit_tests::golden::INITCALLS;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("bootgraph::every_initcall_is_called_and_returns_in_lines_of_its_form", whole_boot),
        trial("bootgraph::an_initcall_that_fails_has_both_lines_too", failure),
        trial("bootgraph::an_initcall_that_does_not_run_has_neither", left_out),
    ]
}

/// An initcall, as the two lines tell of it; times in microseconds.
#[derive(Debug)]
struct Bar {
    name: String,
    called: u64,
    returned: u64,
    result: i64,
    took: u64,
}

fn boot(words: &str) -> Result<Log> {
    Machine::new(&Build::ours().vmlinux())
        .append(&format!("initcall_debug ignore_loglevel {words}"))
        .run()
}

fn whole_boot() -> Result<()> {
    let log = boot("")?;
    let bars = bars(&log)?;
    let names: Vec<_> = bars.iter().map(|bar| bar.name.clone()).collect();
    ensure!(names == INITCALLS.names()?, "the bars are {names:?}");
    ensure!(bars.iter().all(|bar| bar.result == 0), "{bars:?}");
    let last = bars.last().context("no initcall")?;
    let mut end = log.timed().filter(|(_, line)| line.starts_with("Write protecting the "));
    ensure!(
        end.next().is_some_and(|(time, _)| time >= last.returned),
        "the picture does not end behind the last initcall; the log ends:\n{}",
        log.tail()
    );
    Ok(())
}

fn failure() -> Result<()> {
    // One of the two parameters without the other is `EINVAL`.
    let bars = bars(&boot("lkdtm.cpoint_name=DIRECT")?)?;
    let failed: Vec<_> = bars.iter().filter(|bar| bar.result != 0).collect();
    ensure!(
        matches!(failed[..], [Bar { name, result: -22, .. }] if name == "lkdtm_module_init"),
        "what failed is {failed:?}"
    );
    Ok(())
}

fn left_out() -> Result<()> {
    let bars = bars(&boot("initcall_blacklist=serial8250_init initcall_fail=lkdtm_module_init")?)?;
    let mut expected = INITCALLS.names()?;
    expected.retain(|name| name != "serial8250_init" && name != "lkdtm_module_init");
    let names: Vec<_> = bars.into_iter().map(|bar| bar.name).collect();
    ensure!(names == expected, "the bars are {names:?}");
    Ok(())
}

/// The bars in `log`, by the rules; a line that is about an initcall and breaks them is an error.
fn bars(log: &Log) -> Result<Vec<Bar>> {
    let mut bars: Vec<Bar> = Vec::new();
    let mut running: Option<(u64, &str)> = None;
    let mut last = 0;
    for (time, line) in log.timed() {
        ensure!(time >= last, "`{line}` is told at {time}, after what happened at {last}");
        last = time;
        if line.starts_with("calling") {
            let symbol = line
                .strip_prefix("calling  ")
                .and_then(|rest| rest.strip_suffix(" @ 1"))
                .with_context(|| format!("`{line}` is not `calling  SYMBOL @ 1`"))?;
            ensure!(running.is_none(), "`{line}`, while {running:?} has not returned");
            running = Some((time, check(symbol)?));
        } else if line.starts_with("initcall ") && line.contains(" returned ") {
            let (symbol, result, took) =
                returned(line).with_context(|| format!("`{line}` is not `initcall SYMBOL returned N after N usecs`"))?;
            let Some((called, name)) = running.take().filter(|(_, name)| check(symbol).is_ok_and(|other| other == *name)) else {
                bail!("`{line}`, which was not called")
            };
            // Both times are cut off to microseconds, and so is what it took.
            ensure!(took <= time - called + 1, "`{line}`, called at {called}, told at {time}");
            bars.push(Bar {
                name: name.to_owned(),
                called,
                returned: time,
                result,
                took,
            });
        }
    }
    ensure!(running.is_none(), "{running:?} does not return");
    let untimed = log.lines().filter(|line| line.starts_with("calling  ")).count();
    ensure!(untimed == bars.len(), "{untimed} calls, {} of which have a time", bars.len());
    ensure!(
        bars.iter().any(|bar| bar.took > 0 && bar.returned > bar.called),
        "nothing took any time"
    );
    Ok(bars)
}

fn returned(line: &str) -> Option<(&str, i64, u64)> {
    let (symbol, rest) = line.strip_prefix("initcall ")?.split_once(" returned ")?;
    let (result, took) = rest.strip_suffix(" usecs")?.split_once(" after ")?;
    Some((symbol, result.parse().ok()?, took.parse().ok()?))
}

/// The name in `NAME+0x0/0xSIZE`.
fn check(symbol: &str) -> Result<&str> {
    let (name, place) = symbol.split_once('+').with_context(|| format!("`{symbol}` has no `+`"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    ensure!(!name.is_empty() && name.chars().all(plain), "`{name}` is no name to a script");
    let size = place
        .strip_prefix("0x0/0x")
        .with_context(|| format!("`{symbol}` is not at the beginning of a function"))?;
    ensure!(u64::from_str_radix(size, 16).is_ok_and(|size| size > 0), "`{symbol}` has no size");
    Ok(name)
}

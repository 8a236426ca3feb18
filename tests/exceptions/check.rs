//! Holds what a crash point wrote against what is expected of it, and against the image.

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use incipit_tests::log::Log;

use crate::END_OF_BOOT;
use crate::expect::{self, Address, Case, Expect, Rip, Trigger};
use crate::image::{self, Image};
use crate::report::{self, PROLOGUE, Report};

const PAGE_SIZE: u64 = 4 << 10;
/// The stacks that have guard pages, with the addresses among which they lie, and their size: Linux's.
const STACKS: [(&str, Range<u64>, u64); 3] = [
    ("TASK", 0xffff_c900_0000_0000..0xffff_e900_0000_0000, 16 << 10),
    ("IRQ", 0xffff_c900_0000_0000..0xffff_e900_0000_0000, 16 << 10),
    ("NMI", 0xffff_fe00_0000_0000..0xffff_fe80_0000_0000, 8 << 10),
];

/// Holds a boot's log against what is expected of it.
pub fn check(case: &Case, log: &Log, image: &Image) -> Result<()> {
    log.require_mention(&format!("lkdtm: Performing direct entry {}: ", case.name))?;
    log.refuse("lkdtm: FAIL")?;
    match &case.expect {
        Expect::Oops(expected) => check_oops(expected, case.trigger, log, image).with_context(|| log.from("lkdtm: Performing")),
        Expect::Panic(reason) => check_panic(&[], reason, log, image),
        Expect::PanicBehind(parts, reason) => check_panic(parts, reason, log, image),
        Expect::GoesOn(parts) => {
            in_order(log, parts, image)?;
            log.require_mention(&format!("lkdtm: {} is over, and the boot goes on", case.name))?;
            log.require_mention(END_OF_BOOT)
        }
    }
}

/// Requires a panic, and `parts` before it.
fn check_panic(parts: &[&str], reason: &str, log: &Log, image: &Image) -> Result<()> {
    let panic = format!("Kernel panic - not syncing: {reason}");
    let all: Vec<&str> = parts.iter().copied().chain([panic.as_str()]).collect();
    in_order(log, &all, image)?;
    log.refuse(" is over, and the boot goes on")
}

/// Requires that `parts` stand in the log in this order, several in a line perhaps, and that those which name a function name one of the image.
fn in_order(log: &Log, parts: &[&str], image: &Image) -> Result<()> {
    let text = log.from("lkdtm: Performing");
    let mut rest = text.as_str();
    for part in parts {
        let at = rest
            .find(part)
            .with_context(|| format!("`{part}` is missing, or not behind the others; the log:\n{text}"))?;
        if part.ends_with('+') {
            let name = part.rfind(' ').map_or(0, |blank| blank + 1);
            let place = rest[at + name..].split_whitespace().next().unwrap_or_default();
            image.resolve(place)?;
        }
        rest = &rest[at + part.len()..];
    }
    Ok(())
}

fn check_oops(expected: &expect::Report, trigger: Trigger, log: &Log, image: &Image) -> Result<()> {
    in_order(log, expected.before, image)?;
    let report = Report::parse(log)?;
    ensure!(
        report.title == expected.title,
        "the title is `{}`, not `{}`",
        report.title,
        expected.title
    );
    ensure!(
        expected.error_codes.contains(&report.error_code),
        "the error code is {:#x}",
        report.error_code
    );
    let during = report.during.as_deref();
    match trigger {
        Trigger::Initcall => ensure!(
            during.is_some_and(|name| name.starts_with("initcall lkdtm_module_init (")),
            "{during:?} ran"
        ),
        Trigger::Monitor => ensure!(during.is_none(), "{during:?} ran when the boot was done"),
    }
    let function = format!("incipit_lkdtm::{}", expected.function);
    check_rip(&expected.rip, &function, &report, image)?;
    check_code(&report, trigger, image)?;
    check_trace(&expected.rip, &function, trigger, &report, image)?;
    if let Some(address) = expected.cr2 {
        check_cr2(address, &report, log, image)?;
    }
    if report.title == "stack guard page" {
        check_guard_page(log)?;
    }
    let end = format!("Kernel panic - not syncing: {}", expected.ending.reason());
    log.require(&["---[ end trace 0000000000000000 ]---", &end])
}

/// The address that RIP names.
fn rip(report: &Report, image: &Image) -> Result<u64> {
    match report.rip.strip_prefix("0x") {
        Some(digits) => Ok(u64::from_str_radix(digits, 16)?),
        None => image.resolve(&report.rip),
    }
}

fn check_rip(expected: &Rip, function: &str, report: &Report, image: &Image) -> Result<()> {
    let address = rip(report, image)?;
    let is_in = |name: &str| image::split(&report.rip).is_some_and(|(symbol, ..)| symbol == name);
    let (at, after): (&[&str], &[&str]) = match expected {
        Rip::At(names) => (names, &[]),
        Rip::After(names) => (&[], names),
        Rip::AtOrAfter(at, after) => (at, after),
        Rip::Data(symbol) => {
            let offset = image::split(&report.rip).map_or(0, |(_, offset, _)| offset);
            ensure!(
                is_in(symbol) && address == image.address(symbol)? + offset,
                "RIP is {}, not in {symbol}",
                report.rip
            );
            return Ok(());
        }
        Rip::Heap => {
            ensure!(report.rip.starts_with("0x"), "RIP is {}, a place of the image", report.rip);
            return Ok(());
        }
        Rip::Number(number) => {
            ensure!(address == *number, "RIP is {address:#x}, not {number:#x}");
            return Ok(());
        }
    };
    ensure!(is_in(function), "RIP is {}, not in {function}", report.rip);
    let (_, offset, size) = image::split(&report.rip).context("RIP is no place")?;
    let instructions = image.instructions(address - offset, address - offset + size)?;
    let index = instructions.iter().position(|instruction| instruction.address == address);
    let index = index.with_context(|| format!("no instruction begins at {}", report.rip))?;
    let before = index.checked_sub(1).map_or("", |before| &instructions[before].mnemonic);
    let here = &*instructions[index].mnemonic;
    ensure!(
        at.contains(&here) || after.contains(&before),
        "RIP is at `{here}`, behind `{before}`"
    );
    Ok(())
}

/// The code bytes must be the file's; of what is in no file, nothing is known. Init memory cannot be read when the boot is done.
fn check_code(report: &Report, trigger: Trigger, image: &Image) -> Result<()> {
    let rip = rip(report, image)?;
    let start = rip.wrapping_sub(PROLOGUE as u64);
    let is_gone = trigger == Trigger::Monitor && image.init()?.contains(&rip);
    match &report.code {
        Err(address) => ensure!(
            *address == start && (is_gone || image.bytes(start, 1).is_none()),
            "the code at {start:#x} can be read"
        ),
        Ok(_) if is_gone => bail!("the code at {start:#x} should be gone"),
        Ok(bytes) => {
            if let Some(expected) = image.bytes(start, bytes.len()) {
                ensure!(bytes == expected, "the code is {bytes:02x?}, the file has {expected:02x?}");
            }
        }
    }
    Ok(())
}

/// Every place must be one of the image; what triggers it must be on the way, and the function itself if RIP has left it.
fn check_trace(expected: &Rip, function: &str, trigger: Trigger, report: &Report, image: &Image) -> Result<()> {
    let init = image.init()?;
    for entry in &report.trace {
        let address = image.resolve(&entry.place)?;
        ensure!(
            trigger == Trigger::Initcall || !init.contains(&address),
            "{} is in the backtrace, and gone",
            entry.place
        );
    }
    let shows = |name: &str, reliable: bool| {
        let same = |entry: &&report::Entry| image::split(&entry.place).is_some_and(|(symbol, ..)| symbol == name);
        report.trace.iter().filter(same).any(|entry| entry.reliable || !reliable)
    };
    let caller = format!("incipit_lkdtm::{}", trigger.function());
    ensure!(shows(&caller, true), "{caller} is not in the backtrace");
    if matches!(expected, Rip::Data(_) | Rip::Heap | Rip::Number(_)) {
        ensure!(shows(function, false), "{function} is not in the backtrace");
    }
    Ok(())
}

/// The address that was hit must lie on the page below the stack that is named, and the stack where those of its kind do.
fn check_guard_page(log: &Log) -> Result<()> {
    let line = log.lines().find_map(|line| {
        let (name, numbers) = line.strip_prefix("BUG: ")?.split_once(" stack guard page was hit at ")?;
        let (_, space, size) = STACKS.iter().find(|(stack, ..)| *stack == name)?;
        Some((numbers, space, *size))
    });
    let (line, space, size) = line.context("no line about the guard page of a stack")?;
    let numbers = Some(line).and_then(|line| {
        let (hit, stack) = line.strip_suffix(')')?.split_once(" (stack is ")?;
        let (begin, end) = stack.split_once("..")?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        Some((number(hit)?, number(begin)?, number(end)?))
    });
    let (hit, begin, end) = numbers.context("the line about the guard page is not of its form")?;
    ensure!(space.contains(&begin), "the stack begins at {begin:#x}");
    ensure!(end - begin == size, "the stack has {} bytes", end - begin);
    ensure!(
        (begin - PAGE_SIZE..begin).contains(&hit),
        "{hit:#x} is not on the page below {begin:#x}"
    );
    Ok(())
}

fn check_cr2(expected: Address, report: &Report, log: &Log, image: &Image) -> Result<()> {
    let expected = match expected {
        Address::Value(value) => value,
        Address::Symbol(name, distance) => image.address(name)?.wrapping_add_signed(distance),
        Address::Announced => {
            let announced = log.lines().filter(|line| line.starts_with("lkdtm: attempting bad "));
            let address = announced
                .filter_map(|line| line.rsplit_once(" at 0x"))
                .next()
                .context("no address is announced")?;
            u64::from_str_radix(address.1, 16)?
        }
    };
    // As in Linux, reading the code has changed the register if that was a fault, too.
    let cr2 = report.register("CR2")?;
    let init = image.init()?.start;
    let expected_register = match report.code {
        // The first byte that cannot be read.
        Err(start) if start < init && expected >= init => init,
        Err(start) => start,
        Ok(_) => expected,
    };
    ensure!(cr2 == expected_register, "CR2 is {cr2:#x}, not {expected_register:#x}");
    if report.title == "Oops" {
        log.require_mention(&format!("address: {expected:016x}"))?;
        ensure!(
            report.epilogue == [format!("CR2: {expected:016x}")],
            "{:?} behind the report",
            report.epilogue
        );
    }
    Ok(())
}

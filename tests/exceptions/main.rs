//! Every crash point of `lkdtm`, a boot each: the outcome must be Linux's, and the report must say what the image says.
//!
//! A report is checked against the image with tools that share no code with the kernel: every name in it must be a symbol of that size, the code bytes must
//! be the file's, and the marked one must begin an instruction of the right kind.

mod cases;
mod image;
mod report;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::{Machine, QEMU};
use incipit_tests::trial::{self, trial};

use cases::{Address, CASES, Case, Expect, Rip};
use image::{Image, OBJDUMP};
use report::{PROLOGUE, Report};

/// The initcall that triggers the crash points.
const INITCALL: &str = "incipit_lkdtm::trigger::lkdtm_module_init";

/// How a boot ends that nothing stops.
const END_OF_BOOT: &str = "Kernel panic - not syncing: No working init found.";

/// Bytes of the boot stack, and of a page.
const STACK_SIZE: u64 = 16 << 10;
const PAGE_SIZE: u64 = 4 << 10;

fn main() -> ExitCode {
    let vmlinux = Build::ours().vmlinux();
    let machine = Machine::new(&vmlinux);
    let image = match Image::read(&vmlinux) {
        Ok(image) => Arc::new(image),
        Err(error) => {
            eprintln!("the image cannot be read: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials = Vec::new();
    for case in CASES {
        let (machine, image) = (machine.clone(), Arc::clone(&image));
        trials.push(trial(format!("crash::{}", case.name), move || {
            check(case, &crash(&machine, case.name)?, &image)
        }));
    }
    for (name, test) in TESTS {
        let machine = machine.clone();
        trials.push(trial(*name, move || test(machine)));
    }
    trial::run(trials, &[QEMU, OBJDUMP])
}

/// Boots `machine` into the crash point `name`.
fn crash(machine: &Machine, name: &str) -> Result<Log> {
    let machine = machine
        .clone()
        .append(&format!("lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type={name}"));
    if name != "MACHINE_CHECK" {
        return machine.run();
    }
    let mut guest = machine.monitored().start()?;
    guest.wait_for("ms for a machine check")?;
    // Bank 0: valid, uncorrected, enabled, context corrupt; the check is in progress.
    guest.monitor()?.human("mce 0 0 0xb200000000000000 4 0 0")?;
    guest.wait_for_end()
}

/// Holds a boot's log against what is expected of it.
fn check(case: &Case, log: &Log, image: &Image) -> Result<()> {
    log.require_mention(&format!("lkdtm: Performing direct entry {}: ", case.name))?;
    log.refuse("lkdtm: FAIL")?;
    match &case.expect {
        Expect::Oops(expected) => check_oops(expected, log, image).with_context(|| log.from("lkdtm: Performing")),
        Expect::Panic(reason) => {
            log.require_mention(&format!("Kernel panic - not syncing: {reason}"))?;
            log.refuse(" is over, and the boot goes on")
        }
        Expect::GoesOn(parts) => {
            in_order(log, parts, image)?;
            log.require_mention(&format!("lkdtm: {} is over, and the boot goes on", case.name))?;
            log.require_mention(END_OF_BOOT)
        }
    }
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

fn check_oops(expected: &cases::Report, log: &Log, image: &Image) -> Result<()> {
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
    ensure!(report.during.starts_with("initcall lkdtm_module_init ("), "`{}` ran", report.during);
    let function = format!("incipit_lkdtm::{}", expected.function);
    check_rip(&expected.rip, &function, &report, image)?;
    check_code(&report, image)?;
    check_trace(&expected.rip, &function, &report, image)?;
    if let Some(address) = expected.cr2 {
        check_cr2(address, &report, log, image)?;
    }
    if report.title == "stack guard page" {
        check_guard_page(log, image)?;
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
            ensure!(
                is_in(symbol) && address == image.address(symbol)?,
                "RIP is {}, not {symbol}",
                report.rip
            );
            return Ok(());
        }
        Rip::Inside(symbol) => {
            ensure!(is_in(symbol), "RIP is {}, not in {symbol}", report.rip);
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

/// The code bytes must be the file's; of what is in no file, nothing is known.
fn check_code(report: &Report, image: &Image) -> Result<()> {
    let start = rip(report, image)?.wrapping_sub(PROLOGUE as u64);
    match &report.code {
        Err(address) => ensure!(
            *address == start && image.bytes(start, 1).is_none(),
            "the code at {start:#x} can be read"
        ),
        Ok(bytes) => {
            if let Some(expected) = image.bytes(start, bytes.len()) {
                ensure!(bytes == expected, "the code is {bytes:02x?}, the file has {expected:02x?}");
            }
        }
    }
    Ok(())
}

/// Every place must be one of the image; the initcall must be on the way, and the function itself if RIP has left it.
fn check_trace(expected: &Rip, function: &str, report: &Report, image: &Image) -> Result<()> {
    for entry in &report.trace {
        image.resolve(&entry.place)?;
    }
    let shows = |name: &str, reliable: bool| {
        let same = |entry: &&report::Entry| image::split(&entry.place).is_some_and(|(symbol, ..)| symbol == name);
        report.trace.iter().filter(same).any(|entry| entry.reliable || !reliable)
    };
    ensure!(shows(INITCALL, true), "{INITCALL} is not in the backtrace");
    if matches!(expected, Rip::Data(_) | Rip::Inside(_) | Rip::Heap | Rip::Number(_)) {
        ensure!(shows(function, false), "{function} is not in the backtrace");
    }
    Ok(())
}

/// The address that was hit must lie on the page below the boot stack, and the stack must be that one.
fn check_guard_page(log: &Log, image: &Image) -> Result<()> {
    let line = log
        .lines()
        .find_map(|line| line.strip_prefix("BUG: TASK stack guard page was hit at "));
    let numbers = line.and_then(|line| {
        let (hit, stack) = line.strip_suffix(')')?.split_once(" (stack is ")?;
        let (begin, end) = stack.split_once("..")?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        Some((number(hit)?, number(begin)?, number(end)?))
    });
    let (hit, begin, end) = numbers.context("the line about the guard page is not of its form")?;
    ensure!(begin == image.address("init_stack")?, "the stack begins at {begin:#x}");
    ensure!(end - begin == STACK_SIZE, "the stack has {} bytes", end - begin);
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
    let expected_register = report.code.as_ref().err().copied().unwrap_or(expected);
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

/// A test that boots the machine.
type Test = (&'static str, fn(Machine) -> Result<()>);

const TESTS: &[Test] = &[
    ("every_crash_point_has_a_case", every_crash_point_has_a_case),
    ("without_parameters_nothing_crashes", without_parameters_nothing_crashes),
    ("a_wrong_name_is_named_and_the_boot_goes_on", a_wrong_name_is_named),
    ("one_parameter_alone_is_too_few", one_parameter_alone_is_too_few),
    ("an_oops_is_a_panic_if_asked_for", an_oops_is_a_panic),
    ("a_warning_is_a_panic_if_asked_for", a_warning_is_a_panic),
    ("panic_seconds_are_counted_down", panic_seconds_are_counted),
    ("without_a_timeout_a_panic_stops_for_ever", a_panic_stops),
    ("a_quiet_boot_still_reports_an_oops", a_quiet_boot_reports),
];

fn every_crash_point_has_a_case(machine: Machine) -> Result<()> {
    let log = crash(&machine, "NO_SUCH_TYPE")?;
    let list = log.lines().find_map(|line| line.strip_prefix("lkdtm: The crash types are "));
    let names: Vec<_> = list.context("no list of crash types")?.split(' ').collect();
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

//! The image with every checker in it: what leaks is found, and nothing else is; what keeps interrupts off for longest is named.

use std::time::Duration;

use anyhow::{Result, ensure};
use incipit_tests::built::{Build, root};
use incipit_tests::machine::Machine;
use incipit_tests::make::BuiltOnce;
use incipit_tests::session::{PROMPT, Session};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// Every checker on.
const CHECKERS: &str = "slub_debug=FZPU page_owner=on page_poison=on debug_pagealloc=on init_on_alloc=1 init_on_free=1 debug_objects";
/// Blocks may be reported at once.
const LEAKS: &str = "kmemleak=on kmemleak.min_age=0";
/// How long all tests may take: ten million operations, each checked from all sides.
const LIMIT: Duration = Duration::from_secs(1800);

pub fn trials() -> Vec<Trial> {
    vec![
        trial("checked::a_boot_leaks_nothing", || nothing_leaks(&mut session(LEAKS)?)),
        trial("checked::a_boot_with_every_checker_leaks_nothing", || {
            nothing_leaks(&mut session(&format!("{LEAKS} {CHECKERS}"))?)
        }),
        trial("checked::a_leak_is_shown_with_who_made_it", planted_leak),
        trial("checked::the_longest_time_without_interrupts_is_told_with_its_ends", irqsoff),
        trial("checked::who_misuses_a_lock_is_named", misused_lock),
        trial("checked::all_tests_pass_with_every_checker_and_leak_nothing", all_tests),
    ]
}

/// The image, which is built once.
fn image() -> Result<&'static Build> {
    static IMAGE: BuiltOnce = BuiltOnce::new();
    let config = root().join("tests/fixtures/checked.config");
    IMAGE.make("variants/checked", &[format!("KCONFIG_CONFIG={}", config.display())])
}

fn machine(words: &str) -> Result<Machine> {
    Ok(Machine::new(&image()?.vmlinux()).memory("256M").append("kdb").append(words))
}

fn session(words: &str) -> Result<Session> {
    Session::on(&machine(words)?)
}

fn irqsoff() -> Result<()> {
    let mut session = session("ftrace=irqsoff")?;
    let text = session.obey("irqsoff")?;
    let mut lines = text.lines();
    let time = lines.next().and_then(|line| line.strip_prefix("CPU 0: ")?.strip_suffix(" us"));
    ensure!(time.is_some_and(|time| time.parse::<f64>().is_ok_and(|time| time > 0.0)), "{text}");
    for start in ["  => started at: ", "  => ended at:   "] {
        let place = lines.next().and_then(|line| line.strip_prefix(start));
        ensure!(
            place.is_some_and(|place| place.contains("incipit") && place.contains("+0x")),
            "{text}"
        );
    }
    for (line, answer) in [
        ("irqsoff off", ""),
        ("irqsoff reset", ""),
        ("irqsoff", "diag: not measured"),
        ("irqsoff on", ""),
    ] {
        let text = session.obey(line)?;
        ensure!(
            text.starts_with(answer) && (!answer.is_empty() || text.is_empty()),
            "{line}: {text}"
        );
    }
    ensure!(session.obey("irqsoff")?.starts_with("CPU 0: "), "nothing is measured anew");
    Ok(())
}

/// Scans until what only a leak leads to is found, too.
fn scan(session: &mut Session) -> Result<String> {
    for _ in 0..3 {
        session.obey("kmemleak scan")?;
    }
    session.obey("kmemleak")
}

fn nothing_leaks(session: &mut Session) -> Result<()> {
    let leaks = scan(session)?;
    ensure!(leaks.trim().is_empty(), "{leaks}");
    let scanned = session.obey("kmemleak scan")?;
    ensure!(scanned.starts_with("0 new suspected memory leaks, "), "{scanned}");
    Ok(())
}

fn planted_leak() -> Result<()> {
    let mut session = session(LEAKS)?;
    session.obey("lkdtm SLAB_LEAK")?;
    let leaks = scan(&mut session)?;
    let mut lines = leaks.lines().map(str::trim_end);
    let first = lines.next().unwrap_or_default();
    ensure!(
        first.starts_with("unreferenced object 0xffff8880") && first.ends_with(" (size 64):"),
        "{leaks}"
    );
    let second = lines.next().unwrap_or_default();
    ensure!(
        second.starts_with("  comm \"swapper/0\", pid 1, jiffies 429489") && second.contains(" (age 0.") && second.ends_with("s)"),
        "{leaks}"
    );
    ensure!(lines.next() == Some("  hex dump (first 32 bytes):"), "{leaks}");
    for object in leaks.split("unreferenced object").skip(1) {
        let (_, stack) = object.split_once("  backtrace:").unwrap_or_default();
        ensure!(stack.contains("] incipit_lkdtm::heap::slab_leak+0x"), "{object}");
    }
    Ok(())
}

fn misused_lock() -> Result<()> {
    let mut session = session("")?;
    let text = session.obey("lkdtm SPINLOCK_UNLOCK")?;
    ensure!(text.contains("BUG: spinlock already unlocked on CPU#0, swapper/0/1"), "{text}");
    ensure!(text.contains(", .locked: 0, .owner_cpu: -1"), "{text}");
    session.obey("lkdtm SPINLOCKUP")?;
    session.guest.send(b"lkdtm SPINLOCKUP\r")?;
    session.guest.wait_for("BUG: spinlock recursion on CPU#0, swapper/0/1")?;
    session.guest.wait_for(", .locked: 1, .owner_cpu: 0")?;
    Ok(())
}

fn all_tests() -> Result<()> {
    let mut guest = machine(&format!("{LEAKS} {CHECKERS} kunit.enable=1"))?.start()?;
    guest.allow(LIMIT);
    let log = guest.wait_for(PROMPT)?;
    ensure!(!log.contains("not ok "), "{log}");
    let passed = |line: &str| line.contains(" ok ") && line.trim_end().ends_with(" ten_million_operations_lose_nothing");
    ensure!(log.lines().any(passed), "{log}");
    let mut lines = log.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        // The tests of debugobjects use objects against their rules, and look themselves at what is said of it.
        if line.ends_with("# Subtest: incipit::debugobjects::tests") {
            lines.find(|line| line.ends_with(" incipit::debugobjects::tests"));
            continue;
        }
        for report in [
            "] BUG",
            "ODEBUG: ",
            " pagealloc: ",
            "kmemleak: Kernel memory leak detector disabled",
        ] {
            ensure!(!line.contains(report), "{line}\nin:\n{log}");
        }
    }
    nothing_leaks(&mut Session { guest })
}

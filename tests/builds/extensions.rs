//! Crates from outside the tree: examples for users, and fixtures that show what happens when a crate behaves badly.

use anyhow::{Context, Result, bail, ensure};
use incipit_linker::layout::{CACHE_LINE, PAGE};
use incipit_linker::seal::image::Image;
use incipit_linker::seal::list;
use incipit_tests::ktests;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::make::{extended, run_extended, second_make_builds_nothing};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("extensions::the_entries_of_hello_are_in_the_image", || {
            let image = Image::read(&extended()?.vmlinux())?;
            for (table, path) in [
                ("initcall", "hello::hello_init"),
                ("param", "hello::COUNT"),
                ("ktest", "hello::a_byte_is_read_and_the_end_of_memory_is_an_error"),
            ] {
                let found = list::rows(&image, Some(table))?.iter().any(|row| row.record.path == path);
                ensure!(found, "no {path} in the table {table}");
            }
            Ok(())
        }),
        trial("extensions::the_initcall_of_hello_runs_in_its_place", || {
            let log = boots("initcall_debug ignore_loglevel")?;
            ensure!(
                log.calls().iter().any(|name| name == "hello_init"),
                "it was not called: {:?}",
                log.calls()
            );
            log.require(&["hello: number 1, from a crate that nothing in the kernel names"])?;
            log.refuse("hello: number 2")
        }),
        trial("extensions::the_parameter_of_hello_is_set_by_the_command_line", || {
            let log = boots("hello.count=3")?;
            log.require_mention("hello: number 3,")?;
            log.refuse("hello: number 4,")
        }),
        trial("extensions::the_test_of_hello_passes_with_its_exception_entry", || {
            in_kernel("hello", 1)
        }),
        trial("extensions::inventory_and_linkme_work_unchanged", || in_kernel("registries", 4)),
        trial("extensions::an_initcall_that_fails_is_named_and_the_boot_goes_on", || {
            let log = boots("")?;
            log.require_mention("misbehaving_error")?;
            log.require_mention("EIO")?;
            log.refuse("misbehaving_no_device")?;
            log.require_mention("misbehaving: ")
        }),
        trial("extensions::results_of_initcalls_are_shown_in_linux_s_form", || {
            let log = boots("initcall_debug ignore_loglevel")?;
            for (name, result) in [("misbehaving_error", -5), ("misbehaving_no_device", -19), ("hello_init", 0)] {
                let line = log
                    .lines()
                    .find(|line| line.starts_with(&format!("initcall {name}+0x0/0x")))
                    .with_context(|| format!("no line about {name}"))?;
                ensure!(
                    line.contains(&format!(" returned {result} after ")) && line.ends_with(" usecs"),
                    "{line}"
                );
            }
            Ok(())
        }),
        trial("extensions::an_imbalance_of_preemption_is_named_and_repaired", || {
            let log = boots("")?;
            log.require_mention("initcall misbehaving_preemption+0x0/0x")?;
            log.require_mention(" returned with preemption imbalance")?;
            log.require(&["misbehaving: the preemption count is as it was"])
        }),
        trial("extensions::interrupts_left_the_other_way_round_are_named_and_repaired", || {
            let log = boots("")?;
            let line = log.lines().find(|line| line.contains("initcall misbehaving_interrupts+0x0/0x"));
            let line = line.with_context(|| format!("no line about it; the log ends:\n{}", log.tail()))?;
            ensure!(
                line.contains("returned with disabled interrupts") || line.contains("returned with enabled interrupts"),
                "{line}"
            );
            log.require(&["misbehaving: the preemption count is as it was"])
        }),
        trial("extensions::the_pieces_of_per_cpu_data_are_in_order", pieces),
        trial("extensions::make_run_boots_to_the_monitor_with_words_passed_on", || {
            run_extended("APPEND=hello.count=2 MEM=64M MACHINE=q35", |mut guest| {
                guest.wait_for("hello: number 2, from a crate")?;
                guest.wait_for("[0]kdb> ")?;
                guest.send(b"reboot\r")?;
                guest.wait_for_end().map(drop)
            })
        }),
        trial("extensions::a_second_make_builds_nothing", || {
            ensure!(
                second_make_builds_nothing()?,
                "the image was written again though nothing had changed"
            );
            Ok(())
        }),
        trial("extensions::what_a_crash_ends_is_that_test_alone", a_crash_in_a_test),
    ]
}

fn boots(words: &str) -> Result<Log> {
    let log = Machine::new(&extended()?.vmlinux()).append(words).run()?;
    log.require_mention("Kernel panic - not syncing: No working init found.")?;
    Ok(log)
}

/// Runs the tests of one crate, of which there must be `count`.
fn in_kernel(name: &str, count: usize) -> Result<()> {
    let vmlinux = extended()?.vmlinux();
    let mut declared = ktests::declared(&vmlinux)?;
    declared.retain(|path| path.starts_with(&format!("{name}::")));
    ensure!(declared.len() == count, "the tests of {name} are {declared:?}");
    let results = ktests::run(&Machine::new(&vmlinux).append(&format!("kunit.filter_glob={name}::*")), &declared)?;
    match results.iter().find_map(|(path, why)| Some((path, why.as_ref()?))) {
        None => Ok(()),
        Some((path, why)) => bail!("{path}: {why}"),
    }
}

/// A guest that ends inside a test loses that test and no other: the harness goes on behind it.
fn a_crash_in_a_test() -> Result<()> {
    let vmlinux = extended()?.vmlinux();
    let mut declared = ktests::declared(&vmlinux)?;
    declared.retain(|path| path.starts_with("misbehaving::"));
    let results = ktests::run(&Machine::new(&vmlinux).append("kunit.filter_glob=misbehaving::*"), &declared)?;
    let outcome: Vec<_> = results.iter().map(|(path, why)| (path.as_str(), why.is_none())).collect();
    ensure!(
        outcome
            == [
                ("misbehaving::before_the_crash", true),
                ("misbehaving::crash", false),
                ("misbehaving::crash_again", false),
                ("misbehaving::goes_on", true)
            ],
        "{outcome:?}"
    );
    let why = results["misbehaving::crash"].clone().unwrap_or_default();
    ensure!(why.contains("on purpose") && why.contains("Call Trace:"), "the reason is: {why}");
    Ok(())
}

/// The variables of the fixture `pieces`, in the order in which their pieces must stand, each with its first byte.
fn pieces() -> Result<()> {
    let image = Image::read(&extended()?.vmlinux())?;
    let mut last = image.address_of("__per_cpu_start").context("a template")?;
    let pieces = [
        ("PIECE_FIRST", 1, 4),
        ("PIECE_PAGE", 2, PAGE),
        ("PIECE_READ_MOSTLY", 3, 4),
        ("PIECE_PLAIN", 4, 1),
        ("PIECE_SHARED", 5, CACHE_LINE),
    ];
    for (name, value, align) in pieces {
        let symbol = format!("pieces::{name}");
        let address = image.address_of(&symbol).with_context(|| format!("no symbol {symbol}"))?;
        ensure!(address >= last, "{name} at {address:#x} is not behind {last:#x}");
        ensure!(address.is_multiple_of(align), "{name} at {address:#x} is not aligned to {align}");
        ensure!(
            image.at(address..address + 1) == Some(&[value]),
            "{name} does not begin with {value}"
        );
        // The next piece begins in another line of the cache, or in another page.
        last = address + 1;
    }
    let line = |name: &str| image.address_of(&format!("pieces::{name}")).unwrap_or_default() / CACHE_LINE;
    ensure!(
        line("PIECE_READ_MOSTLY") < line("PIECE_PLAIN") && line("PIECE_PLAIN") < line("PIECE_SHARED"),
        "two pieces share a cache line"
    );
    ensure!(
        last <= image.address_of("__per_cpu_end").context("a template")?,
        "behind the template"
    );
    Ok(())
}

//! A session with the kernel's monitor, typed on the serial line.

use anyhow::{Result, ensure};
use incipit_linker::seal::image::Image;
use incipit_linker::table::Lifetime;
use incipit_linker::tables;
use incipit_tests::built::Build;
use incipit_tests::golden::{INITCALLS, STAGES};
use incipit_tests::machine::Machine;
use incipit_tests::session::{PROMPT, Session, names};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("monitor::help_lists_the_commands", || {
            let text = Session::new("")?.obey("help")?;
            for command in [
                "boot_params",
                "bt",
                "capabilities",
                "dmesg",
                "go",
                "help",
                "initcalls",
                "iomem",
                "ioports",
                "md",
                "mem",
                "params",
                "reboot",
                "sections",
                "stages",
            ] {
                ensure!(
                    text.lines().any(|line| line.split_whitespace().next() == Some(command)),
                    "no {command} in:\n{text}"
                );
            }
            Ok(())
        }),
        trial("monitor::dmesg_shows_the_first_line_of_the_log", || {
            let mut session = Session::new("")?;
            let text = session.obey("dmesg")?;
            ensure!(text.contains("Incipit version"), "{text}");
            ensure!(text.contains("Kernel command line: "), "{text}");
            let last = session.obey("dmesg 2")?;
            ensure!(last.trim().lines().count() == 2 && text.trim().ends_with(last.trim()), "{last}");
            Ok(())
        }),
        trial("monitor::stages_are_those_of_the_golden_file", || {
            golden("stages", &STAGES.names()?)
        }),
        trial("monitor::initcalls_are_those_of_the_golden_file", || {
            golden("initcalls", &INITCALLS.names()?)
        }),
        trial("monitor::rows_for_programs_have_a_field_for_each_column", rows_for_programs),
        trial(
            "monitor::where_the_counter_counts_instructions_each_row_has_their_number",
            instructions,
        ),
        trial("monitor::params_tell_value_type_and_origin", || {
            let text = Session::new("initcall_debug")?.obey("params")?;
            let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            for word in [
                "initcall_debug=Y",
                "bool",
                "0644",
                "command line",
                "kernel/src/init/initcall/mod.rs:",
            ] {
                ensure!(line("initcall_debug=").contains(word), "no {word} in:\n{text}");
            }
            ensure!(line("printk.time=").contains("default"), "{text}");
            Ok(())
        }),
        trial("monitor::sections_are_the_tables_of_the_image", sections),
        trial("monitor::mem_adds_up", || {
            let text = Session::new("")?.obey("mem")?;
            let total: u64 = text.split_whitespace().nth(1).unwrap_or_default().parse()?;
            ensure!((100 << 10..=128 << 10).contains(&total), "{text}");
            let sum: u64 = text
                .lines()
                .filter(|line| line.starts_with("memory ") && line.contains('['))
                .filter_map(kib)
                .sum();
            ensure!(sum.abs_diff(total) < 16, "{sum} KiB in the list:\n{text}");
            Ok(())
        }),
        trial("monitor::md_shows_memory", || {
            let address = Image::read(&Build::ours().vmlinux())?
                .address_of("__image_trailer")
                .unwrap_or_default();
            let text = Session::new("")?.obey(&format!("md {address:#x} 1"))?;
            ensure!(text.contains("Incipit complete"), "{text}");
            Ok(())
        }),
        trial("monitor::md_survives_any_address", || {
            let mut session = Session::new("")?;
            for address in ["0", "0xdead000000000000", "ffffffffffffffff", "0xffff887ffffff000"] {
                let text = session.obey(&format!("md {address}"))?;
                ensure!(text.contains("diag: Invalid address: 0x"), "{address}: {text}");
            }
            Ok(())
        }),
        trial("monitor::md_refuses_what_is_no_address", || {
            let mut session = Session::new("")?;
            for (line, answer) in [
                ("md", "diag: Improper argument count, see usage."),
                ("md 1 2 3", "diag: Improper argument count, see usage."),
                ("md nonsense", "diag: Illegal numeric value"),
                ("md 0x", "diag: Illegal numeric value"),
                ("md 10000000000000000", "diag: Illegal numeric value"),
                ("md 0x1000 -1", "diag: Illegal numeric value"),
            ] {
                let text = session.obey(line)?;
                ensure!(text.contains(answer), "{line}: {text}");
            }
            Ok(())
        }),
        trial("monitor::registers_of_each_cpu_are_read_and_written", || {
            let kernel = Build::ours().vmlinux();
            let mut session = Session::on(&Machine::new(&kernel).cpu("max").processors(2).append("kdb"))?;
            for (line, answer) in [
                ("rdmsr c0000103", "0x0000000000000000"),
                ("wrmsr 0xc0000103 2a 1", ""),
                ("rdmsr c0000103 1", "0x000000000000002a"),
                ("rdmsr c0000103 0", "0x0000000000000000"),
                (
                    "wrmsr 6e1 100000000 1",
                    "diag: CPU 1 does not take 0x100000000 for register 0x6e1 (EIO)",
                ),
                ("rdmsr 277 2", "diag: CPU 2 does not read register 0x277 (ENXIO)"),
                ("rdmsr", "diag: Improper argument count, see usage."),
                ("wrmsr 10", "diag: Improper argument count, see usage."),
                ("rdmsr 100000000", "diag: Illegal numeric value"),
                ("wrmsr 10 many", "diag: Illegal numeric value"),
                ("rdmsr 10 first", "diag: Illegal numeric value"),
            ] {
                let text = session.obey(line)?;
                ensure!(text.lines().next().unwrap_or_default() == answer, "{line}: {text}");
            }
            Ok(())
        }),
        trial("monitor::bt_shows_the_way_from_pid_1s_first_function", || {
            let text = Session::new("")?.obey("bt")?;
            let last_two: Vec<_> = text.lines().rev().take(2).collect();
            ensure!(last_two[1].contains("::main::kernel_init+0x"), "{text}");
            ensure!(last_two[0].contains("::process::enter+0x"), "{text}");
            Ok(())
        }),
        trial("monitor::an_unknown_command_is_named_with_a_suggestion", || {
            let mut session = Session::new("")?;
            let text = session.obey("initcall")?;
            ensure!(
                text.contains("Unknown kdb command: 'initcall'; did you mean 'initcalls'?"),
                "{text}"
            );
            let text = session.obey("xyzzy")?;
            ensure!(text.contains("Unknown kdb command: 'xyzzy'\n"), "{text}");
            Ok(())
        }),
        trial("monitor::a_line_that_is_too_long_is_refused_whole", || {
            let mut session = Session::new("")?;
            let text = session.obey(&format!("md {}", "0".repeat(600)))?;
            ensure!(text.contains("A line of 603 bytes is too long"), "{text}");
            let text = session.obey("version")?;
            ensure!(text.contains("Incipit version"), "the next line is obeyed: {text}");
            Ok(())
        }),
        trial("monitor::bytes_that_are_no_text_are_survived", || {
            let mut session = Session::new("")?;
            session.guest.send(b"\xff\x00\x1b[99;99H\x80\x1b\x1b[\x15")?;
            let text = session.obey("version")?;
            ensure!(text.contains("Incipit version"), "{text}");
            Ok(())
        }),
        trial("monitor::too_many_words_are_refused", || {
            let text = Session::new("")?.obey(&"dmesg ".repeat(30))?;
            ensure!(text.contains("Too many arguments"), "{text}");
            Ok(())
        }),
        trial("monitor::config_shows_the_lines_that_have_a_text", || {
            let mut session = Session::new("")?;
            let text = session.obey("config ikconfig")?;
            ensure!(
                text.contains("CONFIG_IKCONFIG=y\n") && text.lines().filter(|line| line.contains("CONFIG_")).count() == 1,
                "{text}"
            );
            let text = session.obey("config")?;
            let full = std::fs::read_to_string(incipit_tests::built::root().join("out/config/full.config"))?;
            let missing = full.lines().find(|line| !text.contains(line));
            ensure!(missing.is_none(), "no {missing:?} in {text}");
            Ok(())
        }),
        trial("monitor::an_empty_line_is_nothing", || {
            let text = Session::new("")?.obey("")?;
            ensure!(text.trim().is_empty(), "{text}");
            Ok(())
        }),
        trial("monitor::an_nmi_that_comes_meanwhile_is_survived", || {
            let mut guest = Machine::new(&Build::ours().vmlinux()).append("kdb").monitored().start()?;
            guest.wait_for(PROMPT)?;
            guest.monitor()?.human("nmi")?;
            guest.send(b"go\r")?;
            guest
                .wait_for_end()?
                .require(&["Dazed and confused, but trying to continue", "Run /init as init process"])
        }),
        trial("monitor::reboot_ends_the_machine", || {
            let mut session = Session::new("panic=0")?;
            session.guest.send(b"reboot\r")?;
            session.guest.wait_for_end().map(drop)
        }),
    ]
}

/// Fails unless the names that `command` lists are `expected`.
fn golden(command: &str, expected: &[String]) -> Result<()> {
    let text = Session::new("")?.obey(command)?;
    let names = names(&text);
    ensure!(names == expected, "expected {expected:?} in:\n{text}");
    Ok(())
}

fn instructions() -> Result<()> {
    let mut session = incipit_report::qemu::Session::boot(&Build::ours().vmlinux(), &incipit_report::qemu::Machine::default())?;
    ensure!(
        session
            .obey("stages")?
            .lines()
            .next()
            .is_some_and(|head| head.contains(" instructions ")),
        "no column"
    );
    let text = session.obey("stages -r")?;
    for row in text.lines().skip(1) {
        // Columns 7 and 8: an instruction takes a nanosecond in this machine.
        let fields: Vec<_> = row.split('\t').collect();
        ensure!(
            fields.get(7) == fields.get(8) && fields.get(8).is_some_and(|field| field.parse::<u64>().is_ok()),
            "{row}"
        );
    }
    // On a machine with a clock nobody can know.
    let text = Session::new("")?.obey("stages")?;
    ensure!(text.lines().next().is_some_and(|head| !head.contains("instructions")), "{text}");
    Ok(())
}

fn rows_for_programs() -> Result<()> {
    // A backslash would begin an escape, and a space ends nothing.
    let mut session = Session::new("kunit.filter_glob=\"a b\\\\c\"")?;
    for (command, least) in [
        ("stages -r", STAGES.names()?.len()),
        ("initcalls -r", INITCALLS.names()?.len()),
        ("params -r", 1),
    ] {
        let text = session.obey(command)?;
        let widths: Vec<_> = text.lines().map(|line| line.split('\t').count()).collect();
        ensure!(text.starts_with('#') && widths.len() > least, "{command}: {text}");
        ensure!(widths.iter().all(|width| *width == widths[0] && *width > 5), "{command}: {text}");
    }
    let text = session.obey("params -r")?;
    let row = text
        .lines()
        .find(|line| line.starts_with("kunit.filter_glob\t"))
        .unwrap_or_default();
    ensure!(row.ends_with("\ta b\\\\\\\\c"), "{text}");
    let text = session.obey("initcalls -x")?;
    ensure!(text.contains("diag: nothing here is called"), "{text}");
    Ok(())
}

/// The number before `KiB` in a line of `mem`.
fn kib(line: &str) -> Option<u64> {
    line.trim_end().strip_suffix(" KiB")?.rsplit(' ').next()?.parse().ok()
}

fn sections() -> Result<()> {
    let image = Image::read(&Build::ours().vmlinux())?;
    let text = Session::new("")?.obey("sections")?;
    for table in tables::ALL.iter().filter(|table| image.address_of(table.start()).is_some()) {
        let (start, end) = (
            image.address_of(table.start()).unwrap_or_default(),
            image.address_of(table.end).unwrap_or_default(),
        );
        let line = text
            .lines()
            .find(|line| line.split_whitespace().next() == Some(table.name))
            .unwrap_or_default();
        let words: Vec<_> = line.split_whitespace().collect();
        let expected = [
            table.output_section.to_owned(),
            format!("{start:#018x}-{end:#018x}"),
            ((end - start) / table.entry_size).to_string(),
        ];
        let is_gone = table.lifetime == Lifetime::Init;
        ensure!(line.ends_with(" freed") == is_gone, "{line}");
        ensure!(
            words.get(1..4).is_some_and(|words| words == expected),
            "expected {expected:?} for {} in:\n{text}",
            table.name
        );
    }
    Ok(())
}

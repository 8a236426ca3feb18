//! Command lines that are wrong, too long, or no text: one clear line each, and the boot goes on or stops where Linux's does.

use anyhow::{Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;
use crate::takeover::{Takeover, at_pvh_entry};

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("command_line::an_unknown_option_is_passed_to_init_with_a_suggestion", || {
            let log = boots("inicall_debug nosuch=1")?;
            log.require(&[
                "Unknown kernel command line parameters \"inicall_debug nosuch=1\", will be passed to user space.",
                "`inicall_debug' is no parameter of this kernel: did you mean `initcall_debug'?",
            ])?;
            log.refuse("`nosuch'")
        }),
        trial("command_line::a_minus_in_a_name_is_an_underscore", || {
            let log = boots("initcall-debug ignore_loglevel")?;
            log.refuse("Unknown kernel command line parameters")?;
            ensure!(!log.calls().is_empty(), "initcall-debug did nothing");
            Ok(())
        }),
        trial("command_line::a_parameter_of_a_missing_module_is_ignored_in_silence", || {
            boots("nosuch.parameter=1 nosuch.other")?.refuse("Unknown kernel command line parameters")
        }),
        trial("command_line::the_names_of_boot_loaders_are_ignored_in_silence", || {
            boots("BOOT_IMAGE=/boot/vmlinuz auto")?.refuse("Unknown kernel command line parameters")
        }),
        trial("command_line::an_early_option_that_fails_is_named", || {
            boots("loglevel=abc")?.require(&["Malformed early option 'loglevel'"])
        }),
        trial("command_line::an_early_option_without_its_value_is_named", || {
            boots("loglevel")?.require(&["Malformed early option 'loglevel'"])
        }),
        trial("command_line::the_33rd_argument_is_one_too_many", || {
            let words: Vec<_> = (1..=33).map(|number| format!("a{number}")).collect();
            stops(&words.join(" "), "Kernel panic - not syncing: Too many boot init vars at `a33'")
        }),
        trial("command_line::the_32nd_variable_is_one_too_many", || {
            let words: Vec<_> = (0..=31).map(|number| format!("e{number}=1")).collect();
            stops(&words.join(" "), "Kernel panic - not syncing: Too many boot env vars at `e31=1'")
        }),
        trial("command_line::as_many_words_as_init_can_have_are_passed", || {
            let words: Vec<_> = (1..=32).map(|number| format!("a{number}")).collect();
            boots(&words.join(" "))?.require_mention(&words.join(" "))
        }),
        trial("command_line::the_last_value_of_a_variable_counts", || {
            let log = boots("debug e=1 f=2 e=3")?;
            log.require(&["  with environment:", "    e=3", "    f=2"])?;
            ensure!(!log.has("    e=1"), "the first value is still there");
            Ok(())
        }),
        trial("command_line::an_unterminated_quote_runs_to_the_end", || {
            boots("x=\"a b c")?.require(&["Unknown kernel command line parameters \"x=a b c\", will be passed to user space."])
        }),
        trial("command_line::quotes_keep_blanks_and_are_taken_off", || {
            let log = boots("debug \"a b\" c=\"d e\" --")?;
            log.require(&["    /init", "    a b", "  with environment:", "    c=d e"])
        }),
        trial("command_line::a_word_that_begins_with_the_sign_is_a_bare_word", || {
            boots("debug =y --")?.require(&["  with arguments:", "    /init", "    =y", "  with environment:"])
        }),
        trial("command_line::what_stands_behind_two_minuses_is_init_s", || {
            let log = boots("debug -- one initcall_debug two=2")?;
            log.require(&[
                "  with arguments:",
                "    /init",
                "    one",
                "    initcall_debug",
                "    two=2",
                "  with environment:",
            ])?;
            ensure!(log.calls().is_empty(), "an argument of init's was taken for the kernel's");
            Ok(())
        }),
        trial("command_line::init_keeps_its_arguments_behind_a_bad_parameter", || {
            let log = boots("debug printk.time=maybe -- one two=2")?;
            log.require(&[
                "Booting kernel: `maybe' invalid for parameter `printk.time'",
                "  with arguments:",
                "    /init",
                "    one",
                "    two=2",
            ])
        }),
        trial("command_line::a_requested_init_gets_none_of_the_arguments_before_it", || {
            let log = Machine::new(&Build::ours().vmlinux()).append("debug before init=/x behind").run()?;
            log.require(&["  with arguments:", "    behind", "  with environment:"])?;
            ensure!(!log.has("    before"), "an argument from before init= is there");
            Ok(())
        }),
        trial("command_line::an_initcall_on_the_blacklist_is_not_called", || {
            let log = boots("initcall_blacklist=serial8250_init,nosuch initcall_debug ignore_loglevel")?;
            log.require(&["blacklisting initcall serial8250_init", "initcall serial8250_init blacklisted"])?;
            log.require_mention("nosuch")?;
            ensure!(!log.calls().iter().any(|name| name == "serial8250_init"), "it was called");
            ensure!(!log.calls().is_empty(), "no other initcall was called");
            Ok(())
        }),
        trial("command_line::quiet_shows_errors_only", || {
            let log = boots("quiet")?;
            log.refuse("Run /init as init process")
        }),
        trial("command_line::several_errors_are_counted_at_the_end", || {
            let log = boots("printk.time=maybe initcall_debug=perhaps")?;
            log.require(&[
                "Booting kernel: `maybe' invalid for parameter `printk.time'",
                "Booting kernel: `perhaps' invalid for parameter `initcall_debug'",
            ])?;
            log.require_mention("Booting kernel: 2 parameters")
        }),
        trial("command_line::white_space_alone_is_an_empty_line", || {
            boots(" \t  ")?.refuse("Unknown kernel command line parameters")
        }),
        trial("command_line::no_time_is_shown_when_the_command_line_says_so", || {
            let mut guest = Machine::new(&Build::ours().vmlinux()).append("printk.time=0").start()?;
            let text = guest.wait_for("Run /init as init process")?;
            ensure!(
                text.ends_with("\nRun /init as init process"),
                "there is something before the text: {text}"
            );
            Ok(())
        }),
    ];
    trials.extend(bytes());
    trials
}

/// Lines that are no text, or too long.
fn bytes() -> Vec<Trial> {
    vec![
        trial("command_line::control_characters_are_part_of_a_word", || {
            let log = boots_with(b"debug a\x01b\x7f=\x1b[0m")?;
            log.require_mention("Unknown kernel command line parameters")
        }),
        trial("command_line::a_line_that_is_not_utf_8_is_shown_as_far_as_it_is", || {
            boots_with(b"a\xff\xfeb")?.require_mention("a\u{fffd}\u{fffd}b")
        }),
        trial("command_line::a_value_that_is_not_utf_8_is_refused_by_an_early_option", || {
            boots_with(b"loglevel=\xff")?.require(&["Malformed early option 'loglevel'"])
        }),
        trial("command_line::64_kib_are_cut_off_by_pvh", || {
            cut_off(&long_line(
                format!("early_word={} late_word", "x".repeat(64 << 10)).as_bytes(),
                by_pvh,
            )?)
        }),
        trial("command_line::64_kib_are_cut_off_by_the_boot_protocol", || {
            cut_off(&long_line(
                format!("early_word={} late_word", "x".repeat(64 << 10)).as_bytes(),
                by_boot_protocol,
            )?)
        }),
        trial("command_line::64_kib_of_wrong_words_are_counted", || {
            // One by one they would push the rest of the boot out of the log. As many fit whole before the line is cut off:
            let (word, shown) = ("printk.time=maybe ", 16);
            let count = (LONGEST - BEFORE.len()) / word.len();
            let log = long_line(word.repeat((64 << 10) / word.len()).as_bytes(), by_pvh)?;
            log.require(&["Booting kernel: `maybe' invalid for parameter `printk.time'"])?;
            let unshown = count - shown;
            log.require_mention(&format!(
                "Booting kernel: {count} parameters kept their values, {unshown} of them not shown"
            ))
        }),
        trial("command_line::as_many_bytes_as_fit_are_not_cut_off", || {
            let last = " last_word=1";
            let filler = "x".repeat(LONGEST - BEFORE.len() - "first_word=".len() - last.len());
            let log = long_line(format!("first_word={filler}{last}").as_bytes(), by_pvh)?;
            log.refuse("cut off")?;
            // What is passed to init is shown as far as a line of the log goes; both words are variables.
            log.require_mention("Unknown kernel command line parameters \"first_word=x")
        }),
        trial("command_line::one_byte_more_is_cut_off", || {
            let line = "x".repeat(LONGEST - BEFORE.len() + 1);
            long_line(line.as_bytes(), by_pvh)?.require_mention("the command line is longer than 65535 bytes: cut off")
        }),
    ]
}

/// The longest command line, without its NUL.
const LONGEST: usize = (64 << 10) - 1;

/// What a long line begins with.
const BEFORE: &str = "console=ttyS0 panic=-1 ";

/// Where a long line is put: far above the kernel, in memory that nobody has yet.
const LONG_LINE: u32 = 80 << 20;

/// Boots with a command line that no emulator passes on, to the end of the boot.
fn long_line(words: &[u8], boot: impl FnOnce(&[u8]) -> Result<Log>) -> Result<Log> {
    let log = boot(&[BEFORE.as_bytes(), words, b"\0"].concat())?;
    require_end(&log)?;
    Ok(log)
}

fn by_pvh(line: &[u8]) -> Result<Log> {
    /// Of the start information's address of the command line.
    const CMDLINE_PADDR: u64 = 0x18;
    let mut guest = at_pvh_entry(Machine::new(&Build::ours().vmlinux()), |debugger, address| {
        debugger.write(LONG_LINE.into(), line)?;
        debugger.write(address + CMDLINE_PADDR, &u64::from(LONG_LINE).to_le_bytes())
    })?;
    guest.debugger()?.detach()?;
    guest.wait_for_end()
}

fn by_boot_protocol(line: &[u8]) -> Result<Log> {
    let mut takeover = Takeover::new(Machine::new(&Build::ours().bzimage()))?;
    takeover.set_command_line(LONG_LINE, line)?;
    takeover.go_on()
}

fn cut_off(log: &Log) -> Result<()> {
    log.require_mention("the command line is longer than 65535 bytes: cut off")?;
    log.require_mention("early_word=x")?;
    log.refuse("late_word")
}

fn boots(words: &str) -> Result<Log> {
    boots_with(words.as_bytes())
}

/// Boots with `words` and comes to the end of the boot.
fn boots_with(words: &[u8]) -> Result<Log> {
    let log = Machine::new(&Build::ours().vmlinux()).append_bytes(words).run()?;
    require_end(&log)?;
    Ok(log)
}

/// Boots with `words` and panics with `line`, when there is a console to say so on.
fn stops(words: &str, line: &str) -> Result<()> {
    let log = Machine::new(&Build::ours().vmlinux()).append(words).run()?;
    log.require_mention("printk: console [ttyS0] enabled")?;
    log.require(&[line])?;
    log.refuse("Run /init as init process")
}

//! Values of every type that are wrong: each has its line, the parameter keeps its value, and the boot goes on.

use anyhow::{Result, ensure};
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::make::extended;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;

/// What is wrong with a value.
#[derive(Clone, Copy)]
enum Wrong {
    Invalid,
    TooLarge,
}

use Wrong::{Invalid, TooLarge};

/// Parameter, its value when nothing is said, wrong values, a right value and how it is shown.
type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, Wrong)],
    &'static str,
    &'static str,
);

const CASES: &[Case] = &[
    (
        "flag",
        "N",
        &[("maybe", Invalid), ("", Invalid), ("2", Invalid), ("o", Invalid)],
        "on",
        "Y",
    ),
    ("int_flag", "0", &[("2", Invalid), ("x", Invalid)], "y", "1"),
    (
        "byte",
        "8",
        &[("256", TooLarge), ("-1", Invalid), ("x", Invalid), ("", Invalid), ("1 2", Invalid)],
        "0xff",
        "255",
    ),
    (
        "signed_byte",
        "-8",
        &[("128", TooLarge), ("-129", TooLarge), ("--1", Invalid)],
        "-0x80",
        "-128",
    ),
    (
        "ushort",
        "16",
        &[("65536", TooLarge), ("0x", Invalid), ("0x1g", Invalid)],
        "65535",
        "65535",
    ),
    (
        "short",
        "-16",
        &[("32768", TooLarge), ("-32769", TooLarge), ("1.5", Invalid)],
        "-32768",
        "-32768",
    ),
    (
        "uint",
        "32",
        &[("4294967296", TooLarge), ("08", Invalid), ("12abc", Invalid), ("-0", Invalid)],
        "017",
        "15",
    ),
    (
        "int",
        "-32",
        &[("2147483648", TooLarge), ("-2147483649", TooLarge), ("+", Invalid)],
        "+2147483647",
        "2147483647",
    ),
    (
        "ullong",
        "64",
        &[("18446744073709551616", TooLarge), ("0x10000000000000000", TooLarge)],
        "18446744073709551615",
        "18446744073709551615",
    ),
    (
        "llong",
        "-64",
        &[("9223372036854775808", TooLarge), ("-9223372036854775809", TooLarge)],
        "-9223372036854775808",
        "-9223372036854775808",
    ),
    ("colour", "red", &[("blue", Invalid), ("", Invalid)], "green", "green"),
    ("list", "1,2,3", &[("1,x", Invalid), ("1,65536", TooLarge)], "4,5", "4,5"),
];

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for case in CASES {
        trials.push(trial(format!("parameters::wrong_values_of_{}_change_nothing", case.0), move || {
            wrong_values(case)
        }));
    }
    trials.push(trial("parameters::right_values_of_every_type_are_taken", right_values));
    trials.extend(others());
    trials
}

fn others() -> Vec<Trial> {
    vec![
        trial("parameters::an_inverted_flag_is_set_by_its_opposite", || {
            // The fixture's starts as false inside, which is yes outside.
            boots("")?.require(&["parameters.turned=Y (default)"])?;
            boots("parameters.turned=n")?.require(&["parameters.turned=N (command line)"])
        }),
        trial("parameters::a_flag_needs_no_value_and_a_number_does", || {
            let log = boots("parameters.flag parameters.byte")?;
            log.require(&[
                "Booting kernel: `' invalid for parameter `parameters.byte'",
                "parameters.byte=8 (default)",
                "parameters.flag=Y (command line)",
            ])
        }),
        trial("parameters::a_string_that_is_too_long_is_refused", || {
            let log = boots(&format!("parameters.text={}", "t".repeat(1025)))?;
            log.require(&["parameters.text: string parameter too long"])?;
            // The value fills the record, so that what is wrong with it does not fit behind it.
            log.require_mention("Booting kernel: `tttttttt")?;
            log.require(&["parameters.text=initial (default)"])
        }),
        trial("parameters::a_string_of_the_greatest_length_is_taken", || {
            let text = "t".repeat(1024);
            // The line is longer than one record of the log; what is shown of it is the beginning.
            boots(&format!("parameters.text={text}"))?.require_mention("parameters.text=tttttttt")
        }),
        trial("parameters::a_bounded_string_that_does_not_fit_is_refused", || {
            let log = boots("parameters.bounded=ninebytes")?;
            log.require(&[
                "parameters.bounded: string doesn't fit in 8 chars.",
                "Booting kernel: `ninebytes' too large for parameter `parameters.bounded'",
                "parameters.bounded=initial (default)",
            ])
        }),
        trial("parameters::an_array_takes_no_more_than_it_holds", || {
            let log = boots("parameters.list=1,2,3,4")?;
            log.require(&[
                "parameters.list: can only take 3 arguments",
                "Booting kernel: `1,2,3,4' invalid for parameter `parameters.list'",
                "parameters.list=1,2,3 (default)",
            ])
        }),
        trial("parameters::an_array_needs_as_many_as_it_says", || {
            let log = boots("parameters.list=7")?;
            log.require(&[
                "parameters.list: needs at least 2 arguments",
                "Booting kernel: `7' invalid for parameter `parameters.list'",
                "parameters.list=1,2,3 (default)",
            ])
        }),
        trial("parameters::the_parameter_of_a_level_is_parsed_just_before_it", || {
            let log = boots("parameters.at_device=abc initcall_debug ignore_loglevel")?;
            let line = "device: `abc' invalid for parameter `parameters.at_device'";
            log.require(&[line])?;
            let calls_before = log
                .lines()
                .take_while(|other| *other != line)
                .filter(|other| other.starts_with("calling  "))
                .count();
            ensure!(
                calls_before > 0 && calls_before < log.calls().len(),
                "the line comes behind {calls_before} calls"
            );
            Ok(())
        }),
        trial("parameters::a_dangerous_option_is_announced", || {
            let log = boots("parameters.risky=1")?;
            log.require(&["Setting dangerous option parameters.risky - tainting kernel"])?;
            log.require_mention("Tainted: G     U")
        }),
        trial("parameters::an_early_option_that_refuses_is_named", || {
            boots("parameters_early=1")?.require(&["Malformed early option 'parameters_early'"])
        }),
        trial("parameters::an_option_that_nobody_wants_goes_to_init", || {
            boots("parameters_leak=5")?
                .require(&["Unknown kernel command line parameters \"parameters_leak=5\", will be passed to user space."])
        }),
        trial("parameters::an_obsolete_option_is_named", || {
            let log = boots("parameters_old=3")?;
            log.require(&["Parameter parameters_old= is obsolete, ignored"])?;
            log.refuse("Unknown kernel command line parameters")
        }),
        trial("parameters::the_last_of_several_values_counts", || {
            boots("parameters.byte=1 parameters.byte=2 parameters.byte=300")?.require(&["parameters.byte=2 (command line)"])
        }),
    ]
}

/// Sets each wrong value in one boot: the lines come in the order of the words.
fn wrong_values(case: &Case) -> Result<()> {
    let (name, initial, values, ..) = case;
    let words: Vec<_> = values.iter().map(|(value, _)| format!("parameters.{name}=\"{value}\"")).collect();
    let lines: Vec<_> = values
        .iter()
        .map(|(value, wrong)| match wrong {
            Invalid => format!("Booting kernel: `{value}' invalid for parameter `parameters.{name}'"),
            TooLarge => format!("Booting kernel: `{value}' too large for parameter `parameters.{name}'"),
        })
        .collect();
    let log = boots(&words.join(" "))?;
    let mut expected: Vec<_> = lines.iter().map(String::as_str).collect();
    let kept = format!("parameters.{name}={initial} (default)");
    expected.push(&kept);
    log.require(&expected)
}

fn right_values() -> Result<()> {
    let words: Vec<_> = CASES
        .iter()
        .map(|(name, _, _, value, _)| format!("parameters.{name}={value}"))
        .collect();
    let log = boots(&words.join(" "))?;
    for (name, _, _, _, shown) in CASES {
        log.require(&[&format!("parameters.{name}={shown} (command line)")])?;
    }
    log.refuse("for parameter")
}

/// Boots the image with the fixture that has the parameters, to the end.
fn boots(words: &str) -> Result<Log> {
    let log = Machine::new(&extended()?.vmlinux()).append(words).run()?;
    require_end(&log)?;
    Ok(log)
}

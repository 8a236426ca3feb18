//! Tests of the line editor, of arguments, and of a few commands end to end.

use core::fmt::Write;

use arrayvec::ArrayString;
use incipit::kdb::{CommandError, Then};
use incipit::prelude::*;

use crate::commands::number;
use crate::editor::{Editor, Event, LINE_MAX};
use crate::monitor::run_line;

/// What `typed` makes of a fresh editor: the last event, and the screen.
fn typed(typed: &[u8]) -> (Event, ArrayString<1024>) {
    let (mut editor, mut screen) = (Editor::default(), ArrayString::new());
    let event = typed
        .iter()
        .map(|&byte| editor.take(byte, &mut screen))
        .last()
        .expect("something is typed");
    (event.expect("the screen has room"), screen)
}

#[track_caller]
fn assert_entered(keys: &[u8], expected: &str) {
    match typed(keys).0 {
        Event::Entered(line) => assert_eq!(&line[..], expected),
        other => panic!("{other:?} instead of {expected:?}"),
    }
}

#[ktest]
fn a_line_ends_with_return_or_line_feed_and_is_echoed() {
    assert_entered(b"help\r", "help");
    assert_entered(b"help\n", "help");
    assert_eq!(&typed(b"he\r").1[..], "he\n");
}

#[ktest]
fn the_line_feed_behind_a_return_is_no_line_of_its_own() {
    assert_eq!(typed(b"a\r\n").0, Event::Typing);
    assert_entered(b"a\r\nb\r", "b");
    assert_entered(b"a\n\n", "");
}

#[ktest]
fn backspace_takes_back_a_character_and_stops_at_the_beginning() {
    assert_entered(b"hx\x08elp\x7fp\r", "help");
    assert_entered(b"\x08\x08go\r", "go");
    assert_eq!(&typed(b"a\x08\x08").1[..], "a\x08 \x08");
}

#[ktest]
fn control_u_erases_and_control_c_abandons_the_line() {
    assert_entered(b"reboot\x15go\r", "go");
    assert_eq!(typed(b"reboot\x03").0, Event::Abandoned);
    assert_entered(b"reboot\x03go\r", "go");
}

#[ktest]
fn the_up_arrow_brings_the_last_line_back_and_other_sequences_do_nothing() {
    assert_entered(b"md 0\rx\x1b[A 2\r", "md 0 2");
    assert_entered(b"a\x1b[B\x1b[1;5Cb\x1bOc\r", "abc");
    assert_entered(b"md 0\r\r\x1b[A\r", "md 0");
}

#[ktest]
fn other_control_characters_and_bytes_beyond_ascii_are_ignored() {
    assert_entered(b"a\x00\x01\xc3\xbcb\r", "ab");
}

#[ktest]
fn a_line_that_is_too_long_is_refused_whole_unless_shortened() {
    let mut keys = [b'x'; LINE_MAX + 2];
    keys[LINE_MAX + 1] = b'\r';
    assert_eq!(typed(&keys).0, Event::TooLong(LINE_MAX + 1));
    keys[LINE_MAX] = b'\r';
    assert!(matches!(typed(&keys[..=LINE_MAX]).0, Event::Entered(line) if line.len() == LINE_MAX));
    let mut shortened = [b'x'; LINE_MAX + 3];
    shortened[LINE_MAX + 1..].copy_from_slice(b"\x08\r");
    assert!(matches!(typed(&shortened).0, Event::Entered(line) if line.len() == LINE_MAX));
}

#[ktest]
fn numbers_are_decimal_or_hexadecimal_and_nothing_else() {
    for (text, value) in [("0", 0), ("42", 42), ("0xff", 255), ("18446744073709551615", u64::MAX)] {
        assert_eq!(number(text), Ok(value), "{text}");
    }
    for text in ["", "0x", "x", "-1", "+1", "0x+1", "1 ", "18446744073709551616", "ff"] {
        assert_eq!(number(text), Err(CommandError::BadNumber), "{text}");
    }
}

/// What the line `line` shows.
fn shown(line: &str) -> (Result<Then, core::fmt::Error>, ArrayString<2048>) {
    let mut screen = ArrayString::new();
    let result = run_line(line, &mut screen);
    (result, screen)
}

#[ktest]
fn an_unknown_command_is_named_and_a_similar_one_suggested() {
    assert_eq!(&shown("sumary").1[..], "Unknown kdb command: 'sumary'; did you mean 'summary'?\n");
    assert_eq!(&shown("  frobnicate now ").1[..], "Unknown kdb command: 'frobnicate'\n");
    assert_eq!((shown("  ").0, &shown("  ").1[..]), (Ok(Then::Stay), ""));
}

#[ktest]
fn a_command_that_is_used_wrongly_says_how_to_use_it() {
    assert_eq!(
        &shown("md").1[..],
        "diag: Improper argument count, see usage.\nUsage: md address [lines]\n"
    );
    assert_eq!(&shown("md here").1[..], "diag: Illegal numeric value\n");
    assert_eq!(shown("go home").0, Ok(Then::Stay));
    assert!(
        shown("help 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21")
            .1
            .starts_with("Too many arguments")
    );
}

#[ktest]
fn memory_that_is_there_is_shown_and_memory_that_is_not_is_named() {
    static WORDS: [u64; 2] = [0x6867_6665_6463_6261, 0x0000_7f20_1b41_3000];
    let mut line = ArrayString::<64>::new();
    let _ = write!(line, "md {:p} 1", &raw const WORDS);
    let mut expected = ArrayString::<128>::new();
    let _ = writeln!(
        expected,
        "{:#018x} 6867666564636261 00007f201b413000   abcdefgh.0A. ...",
        (&raw const WORDS).addr()
    );
    assert_eq!(&shown(&line).1[..], &expected[..]);

    assert_eq!(&shown("md 0").1[..], "diag: Invalid address: 0x0\n");
    assert_eq!(&shown("md 0x8000000000000000").1[..], "diag: Invalid address: 0x8000000000000000\n");
    assert_eq!(&shown("md ffffffffffffffff").1[..], "diag: Invalid address: 0xffffffffffffffff\n");
}

#[ktest]
fn go_leaves_the_monitor() {
    assert_eq!(shown("go").0, Ok(Then::Leave));
}

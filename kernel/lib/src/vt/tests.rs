//! Tests of the screen against what console_codes(4), ECMA-48 and Linux's `vt.c` say.

mod models;
mod renditions;

use super::*;
use std::string::String;
use std::vec::Vec;

pub(super) type Small = Screen<256>;

pub(super) fn screen(columns: usize, rows: usize) -> Small {
    let mut screen = Screen::new();
    screen.resize(columns, rows).expect("a small screen");
    screen
}

pub(super) fn line<const CELLS: usize>(screen: &Screen<CELLS>, row: usize) -> String {
    screen.row(row).iter().map(|cell| cell.character()).collect()
}

pub(super) fn lines<const CELLS: usize>(screen: &Screen<CELLS>) -> Vec<String> {
    (0..screen.rows()).map(|row| line(screen, row).trim_end().into()).collect()
}

fn place(screen: &Small) -> (usize, usize) {
    let cursor = screen.cursor().expect("a cursor");
    (cursor.column, cursor.row)
}

/// What a screen of 8 × 4 shows of `text`.
fn shown(text: &str) -> Vec<String> {
    let mut screen = screen(8, 4);
    screen.write(text.as_bytes());
    lines(&screen)
}

#[test]
fn a_line_feed_begins_a_new_line_at_the_left() {
    assert_eq!(shown("one\ntwo"), ["one", "two", "", ""]);
}

#[test]
fn the_screen_moves_up_when_it_is_full() {
    assert_eq!(shown("1\n2\n3\n4\n5"), ["2", "3", "4", "5"]);
    assert_eq!(shown("1\n2\n3\n4\n5\n"), ["3", "4", "5", ""]);
}

#[test]
fn a_line_that_just_fits_leaves_no_empty_one_behind() {
    assert_eq!(shown("12345678\nnext"), ["12345678", "next", "", ""]);
    assert_eq!(shown("123456789"), ["12345678", "9", "", ""]);
}

#[test]
fn a_backspace_behind_the_last_column_stays_in_its_line() {
    assert_eq!(shown("12345678\x08x"), ["123456x8", "", "", ""]);
    assert_eq!(shown("a\x08\x08b"), ["b", "", "", ""]);
}

#[test]
fn a_tabulator_goes_to_the_next_eighth_column_and_not_beyond_the_line() {
    let mut screen = screen(20, 2);
    screen.write(b"a\tb\tc\td");
    assert_eq!(line(&screen, 0), "a       b       c  d");
    screen.write(b"e");
    assert_eq!(line(&screen, 1).trim_end(), "e");
}

#[test]
fn a_carriage_return_overwrites_the_line() {
    assert_eq!(shown("12345\rab"), ["ab345", "", "", ""]);
}

#[test]
fn the_bell_and_other_controls_show_nothing() {
    assert_eq!(shown("a\x07\x00\x0e\x0f\x7fb"), ["ab", "", "", ""]);
}

#[test]
fn the_cursor_goes_where_it_is_sent_and_stays_on_the_screen() {
    for (text, expected) in [
        ("\x1b[3;5H", (4, 2)),
        ("\x1b[H", (0, 0)),
        ("\x1b[99;99H", (7, 3)),
        ("\x1b[0;0f", (0, 0)),
        ("abc\x1b[2D", (1, 0)),
        ("abc\x1b[99D", (0, 0)),
        ("\x1b[C\x1b[C", (2, 0)),
        ("\n\n\x1b[A", (0, 1)),
        ("\x1b[65535B", (0, 3)),
        ("ab\n\x1b[2E", (0, 3)),
        ("ab\ncd\x1b[F", (0, 0)),
        ("abc\x1b[6G", (5, 0)),
        ("abc\x1b[3d", (3, 2)),
        ("ab\x1b7\x1b[4;4H\x1b8", (2, 0)),
        ("ab\x1b[s\x1b[4;4H\x1b[u", (2, 0)),
    ] {
        let mut screen = screen(8, 4);
        screen.write(text.as_bytes());
        assert_eq!(place(&screen), expected, "{text:?}");
    }
}

#[test]
fn the_line_and_the_screen_are_erased_from_to_and_around_the_cursor() {
    const FULL: &str = "11111111\n22222222\n33333333\n44444444\x1b[2;4H";
    for (sequence, expected) in [
        ("\x1b[K", ["11111111", "222", "33333333", "44444444"]),
        ("\x1b[1K", ["11111111", "    2222", "33333333", "44444444"]),
        ("\x1b[2K", ["11111111", "", "33333333", "44444444"]),
        ("\x1b[3K", ["11111111", "22222222", "33333333", "44444444"]),
        ("\x1b[J", ["11111111", "222", "", ""]),
        ("\x1b[1J", ["", "    2222", "33333333", "44444444"]),
        ("\x1b[2J", ["", "", "", ""]),
        ("\x1b[3J", ["", "", "", ""]),
        ("\x1b[2X", ["11111111", "222  222", "33333333", "44444444"]),
        ("\x1b[2P", ["11111111", "222222", "33333333", "44444444"]),
        ("\x1b[99P", ["11111111", "222", "33333333", "44444444"]),
        ("\x1b[2@", ["11111111", "222  222", "33333333", "44444444"]),
        ("\x1b[L", ["11111111", "", "22222222", "33333333"]),
        ("\x1b[2M", ["11111111", "44444444", "", ""]),
        ("\x1b[4hx\x1b[4ly", ["11111111", "222xy222", "33333333", "44444444"]),
        ("\x1b#8", ["EEEEEEEE", "EEEEEEEE", "EEEEEEEE", "EEEEEEEE"]),
        ("\x1bcx", ["x", "", "", ""]),
    ] {
        assert_eq!(shown(&std::format!("{FULL}{sequence}")), expected, "{sequence:?}");
    }
}

#[test]
fn only_the_region_moves() {
    assert_eq!(shown("1\n2\n3\n4\x1b[2;3r\x1b[3;1H\nx"), ["1", "3", "x", "4"]);
    assert_eq!(shown("1\n2\n3\n4\x1b[2;3r\x1b[2;1H\x1bMx"), ["1", "x", "2", "4"]);
    // No region at all: it stays the whole screen.
    assert_eq!(shown("1\n2\n3\n4\x1b[3;2r\x1b[5;9r\nx"), ["2", "3", "4", "x"]);
}

#[test]
fn rows_can_be_counted_from_the_top_of_the_region() {
    assert_eq!(shown("\x1b[2;3r\x1b[?6hx\x1b[9;1Hy\x1b[?6lz"), ["z", "x", "y", ""]);
}

#[test]
fn without_wrapping_the_last_column_is_overwritten() {
    assert_eq!(shown("\x1b[?7l123456789"), ["12345679", "", "", ""]);
}

#[test]
fn the_cursor_can_be_hidden() {
    let mut screen = screen(8, 4);
    screen.write(b"\x1b[?25l");
    assert_eq!(screen.cursor(), None);
    screen.write(b"\x1b[?25h");
    assert_eq!(place(&screen), (0, 0));
}

#[test]
fn unknown_and_broken_sequences_show_nothing_and_take_nothing_along() {
    for text in [
        "a\x1b[5;6zb",
        "a\x1b[>0cb",
        "a\x1b[1 qb",
        "a\x1b[1:2mb",
        "a\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18mb",
        "a\x1b(Bb",
        "a\x1b%Gb",
        "a\x1b[[Ab",
        "a\x1b]0;title\x07b",
        "a\x1b]0;title\x1b\\b",
        "a\x1bPdata\x1b\\b",
        "a\x1b[99999999999999999999z\x1b[31\x18b",
    ] {
        assert_eq!(shown(text)[0], "ab", "{text:?}");
    }
}

#[test]
fn text_for_others_ends_with_its_line() {
    assert_eq!(shown("a\x1b]0;unfinished\nnext"), ["a", "next", "", ""]);
}

#[test]
fn a_control_character_inside_a_sequence_is_obeyed() {
    assert_eq!(shown("a\x1b[\n2Cb"), ["a", "  b", "", ""]);
}

#[test]
fn characters_are_read_from_utf_8() {
    assert_eq!(shown("é€─")[0], "é€─");
    let mut screen = screen(8, 1);
    for byte in "€".bytes() {
        screen.write(&[byte]);
    }
    assert_eq!(line(&screen, 0).trim_end(), "€");
}

#[test]
fn bytes_that_are_no_character_show_as_one_that_says_so() {
    let mut screen = screen(10, 1);
    screen.write(b"a\xffb\xe2\x82c\xc3\x1b[mD\x80");
    assert_eq!(line(&screen, 0).trim_end(), "a\u{fffd}b\u{fffd}c\u{fffd}D\u{fffd}");
}

#[test]
fn a_display_that_was_used_before_goes_on_where_it_stopped() {
    let mut screen = screen(4, 2);
    let left = "old line".chars().map(|character| Cell::new(character, Attribute(0x1f)));
    screen.adopt(left, Cursor { column: 0, row: 1 });
    assert!(screen.take_damage().is_none());
    screen.write(b"new\nx");
    assert_eq!(lines(&screen), ["newe", "x"]);
    // A cursor beyond the screen, and cells that are missing.
    screen.adopt([], Cursor { column: 99, row: 99 });
    assert_eq!(screen.cursor(), Some(Cursor { column: 3, row: 1 }));
}

#[test]
fn a_screen_needs_cells_and_not_too_many() {
    let mut screen = Small::new();
    for (columns, rows) in [(0, 25), (80, 0), (80, 25), (usize::MAX, usize::MAX), (usize::MAX, 2), (1, 257)] {
        let error = screen.resize(columns, rows).expect_err("too many or too few");
        assert_eq!((error.columns, error.rows, error.room), (columns, rows, 256));
        assert_eq!((screen.columns(), screen.rows()), (1, 1));
    }
    screen.write(b"x\ny");
    assert_eq!(lines(&screen), ["y"]);
}

#[test]
fn the_pcs_font_has_each_of_its_characters() {
    for code in 1..=255 {
        let character = from_cp437(code);
        assert_eq!(to_cp437(character), Some(code), "{character:?}");
    }
    assert_eq!(
        (from_cp437(0), from_cp437(b'A'), from_cp437(0xb3), from_cp437(0x82)),
        (' ', 'A', '│', 'é')
    );
    assert_eq!(to_cp437('€'), None);
}

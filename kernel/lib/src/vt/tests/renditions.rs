//! Colours and emphasis.

use super::*;

/// The attribute of a character behind `text`, with Linux's default colours.
fn attribute(text: &str) -> u8 {
    let mut screen = screen(8, 1);
    screen.write(text.as_bytes());
    screen.write(b"\rx");
    screen.row(0)[0].attribute().0
}

#[test]
fn colours_and_emphasis_give_the_attribute_that_linux_gives_them() {
    for (parameters, expected) in [
        ("0", 0x07),
        ("", 0x07),
        ("1", 0x0f),
        ("2", 0x08),
        ("3", 0x02),
        ("4", 0x03),
        ("5", 0x87),
        ("7", 0x70),
        ("1;7", 0x78),
        ("31", 0x04),
        ("1;31", 0x0c),
        ("33;44", 0x16),
        ("91", 0x0c),
        ("97;101", 0xcf),
        ("31;39", 0x07),
        ("41;49", 0x07),
        ("1;22", 0x07),
        ("7;27", 0x07),
        ("31;0", 0x07),
        ("6;8;9;10;99;65535", 0x07),
        ("38;5;1", 0x04),
        ("38;5;9", 0x0c),
        ("38;5;196", 0x0c),
        ("38;5;244", 0x07),
        ("38;5;236", 0x08),
        ("38;5;65535", 0x0f),
        ("48;5;21", 0x17),
        ("38;2;255;128;0", 0x0e),
        ("48;2;255;255;255;1", 0x7f),
        // Cut off: no colour, and nothing behind it.
        ("38;5", 0x07),
        ("38", 0x07),
        ("38;9;31", 0x07),
    ] {
        assert_eq!(attribute(&std::format!("\x1b[{parameters}m")), expected, "{parameters}");
    }
}

#[test]
fn an_erased_place_has_the_background_and_no_emphasis() {
    let mut screen = screen(4, 1);
    screen.write(b"\x1b[44;1;7m\x1b[2K");
    assert!(screen.row(0).iter().all(|cell| *cell == Cell::new(' ', Attribute(0x17))));
}

#[test]
fn the_rendition_is_saved_and_brought_back_with_the_cursor() {
    assert_eq!(attribute("\x1b[31m\x1b7\x1b[0m\x1b8"), 0x04);
}

#[test]
fn other_colours_to_begin_with_are_what_a_reset_gives() {
    let mut screen = screen(4, 1);
    screen.set_colours(Colours {
        normal: 0x1e,
        ..Colours::DEFAULT
    });
    screen.write(b"a\x1b[31;42mb\x1b[39;49mc\x1b[0md");
    let attributes: Vec<_> = screen.row(0).iter().map(|cell| cell.attribute().0).collect();
    assert_eq!(attributes, [0x1e, 0x24, 0x1e, 0x1e]);
}

#[test]
fn an_inverted_attribute_has_its_halves_changed() {
    assert_eq!(Attribute(0x1e).inverted(), Attribute(0xe1));
    assert_eq!((Attribute(0x1e).foreground(), Attribute(0x1e).background()), (0x0e, 0x01));
}

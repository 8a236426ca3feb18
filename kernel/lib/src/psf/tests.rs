//! Tests with small fonts, written as the formats say.

use super::*;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// A font of version 1 with pictures of two lines, whose first byte is the picture's number.
fn version_1(mode: u8, names: &[u16]) -> Vec<u8> {
    let mut file = vec![0x36, 0x04, mode, 2];
    let count = if mode & 1 != 0 { 512 } else { 256 };
    (0..count).for_each(|index: usize| file.extend([index as u8, (index >> 8) as u8]));
    names.iter().for_each(|name| file.extend(name.to_le_bytes()));
    file
}

/// A font of version 2 with three pictures of 12 × 1 pixels.
fn version_2(flags: u32, names: &[u8]) -> Vec<u8> {
    let mut file = MAGIC_2.to_vec();
    for word in [0_u32, 32, flags, 3, 2, 1, 12] {
        file.extend(word.to_le_bytes());
    }
    file.extend([0x10, 0x11, 0x20, 0x21, 0x30, 0x31]);
    file.extend(names);
    file
}

#[test]
fn pictures_without_names_are_for_the_characters_of_their_numbers() {
    let file = version_1(0, &[]);
    let font = Font::parse(&file).expect("a font");
    assert_eq!((font.width(), font.height(), font.len()), (8, 2, 256));
    assert_eq!(font.glyph('A'), Some(&[0x41, 0][..]));
    assert_eq!(font.glyph('\u{100}'), None);
    let file = version_1(1, &[]);
    assert_eq!(Font::parse(&file).expect("a font").glyph('\u{101}'), Some(&[1, 1][..]));
}

#[test]
fn names_of_version_1_are_16_bits_wide_and_sequences_are_passed_over() {
    let names = [0x41, 0x20ac, 0xfffe, 0x42, 0x301, 0xffff, 0x43, 0xffff];
    let file = version_1(2, &names);
    let font = Font::parse(&file).expect("a font");
    assert_eq!((font.glyph('A'), font.glyph('€')), (Some(&[0, 0][..]), Some(&[0, 0][..])));
    assert_eq!((font.glyph('C'), font.glyph('B')), (Some(&[1, 0][..]), None));
}

#[test]
fn names_of_version_2_are_utf_8() {
    let file = version_2(1, b"a\xe2\x82\xac\xfee\xcc\x81\xff\xffb\xff");
    let font = Font::parse(&file).expect("a font");
    assert_eq!((font.width(), font.height(), font.len()), (12, 1, 3));
    assert_eq!(
        (font.glyph('a'), font.glyph('€')),
        (Some(&[0x10, 0x11][..]), Some(&[0x10, 0x11][..]))
    );
    assert_eq!((font.glyph('b'), font.glyph('e')), (Some(&[0x30, 0x31][..]), None));
}

#[test]
fn the_first_picture_of_a_character_counts() {
    let file = version_2(1, b"a\xffa\xffa\xff");
    assert_eq!(Font::parse(&file).expect("a font").glyph('a'), Some(&[0x10, 0x11][..]));
}

#[test]
fn what_is_no_font_says_why() {
    let changed = |at: usize, byte: u8| {
        let mut file = version_2(0, &[]);
        file[at] = byte;
        Font::parse(&file).err()
    };
    assert_eq!(Font::parse(&[]).err(), Some(BadFont::Magic));
    assert_eq!(changed(0, 0), Some(BadFont::Magic));
    assert_eq!(Font::parse(&MAGIC_1).err(), Some(BadFont::Short));
    assert_eq!(Font::parse(&MAGIC_2).err(), Some(BadFont::Short));
    assert_eq!(changed(16, 4), Some(BadFont::Short));
    assert_eq!(changed(11, 0xff), Some(BadFont::Short));
    assert_eq!(changed(16, 0), Some(BadFont::Count));
    assert_eq!(changed(19, 0xff), Some(BadFont::Count));
    // A width of 0, of 65, and one that needs another number of bytes.
    assert_eq!(
        (changed(28, 0), changed(28, 65), changed(28, 8)),
        (Some(BadFont::Size), Some(BadFont::Size), Some(BadFont::Size))
    );
    assert_eq!(Font::parse(&[0x36, 0x04, 0, 0]).err(), Some(BadFont::Size));
}

proptest! {
    #[test]
    fn a_picture_is_as_long_as_the_sizes_say_whatever_the_file(
        version in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        character in any::<char>(),
    ) {
        let mut file = if version { version_1(3, &[0x41, 0xffff]) } else { version_2(1, b"a\xffb\xff") };
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if let Ok(font) = Font::parse(&file) {
            for character in [character, 'a', 'A', '\0'] {
                if let Some(glyph) = font.glyph(character) {
                    prop_assert_eq!(glyph.len(), font.height() * font.width().div_ceil(8));
                }
            }
        }
    }
}

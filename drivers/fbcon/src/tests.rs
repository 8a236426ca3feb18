//! Tests of the fonts, and of characters as pixels.

use incipit::prelude::*;
use incipit_lib::bootparam::ScreenInfo;
use incipit_lib::psf::Font;
use incipit_lib::video::Framebuffer;

use crate::canvas::{self, Drawn, LINE_BYTES, RUN};
use crate::font::{self, FONTS};

/// A framebuffer with pixels of this depth, for its format.
fn framebuffer(depth: u16) -> Framebuffer {
    Framebuffer::from_screen_info(&ScreenInfo {
        orig_video_is_vga: ScreenInfo::VIDEO_TYPE_EFI,
        lfb_base: 0x8000_0000,
        lfb_width: 640,
        lfb_height: 480,
        lfb_linelength: 2560,
        lfb_depth: depth,
        ..ScreenInfo::default()
    })
    .expect("it says so")
    .expect("a good one")
}

#[ktest]
fn every_font_is_what_its_name_says_and_has_the_characters_of_a_log() {
    for entry in FONTS {
        let font = Font::parse(entry.data).expect("a font");
        let (width, height) = entry.name.split_once('x').expect("a size");
        assert_eq!((Ok(font.width()), Ok(font.height())), (width.parse(), height.parse()));
        assert!(RUN * font.width() * 4 <= LINE_BYTES);
        let unknown = font::glyph(&font, '?');
        for character in ('!'..='~').filter(|character| *character != '?').chain("é─│█".chars()) {
            let glyph = font::glyph(&font, character);
            assert_eq!(glyph.len(), font.height() * font.width().div_ceil(8));
            assert!(glyph != unknown && glyph.iter().any(|&bits| bits != 0), "{character}");
        }
        assert!(font::glyph(&font, ' ').iter().all(|&bits| bits == 0));
        assert_eq!(font::glyph(&font, '\u{10ffff}'), unknown);
    }
}

#[ktest]
fn a_wide_screen_has_a_large_font() {
    for (width, name) in [(0, "8x16"), (1024, "8x16"), (1919, "8x16")] {
        assert_eq!(font::for_width(width).name, name, "{width}");
    }
    if cfg!(CONFIG_FONT_12x24) {
        assert_eq!(font::for_width(1920).name, "12x24");
    }
    if cfg!(CONFIG_FONT_16x32) {
        assert_eq!(font::for_width(3840).name, "16x32");
    }
    assert_eq!(font::find("VGA8x16"), Some(0));
    assert_eq!(font::find("nosuch"), None);
}

#[ktest]
fn a_line_of_characters_is_a_line_of_their_pixels() {
    let font = Font::parse(FONTS[0].data).expect("a font");
    let drawn = |bits: &'static [u8]| Drawn {
        glyph: bits,
        foreground: 0x0011_2233,
        background: 0x0044_5566,
    };
    for (depth, lit, dark) in [
        (32, &[0x33, 0x22, 0x11, 0][..], &[0x66, 0x55, 0x44, 0][..]),
        (24, &[0x33, 0x22, 0x11], &[0x66, 0x55, 0x44]),
        (16, &[0x33, 0x22], &[0x66, 0x55]),
    ] {
        let format = framebuffer(depth).format;
        let mut line = [0xee; LINE_BYTES];
        let length = canvas::compose(&mut line, &[drawn(&[0, 0b1000_0001]), drawn(&[0, 0xff])], 1, &font, &format);
        assert_eq!(length, 16 * format.bytes());
        for (at, pixel) in line[..length].chunks_exact(format.bytes()).enumerate() {
            let expected = if at == 0 || at >= 7 { lit } else { dark };
            assert_eq!(pixel, expected, "{depth} {at}");
        }
        assert_eq!(line[length], 0xee);
    }
}

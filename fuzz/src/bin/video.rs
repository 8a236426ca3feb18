//! What describes a screen: `screen_info`, the words of `video=`, and console fonts.

#![no_main]

use incipit_lib::bootparam::ScreenInfo;
use incipit_lib::psf::Font;
use incipit_lib::video::{BadOption, Framebuffer, FramebufferOptions, Kind, TextMode, VideoOption};
use incipit_lib::vt::DEFAULT_PALETTE;
use incipit_lib::wire::Wire;
use libfuzzer_sys::fuzz_target;

/// What is accepted lies inside of itself.
fn screen(info: &ScreenInfo) {
    if let Ok(mode) = TextMode::from_screen_info(info) {
        assert!((1..=mode.memory_len() / 2).contains(&(mode.columns * mode.rows)));
        assert!(Kind::of(info).is_none());
    }
    match Framebuffer::from_screen_info(info) {
        Some(Ok(framebuffer)) => {
            let bytes = framebuffer.format.bytes();
            let last = (framebuffer.height - 1) * framebuffer.stride + framebuffer.width * bytes;
            assert!(last <= framebuffer.len() && framebuffer.base.checked_add(framebuffer.len() as u64).is_some());
            for colour in DEFAULT_PALETTE {
                assert_eq!(u64::from(framebuffer.format.encode(colour)) >> (bytes * 8), 0);
            }
        }
        Some(Err(error)) => assert_eq!(error.to_string().lines().count(), 1),
        None => assert!(Kind::of(info).is_none()),
    }
}

fn words(text: &str) {
    let VideoOption::Framebuffer(_, words) = VideoOption::parse(text) else { return };
    let mut options = FramebufferOptions::default();
    if let Err(BadOption::Unknown(word) | BadOption::Number(word)) = options.parse(words) {
        assert!(words.contains(word) && !word.is_empty());
    }
    let mut info = ScreenInfo::default();
    options.correct(&mut info);
    screen(&info);
}

fn font(file: &[u8]) {
    match Font::parse(file) {
        Ok(font) => {
            for character in ['\0', 'A', '\u{ff}', '€', '\u{10ffff}'] {
                if let Some(glyph) = font.glyph(character) {
                    assert_eq!(glyph.len(), font.height() * font.width().div_ceil(8));
                }
            }
        }
        Err(error) => assert_ne!(error.to_string(), ""),
    }
}

fuzz_target!(|input: &[u8]| {
    if let Some(info) = ScreenInfo::read(input) {
        screen(&info);
        screen(&ScreenInfo {
            orig_video_is_vga: ScreenInfo::VIDEO_TYPE_EFI,
            ..info
        });
    }
    if let Ok(text) = std::str::from_utf8(input) {
        words(text);
        words(&format!("efifb:{text}"));
    }
    font(input);
    // Most inputs are no font: these are, if the rest fits.
    font(&[&[0x36, 0x04][..], input].concat());
    font(&[&[0x72, 0xb5, 0x4a, 0x86][..], input].concat());
});

//! Tests with screens that are right, wrong, and anything at all.

mod models;

use super::*;
use crate::bootparam::ScreenInfo;
use crate::vt::{DEFAULT_PALETTE, Rgb};
use std::string::ToString;

pub(super) fn blank() -> ScreenInfo {
    ScreenInfo::default()
}

/// 1024 × 768 pixels of 32 bits, as QEMU's VGA BIOS sets them up.
pub(super) fn usual() -> ScreenInfo {
    ScreenInfo {
        orig_video_is_vga: ScreenInfo::VIDEO_TYPE_VLFB,
        lfb_base: 0xfd00_0000,
        lfb_size: 0x100,
        lfb_width: 1024,
        lfb_height: 768,
        lfb_depth: 32,
        lfb_linelength: 4096,
        red_size: 8,
        red_pos: 16,
        green_size: 8,
        green_pos: 8,
        blue_size: 8,
        blue_pos: 0,
        ..blank()
    }
}

/// The BIOS' mode 3.
fn text() -> ScreenInfo {
    ScreenInfo {
        orig_video_mode: 3,
        orig_video_cols: 80,
        orig_video_lines: 25,
        orig_video_is_vga: 1,
        orig_video_points: 16,
        orig_x: 4,
        orig_y: 12,
        ..blank()
    }
}

fn check(screen: &ScreenInfo) -> Result<Framebuffer, BadFramebuffer> {
    Framebuffer::from_screen_info(screen).expect("a framebuffer")
}

#[test]
fn a_vesa_framebuffer_is_described() {
    let framebuffer = check(&usual()).expect("a good one");
    assert_eq!((framebuffer.kind, framebuffer.base), (Kind::Vesa, 0xfd00_0000));
    assert_eq!((framebuffer.width, framebuffer.height, framebuffer.stride), (1024, 768, 4096));
    assert_eq!((framebuffer.len(), framebuffer.format.bytes()), (4096 * 768, 4));
}

#[test]
fn an_efi_framebuffer_may_be_above_4_gib() {
    let framebuffer = check(&ScreenInfo {
        orig_video_is_vga: ScreenInfo::VIDEO_TYPE_EFI,
        capabilities: ScreenInfo::CAPABILITY_64BIT_BASE,
        lfb_base: 0,
        ext_lfb_base: 0x80,
        ..usual()
    })
    .expect("a good one");
    assert_eq!((framebuffer.kind, framebuffer.base), (Kind::Efi, 0x80_0000_0000));
}

#[test]
fn a_screen_that_is_no_framebuffer_is_none() {
    assert_eq!(Framebuffer::from_screen_info(&text()), None);
    assert_eq!(Framebuffer::from_screen_info(&blank()), None);
}

#[test]
fn what_does_not_fit_is_named() {
    let field = |position, size| Field { position, size };
    for (screen, error, text) in [
        (
            ScreenInfo { lfb_base: 0, ..usual() },
            BadFramebuffer::NoAddress,
            "it has no address",
        ),
        (
            ScreenInfo { lfb_width: 0, ..usual() },
            BadFramebuffer::Empty { width: 0, height: 768 },
            "0x768 pixels are none",
        ),
        (
            ScreenInfo { lfb_height: 0, ..usual() },
            BadFramebuffer::Empty { width: 1024, height: 0 },
            "1024x0 pixels are none",
        ),
        (
            ScreenInfo { lfb_depth: 7, ..usual() },
            BadFramebuffer::Depth(7),
            "7 bits per pixel are not supported (15, 16, 24 or 32)",
        ),
        (
            ScreenInfo {
                lfb_linelength: 4095,
                ..usual()
            },
            BadFramebuffer::Stride {
                stride: 4095,
                needed: 4096,
            },
            "lines of 4095 bytes do not hold their pixels (4096 bytes)",
        ),
        (
            ScreenInfo { green_pos: 25, ..usual() },
            BadFramebuffer::Colour {
                name: "green",
                field: field(25, 8),
                depth: 32,
            },
            "8 bits of green from bit 25 on do not fit a pixel of 32 bits",
        ),
        (
            ScreenInfo { blue_size: 0, ..usual() },
            BadFramebuffer::Colour {
                name: "blue",
                field: field(0, 0),
                depth: 32,
            },
            "0 bits of blue from bit 0 on do not fit a pixel of 32 bits",
        ),
        (
            ScreenInfo {
                capabilities: ScreenInfo::CAPABILITY_64BIT_BASE,
                ext_lfb_base: u32::MAX,
                lfb_base: 0xffff_f000,
                ..usual()
            },
            BadFramebuffer::Beyond {
                base: 0xffff_ffff_ffff_f000,
                len: 0x30_0000,
            },
            "0x300000 bytes at 0xfffffffffffff000 end beyond the last address",
        ),
    ] {
        assert_eq!(check(&screen), Err(error));
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn colours_are_stored_as_the_fields_say() {
    let orange = Rgb {
        red: 0xff,
        green: 0x80,
        blue: 0x08,
    };
    for (depth, fields, bytes, pixel) in [
        (32, [(16, 8), (8, 8), (0, 8)], 4, 0x00ff_8008),
        (32, [(0, 8), (8, 8), (16, 8)], 4, 0x0008_80ff),
        (32, [(20, 10), (10, 10), (0, 10)], 4, 0x3ff << 20 | 0x202 << 10 | 0x20),
        (24, [(16, 8), (8, 8), (0, 8)], 3, 0x00ff_8008),
        (16, [(11, 5), (5, 6), (0, 5)], 2, 0x1f << 11 | 0x20 << 5 | 1),
        (15, [(10, 5), (5, 5), (0, 5)], 2, 0x1f << 10 | 0x10 << 5 | 1),
        // Nobody said: the usual fields of the depth.
        (16, [(0, 0), (0, 0), (0, 0)], 2, 0x1f << 11 | 0x20 << 5 | 1),
        (15, [(0, 0), (0, 0), (0, 0)], 2, 0x1f << 10 | 0x10 << 5 | 1),
    ] {
        let fields = fields.map(|(position, size)| Field { position, size });
        let format = PixelFormat::new(depth, fields).expect("fields that fit").expect("a depth");
        assert_eq!((format.bytes(), format.encode(orange)), (bytes, pixel), "{depth} {fields:?}");
        assert_eq!(format.encode(DEFAULT_PALETTE[0]), 0);
    }
}

#[test]
fn a_text_mode_is_described() {
    let mode = TextMode::from_screen_info(&text()).expect("mode 3");
    assert_eq!((mode.columns, mode.rows, mode.cursor, mode.character_height), (80, 25, (4, 12), 16));
    assert_eq!(
        (mode.memory(), mode.memory_len(), mode.controller(), mode.adapter.to_string()),
        (0xb_8000, 0x8000, 0x3d4, "VGA+".into())
    );
}

#[test]
fn elder_adapters_are_known_by_what_their_bios_said() {
    for (mode, ega_bx, is_vga, adapter, memory, len, port) in [
        (3, 0x10, 0, Adapter::Cga, 0xb_8000, 0x2000, 0x3d4),
        (3, 0x03, 0, Adapter::Ega, 0xb_8000, 0x8000, 0x3d4),
        (7, 0x10, 0, Adapter::Mda, 0xb_0000, 0x2000, 0x3b4),
        (7, 0x03, 1, Adapter::EgaMono, 0xb_0000, 0x8000, 0x3b4),
    ] {
        let screen = ScreenInfo {
            orig_video_mode: mode,
            orig_video_ega_bx: ega_bx,
            orig_video_is_vga: is_vga,
            ..text()
        };
        let found = TextMode::from_screen_info(&screen).expect("a text mode");
        assert_eq!(
            (found.adapter, found.memory(), found.memory_len(), found.controller()),
            (adapter, memory, len, port)
        );
    }
}

#[test]
fn what_is_no_text_mode_says_why() {
    for (screen, error, text) in [
        (blank(), NoTextMode::NoScreen, "nobody left a text screen"),
        (usual(), NoTextMode::Graphics, "it shows pixels"),
        (
            ScreenInfo {
                orig_video_cols: 255,
                orig_video_lines: 255,
                ..text()
            },
            NoTextMode::TooLarge {
                columns: 255,
                rows: 255,
                room: 0x4000,
            },
            "255x255 characters do not fit its memory (at most 16384)",
        ),
    ] {
        assert_eq!(TextMode::from_screen_info(&screen), Err(error));
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_video_option_is_for_a_driver_or_a_mode() {
    for (value, expected) in [
        ("efifb:off", VideoOption::Framebuffer(Kind::Efi, "off")),
        ("vesafb:mtrr:3,ywrap", VideoOption::Framebuffer(Kind::Vesa, "mtrr:3,ywrap")),
        ("LVDS-1:d", VideoOption::Other("LVDS-1")),
        ("1024x768", VideoOption::Mode("1024x768")),
        ("", VideoOption::Mode("")),
    ] {
        assert_eq!(VideoOption::parse(value), expected, "{value}");
    }
}

#[test]
fn the_user_may_know_better_than_the_firmware() {
    let mut options = FramebufferOptions::default();
    assert_eq!(
        options.parse("base:0xe0000000,width:800,height:600,,stride:1024,mtrr:3,ywrap"),
        Ok(())
    );
    let mut screen = usual();
    options.correct(&mut screen);
    assert_eq!(
        (screen.lfb_base, screen.lfb_width, screen.lfb_height, screen.lfb_linelength),
        (0xe000_0000, 800, 600, 4096)
    );
    assert!(!options.off && !options.no_write_combining);
    assert_eq!(options.parse("off,nowc"), Ok(()));
    assert!(options.off && options.no_write_combining);
}

#[test]
fn a_word_of_a_video_option_that_is_not_understood_is_named() {
    let mut options = FramebufferOptions::default();
    assert_eq!(options.parse("fast,off"), Err(BadOption::Unknown("fast")));
    assert!(options.off);
    for word in ["base:", "base:x", "width:65536", "height:-1", "stride:99999999999999999999"] {
        assert_eq!(options.parse(word), Err(BadOption::Number(word)));
    }
}

//! The fonts: Spleen, in the sizes that the configuration has. The crate `spleen-font` brings the files, `incipit_lib::psf` reads them.

use incipit_lib::psf::Font;

/// What stands for characters that a font does not have.
const UNKNOWN: char = '?';

/// A font that there is.
pub struct Entry {
    /// What `fbcon=font:` calls it.
    pub name: &'static str,
    /// What Linux calls one of that size, if it has one.
    linux: &'static str,
    /// The file.
    pub data: &'static [u8],
    /// Pixels in a line of a screen that it suits, at least.
    from_width: usize,
}

/// The fonts, the smallest first.
pub const FONTS: &[Entry] = &[
    Entry {
        name: "8x16",
        linux: "VGA8x16",
        data: spleen_font::FONT_8X16,
        from_width: 0,
    },
    #[cfg(CONFIG_FONT_12x24)]
    Entry {
        name: "12x24",
        linux: "SUN12x22",
        data: spleen_font::FONT_12X24,
        from_width: 1920,
    },
    #[cfg(CONFIG_FONT_16x32)]
    Entry {
        name: "16x32",
        linux: "TER16x32",
        data: spleen_font::FONT_16X32,
        from_width: 3200,
    },
];

/// The place in [`FONTS`] of the one with this name, ours or Linux's.
pub fn find(name: &str) -> Option<usize> {
    FONTS.iter().position(|font| font.name == name || font.linux == name)
}

/// The font for a screen that is this wide: the largest that suits it.
pub fn for_width(width: usize) -> &'static Entry {
    FONTS.iter().rfind(|font| font.from_width <= width).unwrap_or(&FONTS[0])
}

/// The picture of a character, or of one that says that the font has none.
pub fn glyph(font: &Font<'static>, character: char) -> &'static [u8] {
    font.glyph(character).or_else(|| font.glyph(UNKNOWN)).unwrap_or_default()
}

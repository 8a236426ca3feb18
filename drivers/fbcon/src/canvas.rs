//! Characters as pixels.

use incipit_lib::psf::Font;
use incipit_lib::video::PixelFormat;

/// Most characters that are drawn at once.
pub const RUN: usize = 32;

/// Bytes of a line of that many characters of the largest font in the largest pixels.
pub const LINE_BYTES: usize = RUN * 16 * 4;

/// A character to be drawn: its picture, and its two colours as pixels.
#[derive(Clone, Copy)]
pub struct Drawn {
    pub glyph: &'static [u8],
    pub foreground: u32,
    pub background: u32,
}

/// Puts line `y` of these characters into `line`, and says how many bytes that takes.
pub fn compose(line: &mut [u8], characters: &[Drawn], y: usize, font: &Font<'_>, format: &PixelFormat) -> usize {
    let bytes = font.width() * format.bytes();
    for (place, drawn) in line.chunks_exact_mut(bytes).zip(characters) {
        match format.bytes() {
            2 => compose_one::<2>(place, drawn, y, font),
            3 => compose_one::<3>(place, drawn, y, font),
            _ => compose_one::<4>(place, drawn, y, font),
        }
    }
    bytes * characters.len()
}

fn compose_one<const BYTES: usize>(place: &mut [u8], drawn: &Drawn, y: usize, font: &Font<'_>) {
    let row = font.width().div_ceil(8);
    let bits = drawn.glyph.get(y * row..(y + 1) * row).unwrap_or_default();
    for (eight, bits) in place.chunks_mut(8 * BYTES).zip(bits) {
        for (column, pixel) in eight.chunks_exact_mut(BYTES).enumerate() {
            let lit = bits & 0x80 >> column != 0;
            let colour = if lit { drawn.foreground } else { drawn.background };
            pixel.copy_from_slice(&colour.to_le_bytes()[..BYTES]);
        }
    }
}

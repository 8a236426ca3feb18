//! What a machine's screen shows, read as people do: from the adapter's memory in text mode, from the picture otherwise.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use incipit_lib::psf::Font;
use incipit_lib::vt::from_cp437;
use serde_json::json;

use crate::monitor::Monitor;

/// A VGA's text memory: where, how much of it, and the size of the screen in it, two bytes a character.
const TEXT_MEMORY: u64 = 0xb_8000;
const TEXT_BYTES: usize = 0x8000;
const COLUMNS: usize = 80;
const ROWS: usize = 25;

/// Ports of the adapter's controller, and its registers that say at which character of the memory the screen begins.
const INDEX: u16 = 0x3d4;
const DATA: u16 = 0x3d5;
const START: [u8; 2] = [0x0c, 0x0d];

/// The lines of the text screen, without the blanks at their ends. `folder` is for the file that QEMU writes. The machine is stopped meanwhile.
///
/// # Errors
///
/// If QEMU refuses to show its memory.
pub fn read_text(monitor: &mut Monitor, folder: &Path) -> Result<Vec<String>> {
    let mut lines = read_text_and_above(monitor, folder)?;
    Ok(lines.split_off(lines.len().saturating_sub(ROWS)))
}

/// [`read_text`], and above these the lines that have left the screen and are still in the adapter's memory.
///
/// # Errors
///
/// If QEMU refuses to show its memory.
pub fn read_text_and_above(monitor: &mut Monitor, folder: &Path) -> Result<Vec<String>> {
    let file = folder.join("screen");
    monitor.execute("stop", &json!({}))?;
    monitor.save_memory(TEXT_MEMORY, TEXT_BYTES, &file)?;
    let [high, low] = START.map(|register| controller_register(monitor, register));
    monitor.execute("cont", &json!({}))?;
    let start = usize::from(high?) << 8 | usize::from(low?);
    let memory = fs::read(&file)?;
    let cells = memory.get(start % COLUMNS * 2..(start + COLUMNS * ROWS) * 2);
    // Before the firmware has set it up, the controller says anything.
    let Some(cells) = cells else { return Ok(Vec::new()) };
    let row = |cells: &[u8]| cells.iter().step_by(2).map(|&code| from_cp437(code)).collect::<String>();
    Ok(cells.chunks(COLUMNS * 2).map(|cells| row(cells).trim_end().to_owned()).collect())
}

fn controller_register(monitor: &mut Monitor, register: u8) -> Result<u8> {
    monitor.human(&format!("o/b {INDEX:#x} {register:#x}"))?;
    let answer = monitor.human(&format!("i/b {DATA:#x}"))?;
    let number = answer.trim().rsplit("= 0x").next().unwrap_or_default();
    u8::from_str_radix(number, 16).with_context(|| format!("QEMU says of a port: {answer}"))
}

/// A picture of the screen.
pub struct Picture {
    width: usize,
    height: usize,
    /// Red, green and blue of each pixel.
    pixels: Vec<u8>,
}

impl Picture {
    /// Takes a picture of what the machine shows.
    ///
    /// # Errors
    ///
    /// If QEMU takes none.
    pub fn take(monitor: &mut Monitor, folder: &Path) -> Result<Self> {
        let file = folder.join("picture");
        monitor.execute("screendump", &json!({ "filename": file }))?;
        Self::parse(&fs::read(&file)?)
    }

    /// Reads a PPM file with eight bits a colour.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn parse(file: &[u8]) -> Result<Self> {
        let mut parts = file.splitn(4, |byte| *byte == b'\n');
        let mut header = || Some(std::str::from_utf8(parts.next()?).ok()?.to_owned());
        let (magic, size, depth) = (header(), header(), header());
        ensure!(magic.as_deref() == Some("P6") && depth.as_deref() == Some("255"), "no PPM file");
        let size = size.unwrap_or_default();
        let (width, height) = size.split_once(' ').context("no PPM file: the size is missing")?;
        let (width, height): (usize, usize) = (width.parse()?, height.parse()?);
        let pixels = parts.next().unwrap_or_default().to_vec();
        ensure!(
            pixels.len() == width * height * 3,
            "a PPM file of {} bytes, not {width}x{height}",
            pixels.len()
        );
        Ok(Self { width, height, pixels })
    }

    /// Pixels in a line, and lines.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Red, green and blue of each pixel, line by line from the top.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    fn pixel(&self, x: usize, y: usize) -> &[u8] {
        &self.pixels[(y * self.width + x) * 3..][..3]
    }

    /// The text on it, in characters of `font` that begin at the top left, without the blanks at the ends of lines. A place that shows none of the font's ASCII
    /// characters reads as U+FFFD, one with the cursor as what is above it.
    #[must_use]
    pub fn read(&self, font: &Font<'_>) -> Vec<String> {
        let (width, height) = (font.width(), font.height());
        // The cursor covers the lowest eighth of a cell.
        let covered = height / 8 * width.div_ceil(8);
        let (mut whole, mut above) = (HashMap::new(), HashMap::new());
        for character in ' '..='~' {
            let glyph = font.glyph(character).unwrap_or_default();
            whole.entry(glyph.to_vec()).or_insert(character);
            above
                .entry(glyph[..glyph.len().saturating_sub(covered)].to_vec())
                .or_insert(character);
        }
        let read = |column: usize, row: usize| {
            let lines = self.bits(column * width, row * height, width, height);
            let (upper, lower) = lines.split_at(lines.len() - covered);
            let under_cursor = || above.get(upper).filter(|_| is_full(lower, width));
            whole
                .get(&lines)
                .or_else(under_cursor)
                .copied()
                .unwrap_or(char::REPLACEMENT_CHARACTER)
        };
        (0..self.height / height)
            .map(|row| {
                (0..self.width / width)
                    .map(|column| read(column, row))
                    .collect::<String>()
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    /// Which pixels of a cell are not black, as fonts have it.
    fn bits(&self, x: usize, y: usize, width: usize, height: usize) -> Vec<u8> {
        let mut lines = Vec::new();
        for y in y..y + height {
            let mut line = vec![0; width.div_ceil(8)];
            for column in (0..width).filter(|column| self.pixel(x + column, y) != [0, 0, 0]) {
                line[column / 8] |= 0x80 >> (column % 8);
            }
            lines.extend(line);
        }
        lines
    }
}

/// Whether every pixel of these lines is lit.
fn is_full(lines: &[u8], width: usize) -> bool {
    let row = width.div_ceil(8);
    let lit = |line: &[u8]| line.iter().map(|bits| bits.count_ones() as usize).sum::<usize>() == width;
    lines.chunks(row).all(lit)
}

/// What a terminal of this many columns shows of `text`, which has no control characters but line feeds: rows, from the top.
#[must_use]
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for line in text.split('\n') {
        let characters: Vec<char> = line.chars().collect();
        let mut pieces = characters.chunks(columns).peekable();
        if pieces.peek().is_none() {
            rows.push(String::new());
        }
        rows.extend(pieces.map(|piece| piece.iter().collect::<String>().trim_end().to_owned()));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of `text` on black, with a cursor behind it.
    fn picture(text: &str, font: &Font<'_>) -> Picture {
        let (width, height) = (font.width(), font.height());
        let columns = text.chars().count() + 1;
        let mut pixels = vec![0; columns * width * height * 3];
        let mut light = |x: usize, y: usize| pixels[(y * columns * width + x) * 3 + 1] = 0xaa;
        for (column, character) in text.chars().enumerate() {
            let glyph = font.glyph(character).expect("ASCII");
            for (y, bits) in glyph.iter().enumerate() {
                (0..8).filter(|x| bits & 0x80 >> x != 0).for_each(|x| light(column * width + x, y));
            }
        }
        for y in height - height / 8..height {
            (0..width).for_each(|x| light((columns - 1) * width + x, y));
        }
        let mut file = format!("P6\n{} {height}\n255\n", columns * width).into_bytes();
        file.extend(pixels);
        Picture::parse(&file).expect("a PPM file")
    }

    #[test]
    fn text_is_read_from_its_picture() {
        let font = Font::parse(spleen_font::FONT_8X16).expect("a font");
        let picture = picture("Hello, {world}! |0O1l", &font);
        assert_eq!(picture.read(&font), ["Hello, {world}! |0O1l"]);
    }

    #[test]
    fn what_is_no_character_is_not_taken_for_one() {
        let font = Font::parse(spleen_font::FONT_8X16).expect("a font");
        let mut picture = picture("A", &font);
        picture.pixels[0] = 0xff;
        assert_eq!(picture.read(&font), ["\u{fffd}"]);
    }

    #[test]
    fn a_file_that_is_no_picture_is_refused() {
        for file in [
            &b""[..],
            b"P5\n1 1\n255\n\0\0\0",
            b"P6\n1 1\n255\n\0\0",
            b"P6\n1\n255\n\0",
            b"P6\n1 1\n65535\n\0\0\0",
        ] {
            assert!(Picture::parse(file).is_err());
        }
    }

    #[test]
    fn lines_are_wrapped_as_a_terminal_does() {
        assert_eq!(wrapped("abcd\n\nabcdefg\n", 4), ["abcd", "", "abcd", "efg", ""]);
    }
}

//! Console fonts: the files of both versions of PSF, as Linux's console tools have them.
//!
//! A file may say anything: what is read lies inside of it, or the font is refused. Pictures of characters are borrowed from the file.

use core::fmt;

/// Characters whose pictures are found at once.
const DIRECT: usize = 256;

/// No picture.
const NONE: u16 = u16::MAX;

/// A font.
#[derive(Clone, Debug)]
pub struct Font<'a> {
    width: usize,
    height: usize,
    glyph_len: usize,
    glyphs: &'a [u8],
    names: Names<'a>,
    /// The pictures of the first characters.
    direct: [u16; DIRECT],
}

/// Which characters a picture is for, picture by picture.
#[derive(Clone, Copy, Debug)]
enum Names<'a> {
    /// Each for the character of its own number.
    Numbers,
    /// Version 1: numbers of 16 bits.
    Ucs2(&'a [u8]),
    /// Version 2.
    Utf8(&'a [u8]),
}

/// Why a file is no font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFont {
    /// It does not begin like one.
    Magic,
    /// It ends before its pictures do.
    Short,
    /// Its pictures have no pixels, more than 64 in one direction, or another number of bytes than they need.
    Size,
    /// It has none, or more than 65,535.
    Count,
}

impl fmt::Display for BadFont {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Magic => "it is no PSF file",
            Self::Short => "it ends before its characters do",
            Self::Size => "its characters have an impossible size",
            Self::Count => "it has no characters, or too many",
        })
    }
}

/// Most pixels of a character, in each direction.
const MAX_SIZE: usize = 64;

const MAGIC_1: [u8; 2] = [0x36, 0x04];
const MAGIC_2: [u8; 4] = [0x72, 0xb5, 0x4a, 0x86];

/// In version 1's mode: there are 512 pictures, not 256; there are names.
const MODE_512: u8 = 1 << 0;
const MODE_NAMES: u8 = 1 << 1 | 1 << 2;

/// In version 2's flags: there are names.
const FLAG_NAMES: u32 = 1 << 0;

impl<'a> Font<'a> {
    /// Reads the font in `file`.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn parse(file: &'a [u8]) -> Result<Self, BadFont> {
        if file.starts_with(&MAGIC_1) {
            Self::parse_version_1(file)
        } else if file.starts_with(&MAGIC_2) {
            Self::parse_version_2(file)
        } else {
            Err(BadFont::Magic)
        }
    }

    fn parse_version_1(file: &'a [u8]) -> Result<Self, BadFont> {
        let [_, _, mode, height, rest @ ..] = file else {
            return Err(BadFont::Short);
        };
        let count = if mode & MODE_512 != 0 { 512 } else { 256 };
        let names = if mode & MODE_NAMES != 0 { Names::Ucs2 } else { |_| Names::Numbers };
        Self::new([8, usize::from(*height), usize::from(*height), count], rest, names)
    }

    fn parse_version_2(file: &'a [u8]) -> Result<Self, BadFont> {
        let word = |index: usize| {
            let bytes = file.get(index * 4..).and_then(|rest| rest.first_chunk());
            bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or(BadFont::Short)
        };
        let number = |index| Ok(word(index)? as usize);
        let (header, flags) = (number(2)?, word(3)?);
        let sizes = [number(7)?, number(6)?, number(5)?, number(4)?];
        let names = if flags & FLAG_NAMES != 0 { Names::Utf8 } else { |_| Names::Numbers };
        Self::new(sizes, file.get(header..).ok_or(BadFont::Short)?, names)
    }

    fn new([width, height, glyph_len, count]: [usize; 4], rest: &'a [u8], names: fn(&'a [u8]) -> Names<'a>) -> Result<Self, BadFont> {
        let is_possible = |size: usize| (1..=MAX_SIZE).contains(&size);
        if !is_possible(width) || !is_possible(height) || glyph_len != width.div_ceil(8) * height {
            return Err(BadFont::Size);
        }
        if count == 0 || count >= usize::from(NONE) {
            return Err(BadFont::Count);
        }
        let (glyphs, table) = rest.split_at_checked(count * glyph_len).ok_or(BadFont::Short)?;
        let mut font = Self {
            width,
            height,
            glyph_len,
            glyphs,
            names: names(table),
            direct: [NONE; DIRECT],
        };
        let mut direct = [NONE; DIRECT];
        font.for_each_name(|glyph, character| {
            if let Some(place) = direct.get_mut(character as usize).filter(|place| **place == NONE) {
                *place = glyph as u16;
            }
            true
        });
        font.direct = direct;
        Ok(font)
    }

    /// Pixels of a character from left to right.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Lines of a character.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// How many pictures there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.glyphs.len() / self.glyph_len
    }

    /// Never: a font without pictures is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The picture of `character`: its lines from the top, each of whole bytes, the leftmost pixel the highest bit.
    #[must_use]
    pub fn glyph(&self, character: char) -> Option<&'a [u8]> {
        let index = match self.direct.get(character as usize) {
            Some(&NONE) => return None,
            Some(&index) => usize::from(index),
            None => self.search(character)?,
        };
        self.glyphs.get(index * self.glyph_len..)?.get(..self.glyph_len)
    }

    fn search(&self, wanted: char) -> Option<usize> {
        let mut found = None;
        self.for_each_name(|glyph, character| {
            if character == wanted {
                found = Some(glyph);
            }
            found.is_none()
        });
        found
    }

    /// Calls `look` with every picture and each single character that it is for, while that says `true`.
    fn for_each_name(&self, mut look: impl FnMut(usize, char) -> bool) {
        match self.names {
            Names::Numbers => {
                let all = (0..self.len()).map_while(|index| char::from_u32(index as u32).map(|character| (index, character)));
                let _ = all.into_iter().all(|(index, character)| look(index, character));
            }
            Names::Ucs2(table) => {
                let units = table.as_chunks::<2>().0;
                let records = units.split(|unit| *unit == [0xff, 0xff]).take(self.len());
                let _ = records.enumerate().all(|(index, record)| {
                    let single = record
                        .iter()
                        .map(|unit| u16::from_le_bytes(*unit))
                        .take_while(|unit| *unit != 0xfffe);
                    single
                        .filter_map(|unit| char::from_u32(unit.into()))
                        .all(|character| look(index, character))
                });
            }
            Names::Utf8(table) => {
                let records = table.split(|byte| *byte == 0xff).take(self.len());
                let _ = records.enumerate().all(|(index, record)| {
                    let single = record.split(|byte| *byte == 0xfe).next().unwrap_or_default();
                    let characters = single.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
                    characters.into_iter().all(|character| look(index, character))
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;

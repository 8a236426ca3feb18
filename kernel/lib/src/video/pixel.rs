//! Colours as a framebuffer stores them.

use crate::vt::Rgb;

/// Where a part of a colour is in a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its lowest bit.
    pub position: u8,
    /// Its bits.
    pub size: u8,
}

impl Field {
    /// The field with `part`, which goes from 0 to 255, brought to its size.
    fn place(self, part: u8) -> u32 {
        let scaled = match self.size {
            0..=8 => u32::from(part) >> (8 - self.size),
            _ => u32::from(part) << (self.size - 8) | u32::from(part) >> (16 - self.size.min(16)),
        };
        scaled << self.position
    }

    fn fits(self, bits: u8) -> bool {
        (1..=16).contains(&self.size) && self.position.checked_add(self.size).is_some_and(|end| end <= bits)
    }
}

/// How a pixel is stored: a number of 2 to 4 bytes, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelFormat {
    bytes: u8,
    red: Field,
    green: Field,
    blue: Field,
}

const fn field(position: u8, size: u8) -> Field {
    Field { position, size }
}

impl PixelFormat {
    /// The format of pixels of `depth` bits, where a field that does not fit is named. Fields that are all empty are the usual ones of that depth; `Ok(None)`:
    /// it is not a depth with colours in fields.
    pub(super) fn new(depth: u16, [red, green, blue]: [Field; 3]) -> Result<Option<Self>, (&'static str, Field)> {
        let (bytes, usual) = match depth {
            15 => (2, [field(10, 5), field(5, 5), field(0, 5)]),
            16 => (2, [field(11, 5), field(5, 6), field(0, 5)]),
            24 => (3, [field(16, 8), field(8, 8), field(0, 8)]),
            32 => (4, [field(16, 8), field(8, 8), field(0, 8)]),
            _ => return Ok(None),
        };
        let unsaid = red.size == 0 && green.size == 0 && blue.size == 0;
        let [red, green, blue] = if unsaid { usual } else { [red, green, blue] };
        for (name, part) in [("red", red), ("green", green), ("blue", blue)] {
            if !part.fits(bytes * 8) {
                return Err((name, part));
            }
        }
        Ok(Some(Self { bytes, red, green, blue }))
    }

    /// Bytes of a pixel, 2 to 4.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// A pixel of this colour. The bytes beyond [`bytes`](Self::bytes) are 0.
    #[must_use]
    pub fn encode(&self, colour: Rgb) -> u32 {
        self.red.place(colour.red) | self.green.place(colour.green) | self.blue.place(colour.blue)
    }
}

//! Characters with colours, and the colours themselves.

/// How a cell is coloured: the attribute byte of VGA text memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute(pub u8);

impl Attribute {
    /// Light grey on black.
    pub const NORMAL: Self = Self(0x07);

    /// The foreground's number, 0 to 15, bits 0 blue, 1 green, 2 red, 3 bright.
    #[must_use]
    pub const fn foreground(self) -> u8 {
        self.0 & 0x0f
    }

    /// The background's number. VGA text shows bit 3 of it as blinking.
    #[must_use]
    pub const fn background(self) -> u8 {
        self.0 >> 4
    }

    /// Foreground and background changed for each other, as a block cursor shows the cell below it.
    #[must_use]
    pub const fn inverted(self) -> Self {
        Self(self.0.rotate_left(4))
    }
}

/// One character on the screen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cell(u32);

impl Cell {
    /// A blank, light grey on black.
    pub const BLANK: Self = Self::new(' ', Attribute::NORMAL);

    /// `character` in these colours.
    #[must_use]
    pub const fn new(character: char, attribute: Attribute) -> Self {
        // A character takes 21 bits.
        Self((attribute.0 as u32) << 24 | character as u32)
    }

    /// The character.
    #[must_use]
    pub fn character(self) -> char {
        char::from_u32(self.0 & 0x00ff_ffff).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// The colours.
    #[must_use]
    pub const fn attribute(self) -> Attribute {
        Attribute((self.0 >> 24) as u8)
    }
}

impl core::fmt::Debug for Cell {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}/{:02x}", self.character(), self.attribute().0)
    }
}

/// A colour by its parts, each 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

const fn rgb(red: u8, green: u8, blue: u8) -> Rgb {
    Rgb { red, green, blue }
}

/// The colours that a VGA's text mode has for the numbers of [`Attribute::foreground`].
pub const DEFAULT_PALETTE: [Rgb; 16] = [
    rgb(0x00, 0x00, 0x00),
    rgb(0x00, 0x00, 0xaa),
    rgb(0x00, 0xaa, 0x00),
    rgb(0x00, 0xaa, 0xaa),
    rgb(0xaa, 0x00, 0x00),
    rgb(0xaa, 0x00, 0xaa),
    rgb(0xaa, 0x55, 0x00),
    rgb(0xaa, 0xaa, 0xaa),
    rgb(0x55, 0x55, 0x55),
    rgb(0x55, 0x55, 0xff),
    rgb(0x55, 0xff, 0x55),
    rgb(0x55, 0xff, 0xff),
    rgb(0xff, 0x55, 0x55),
    rgb(0xff, 0x55, 0xff),
    rgb(0xff, 0xff, 0x55),
    rgb(0xff, 0xff, 0xff),
];

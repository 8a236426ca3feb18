//! What `CSI … m` says of the characters that follow: colours and emphasis, and the attribute that shows them.

use super::Attribute;

/// The colours that a terminal begins with, and those that stand for what a display cannot do: Linux's `vt.color=`, `vt.italic=`, `vt.underline=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colours {
    /// Foreground in the lower half, background in the upper one.
    pub normal: u8,
    /// The foreground of italic characters.
    pub italic: u8,
    /// The foreground of underlined characters.
    pub underline: u8,
}

impl Colours {
    /// Linux's: light grey on black, green for italics, cyan for what is underlined.
    pub const DEFAULT: Self = Self {
        normal: 0x07,
        italic: 0x02,
        underline: 0x03,
    };
}

/// What half the brightness is shown as: dark grey.
const HALF_BRIGHT: u8 = 0x08;

/// The numbers of ANSI's colours on a VGA, which counts blue as 1 and red as 4.
const FROM_ANSI: [u8; 8] = [0, 4, 2, 6, 1, 5, 3, 7];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intensity {
    Half,
    Normal,
    Bold,
}

/// How characters are to look: Linux's `struct vc_state`, the part that `CSI … m` sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rendition {
    colours: Colours,
    colour: u8,
    intensity: Intensity,
    italic: bool,
    underline: bool,
    blink: bool,
    reverse: bool,
}

impl Rendition {
    /// Plain characters in these colours.
    #[must_use]
    pub const fn plain(colours: Colours) -> Self {
        Self {
            colours,
            colour: colours.normal,
            intensity: Intensity::Normal,
            italic: false,
            underline: false,
            blink: false,
            reverse: false,
        }
    }

    /// What a character gets: Linux's `build_attr`.
    #[must_use]
    pub const fn attribute(&self) -> Attribute {
        let mut byte = self.colour;
        if self.italic {
            byte = byte & 0xf0 | self.colours.italic & 0x0f;
        } else if self.underline {
            byte = byte & 0xf0 | self.colours.underline & 0x0f;
        } else if matches!(self.intensity, Intensity::Half) {
            byte = byte & 0xf0 | HALF_BRIGHT;
        }
        if self.reverse {
            byte = byte & 0x88 | byte.rotate_left(4) & 0x77;
        }
        if self.blink {
            byte ^= 0x80;
        }
        if matches!(self.intensity, Intensity::Bold) {
            byte ^= 0x08;
        }
        Attribute(byte)
    }

    /// What an erased place gets: the background, and none of the emphasis.
    #[must_use]
    pub const fn erased(&self) -> Attribute {
        Attribute(self.colour)
    }

    /// Obeys the parameters of one `CSI … m`. Those that are not known change nothing.
    pub fn select(&mut self, parameters: &[u16]) {
        let mut rest = parameters;
        while let [first, others @ ..] = rest {
            rest = match first {
                38 | 48 => self.extended(*first == 38, others),
                _ => {
                    self.select_one(*first);
                    others
                }
            };
        }
    }

    fn select_one(&mut self, parameter: u16) {
        match parameter {
            0 => *self = Self::plain(self.colours),
            1 => self.intensity = Intensity::Bold,
            2 => self.intensity = Intensity::Half,
            3 => self.italic = true,
            4 | 21 => self.underline = true,
            5 => self.blink = true,
            7 => self.reverse = true,
            22 => self.intensity = Intensity::Normal,
            23 => self.italic = false,
            24 => self.underline = false,
            25 => self.blink = false,
            27 => self.reverse = false,
            30..=37 => self.set_foreground(FROM_ANSI[usize::from(parameter - 30)]),
            39 => self.set_foreground(self.colours.normal & 0x0f),
            40..=47 => self.set_background(FROM_ANSI[usize::from(parameter - 40)]),
            49 => self.set_background(self.colours.normal >> 4),
            90..=97 => self.set_foreground(FROM_ANSI[usize::from(parameter - 90)] | 0x08),
            100..=107 => self.set_background(FROM_ANSI[usize::from(parameter - 100)] | 0x08),
            _ => {}
        }
    }

    fn set_foreground(&mut self, number: u8) {
        self.colour = self.colour & 0xf0 | number;
    }

    fn set_background(&mut self, number: u8) {
        self.colour = self.colour & 0x0f | number << 4;
    }

    /// Obeys what stands behind `38` or `48`, and returns what stands behind that.
    fn extended<'a>(&mut self, foreground: bool, parameters: &'a [u16]) -> &'a [u16] {
        let (colour, rest) = match parameters {
            [5, number, rest @ ..] => (from_256(*number), rest),
            [2, red, green, blue, rest @ ..] => ([*red, *green, *blue], rest),
            // Cut off: there is nothing behind it that could be understood.
            _ => return &[],
        };
        if foreground {
            self.set_nearest_foreground(colour);
        } else {
            let bit = |part: u16, bit: u8| if part & 0x80 != 0 { bit } else { 0 };
            self.set_background(bit(colour[0], 4) | bit(colour[1], 2) | bit(colour[2], 1));
        }
        rest
    }

    /// The parts that are more than half of the largest, and bright if that is large: Linux's `rgb_foreground`.
    fn set_nearest_foreground(&mut self, colour: [u16; 3]) {
        let largest = colour.into_iter().max().unwrap_or(0);
        let bit = |part: u16, bit: u8| if part > largest / 2 { bit } else { 0 };
        let hue = bit(colour[0], 4) | bit(colour[1], 2) | bit(colour[2], 1);
        let (hue, bright) = match (hue, largest) {
            (7, ..=0x55) => (0, true),
            _ => (hue, largest > 0xaa),
        };
        self.set_foreground(hue);
        self.intensity = if bright { Intensity::Bold } else { Intensity::Normal };
    }
}

/// The parts of a colour of the usual 256: 16 of the VGA's, a cube of 6 × 6 × 6, 24 greys. Linux's `rgb_from_256`.
fn from_256(number: u16) -> [u16; 3] {
    let number = number.min(255);
    let bit = |mask: u16, high: u16, low: u16| if number & mask != 0 { high } else { low };
    match number {
        0..8 => [bit(1, 0xaa, 0), bit(2, 0xaa, 0), bit(4, 0xaa, 0)],
        8..16 => [bit(1, 0xff, 0x55), bit(2, 0xff, 0x55), bit(4, 0xff, 0x55)],
        16..232 => {
            let cube = number - 16;
            [cube / 36 * 85 / 2, cube / 6 % 6 * 85 / 2, cube % 6 * 85 / 2]
        }
        _ => [number * 10 - 2312; 3],
    }
}

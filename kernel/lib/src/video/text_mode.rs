//! Text modes of a PC's display adapters: Linux's `vgacon_startup`, as far as it only looks.

use core::fmt;

use crate::bootparam::ScreenInfo;

/// What adapter it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapter {
    /// Monochrome, the first one.
    Mda,
    /// Colour, the first one.
    Cga,
    /// EGA with a monochrome screen, and a VGA in mode 7.
    EgaMono,
    /// EGA.
    Ega,
    /// VGA and what came after.
    Vga,
}

impl Adapter {
    /// Whether it shows colours.
    #[must_use]
    pub const fn has_colours(self) -> bool {
        !matches!(self, Self::Mda | Self::EgaMono)
    }
}

/// What Linux calls it: a star for those that cannot move the screen by a register of theirs.
impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mda => "*MDA",
            Self::Cga => "*CGA",
            Self::EgaMono => "EGA+",
            Self::Ega => "EGA",
            Self::Vga => "VGA+",
        })
    }
}

/// A text mode that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextMode {
    /// On what.
    pub adapter: Adapter,
    /// Characters in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Where the cursor was left; may be beyond the screen.
    pub cursor: (usize, usize),
    /// Scan lines of a character; 0 if nobody said.
    pub character_height: usize,
}

/// Why there is no text mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTextMode {
    /// Nobody said anything of a screen, or it has none.
    NoScreen,
    /// It shows pixels.
    Graphics,
    /// More characters than its memory holds.
    TooLarge {
        /// Characters in a row.
        columns: u8,
        /// Rows.
        rows: u8,
        /// The characters that there is memory for.
        room: usize,
    },
}

impl fmt::Display for NoTextMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoScreen => f.write_str("nobody left a text screen"),
            Self::Graphics => f.write_str("it shows pixels"),
            Self::TooLarge { columns, rows, room } => {
                write!(f, "{columns}x{rows} characters do not fit its memory (at most {room})")
            }
        }
    }
}

/// The BIOS' monochrome text mode.
const MODE_MONOCHROME: u8 = 7;

/// What the EGA BIOS call leaves in the lower half of BX where there is no EGA.
const NO_EGA: u16 = 0x10;

impl TextMode {
    /// The text mode that `screen` describes.
    ///
    /// # Errors
    ///
    /// Why it describes none.
    pub const fn from_screen_info(screen: &ScreenInfo) -> Result<Self, NoTextMode> {
        if matches!(screen.orig_video_is_vga, ScreenInfo::VIDEO_TYPE_VLFB | ScreenInfo::VIDEO_TYPE_EFI) {
            return Err(NoTextMode::Graphics);
        }
        let (columns, rows) = (screen.orig_video_cols, screen.orig_video_lines);
        if columns == 0 || rows == 0 {
            return Err(NoTextMode::NoScreen);
        }
        let is_ega = screen.orig_video_ega_bx & 0xff != NO_EGA;
        let adapter = match (screen.orig_video_mode == MODE_MONOCHROME, is_ega) {
            (true, true) => Adapter::EgaMono,
            (true, false) => Adapter::Mda,
            (false, true) if screen.orig_video_is_vga != 0 => Adapter::Vga,
            (false, true) => Adapter::Ega,
            (false, false) => Adapter::Cga,
        };
        let mode = Self {
            adapter,
            columns: columns as usize,
            rows: rows as usize,
            cursor: (screen.orig_x as usize, screen.orig_y as usize),
            character_height: screen.orig_video_points as usize,
        };
        let room = mode.memory_len() / 2;
        if mode.columns * mode.rows > room {
            return Err(NoTextMode::TooLarge { columns, rows, room });
        }
        Ok(mode)
    }

    /// The physical address of its memory, two bytes to a character.
    #[must_use]
    pub const fn memory(&self) -> u64 {
        if self.adapter.has_colours() { 0xb_8000 } else { 0xb_0000 }
    }

    /// Bytes of that memory.
    #[must_use]
    pub const fn memory_len(&self) -> usize {
        match self.adapter {
            Adapter::Mda | Adapter::Cga => 0x2000,
            Adapter::EgaMono | Adapter::Ega | Adapter::Vga => 0x8000,
        }
    }

    /// The first of the two ports of its cathode ray tube controller.
    #[must_use]
    pub const fn controller(&self) -> u16 {
        if self.adapter.has_colours() { 0x3d4 } else { 0x3b4 }
    }
}

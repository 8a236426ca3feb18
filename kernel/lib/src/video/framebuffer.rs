//! Linear framebuffers: VESA's and EFI's.

use core::fmt;

use super::pixel::{Field, PixelFormat};
use crate::bootparam::ScreenInfo;

/// Who set the framebuffer up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The VGA BIOS: `VIDEO_TYPE_VLFB`.
    Vesa,
    /// UEFI: `VIDEO_TYPE_EFI`.
    Efi,
}

impl Kind {
    /// The kind that `screen` speaks of, if it speaks of a framebuffer.
    #[must_use]
    pub const fn of(screen: &ScreenInfo) -> Option<Self> {
        match screen.orig_video_is_vga {
            ScreenInfo::VIDEO_TYPE_VLFB => Some(Self::Vesa),
            ScreenInfo::VIDEO_TYPE_EFI => Some(Self::Efi),
            _ => None,
        }
    }

    /// What Linux calls its driver, and `video=` does.
    #[must_use]
    pub const fn driver(self) -> &'static str {
        match self {
            Self::Vesa => "vesafb",
            Self::Efi => "efifb",
        }
    }
}

/// A framebuffer whose parts fit each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framebuffer {
    /// Who set it up.
    pub kind: Kind,
    /// Its physical address.
    pub base: u64,
    /// Pixels in a line.
    pub width: usize,
    /// Lines.
    pub height: usize,
    /// Bytes from one line to the next.
    pub stride: usize,
    /// Bits in a pixel, as the firmware counts them.
    pub depth: u16,
    /// How a pixel is stored.
    pub format: PixelFormat,
}

/// Why a framebuffer cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFramebuffer {
    /// It has no address.
    NoAddress,
    /// It has no pixels.
    Empty {
        /// Pixels in a line.
        width: u16,
        /// Lines.
        height: u16,
    },
    /// Its pixels are not numbers with a field for each colour.
    Depth(u16),
    /// The next line begins before the pixels of one are over.
    Stride {
        /// Bytes from one line to the next.
        stride: u16,
        /// Bytes of the pixels.
        needed: usize,
    },
    /// A colour is not inside the pixel.
    Colour {
        /// Which.
        name: &'static str,
        /// Where it is said to be.
        field: Field,
        /// Bits in a pixel.
        depth: u16,
    },
    /// Its end is beyond what an address can say.
    Beyond {
        /// Its address.
        base: u64,
        /// Its bytes.
        len: usize,
    },
}

impl fmt::Display for BadFramebuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str("it has no address"),
            Self::Empty { width, height } => write!(f, "{width}x{height} pixels are none"),
            Self::Depth(depth) => write!(f, "{depth} bits per pixel are not supported (15, 16, 24 or 32)"),
            Self::Stride { stride, needed } => write!(f, "lines of {stride} bytes do not hold their pixels ({needed} bytes)"),
            Self::Colour { name, field, depth } => {
                let Field { position, size } = field;
                write!(f, "{size} bits of {name} from bit {position} on do not fit a pixel of {depth} bits")
            }
            Self::Beyond { base, len } => write!(f, "{len:#x} bytes at {base:#x} end beyond the last address"),
        }
    }
}

impl Framebuffer {
    /// The framebuffer that `screen` describes; `None` if it describes none.
    ///
    /// # Errors
    ///
    /// What does not fit.
    pub fn from_screen_info(screen: &ScreenInfo) -> Option<Result<Self, BadFramebuffer>> {
        Some(Self::check(Kind::of(screen)?, screen))
    }

    fn check(kind: Kind, screen: &ScreenInfo) -> Result<Self, BadFramebuffer> {
        let (base, depth) = (screen.framebuffer(), screen.lfb_depth);
        if base == 0 {
            return Err(BadFramebuffer::NoAddress);
        }
        if screen.lfb_width == 0 || screen.lfb_height == 0 {
            return Err(BadFramebuffer::Empty {
                width: screen.lfb_width,
                height: screen.lfb_height,
            });
        }
        let field = |position, size| Field { position, size };
        let fields = [
            field(screen.red_pos, screen.red_size),
            field(screen.green_pos, screen.green_size),
            field(screen.blue_pos, screen.blue_size),
        ];
        let format = PixelFormat::new(depth, fields)
            .map_err(|(name, field)| BadFramebuffer::Colour { name, field, depth })?
            .ok_or(BadFramebuffer::Depth(depth))?;
        let needed = usize::from(screen.lfb_width) * format.bytes();
        if usize::from(screen.lfb_linelength) < needed {
            return Err(BadFramebuffer::Stride {
                stride: screen.lfb_linelength,
                needed,
            });
        }
        let framebuffer = Self {
            kind,
            base,
            width: screen.lfb_width.into(),
            height: screen.lfb_height.into(),
            stride: screen.lfb_linelength.into(),
            depth,
            format,
        };
        let len = framebuffer.len();
        if base.checked_add(len as u64).is_none() {
            return Err(BadFramebuffer::Beyond { base, len });
        }
        Ok(framebuffer)
    }

    /// Bytes from the first pixel to behind the last line. Never 0, and never more than 65,535 lines of 65,535 bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.stride * self.height
    }

    /// Never.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

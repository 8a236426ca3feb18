//! The screen as EFI's Graphics Output Protocol describes it.

use crate::bootparam::ScreenInfo;

/// How a pixel is laid out (`EFI_GRAPHICS_PIXEL_FORMAT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// Bytes red, green, blue, unused.
    Rgb,
    /// Bytes blue, green, red, unused.
    Bgr,
    /// Masks of red, green, blue and unused bits.
    BitMask([u32; 4]),
}

/// A mode, and the framebuffer that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphicsMode {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pixels from one line to the next.
    pub stride: u32,
    /// How a pixel is laid out.
    pub format: PixelFormat,
    /// Physical address of the framebuffer.
    pub base: u64,
    /// Its size in bytes.
    pub size: u64,
}

impl GraphicsMode {
    /// As the display of the zero page; `None` for what that cannot describe, or for masks that are not each one run of bits.
    pub fn screen_info(&self) -> Option<ScreenInfo> {
        let [red, green, blue, reserved] = match self.format {
            PixelFormat::Rgb => [(0, 8), (8, 8), (16, 8), (24, 8)],
            PixelFormat::Bgr => [(16, 8), (8, 8), (0, 8), (24, 8)],
            PixelFormat::BitMask(masks) => {
                let mut fields = [(0, 0); 4];
                for (field, mask) in fields.iter_mut().zip(masks) {
                    *field = run(mask)?;
                }
                fields
            }
        };
        let bits = [red, green, blue, reserved].iter().map(|&(position, size)| position + size).max()?;
        let depth = bits.next_multiple_of(8);
        let line = self.stride.checked_mul(u32::from(depth) / 8)?;
        Some(
            ScreenInfo {
                orig_video_is_vga: ScreenInfo::VIDEO_TYPE_EFI,
                lfb_width: u16::try_from(self.width).ok()?,
                lfb_height: u16::try_from(self.height).ok()?,
                lfb_depth: u16::from(depth),
                lfb_linelength: u16::try_from(line).ok()?,
                lfb_size: u32::try_from(self.size).ok()?,
                red_pos: red.0,
                red_size: red.1,
                green_pos: green.0,
                green_size: green.1,
                blue_pos: blue.0,
                blue_size: blue.1,
                rsvd_pos: reserved.0,
                rsvd_size: reserved.1,
                pages: 1,
                ..ScreenInfo::default()
            }
            .at(self.base),
        )
    }
}

/// Lowest bit and number of bits of a mask that is one run, or none at all.
fn run(mask: u32) -> Option<(u8, u8)> {
    if mask == 0 {
        return Some((0, 0));
    }
    let (low, count) = (mask.trailing_zeros(), mask.count_ones());
    let contiguous = (mask >> low).count_ones() == (mask >> low).trailing_ones();
    contiguous.then_some((low as u8, count as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODE: GraphicsMode = GraphicsMode {
        width: 1280,
        height: 800,
        stride: 1280,
        format: PixelFormat::Bgr,
        base: 0x8000_0000,
        size: 1280 * 800 * 4,
    };

    #[test]
    fn the_usual_mode_has_blue_first() {
        let screen = MODE.screen_info().unwrap();
        assert_eq!(screen.orig_video_is_vga, 0x70);
        assert_eq!((screen.lfb_width, screen.lfb_height, screen.lfb_depth), (1280, 800, 32));
        assert_eq!((screen.lfb_linelength, screen.lfb_size), (5120, 4_096_000));
        assert_eq!((screen.blue_pos, screen.green_pos, screen.red_pos, screen.rsvd_pos), (0, 8, 16, 24));
        assert_eq!(screen.framebuffer(), 0x8000_0000);
    }

    #[test]
    fn masks_give_position_size_and_depth() {
        let mode = GraphicsMode {
            format: PixelFormat::BitMask([0xf800, 0x07e0, 0x001f, 0]),
            base: 0x40_0000_0000,
            ..MODE
        };
        let screen = mode.screen_info().unwrap();
        assert_eq!((screen.red_pos, screen.red_size), (11, 5));
        assert_eq!((screen.green_pos, screen.green_size), (5, 6));
        assert_eq!((screen.rsvd_pos, screen.rsvd_size), (0, 0));
        assert_eq!((screen.lfb_depth, screen.lfb_linelength), (16, 2560));
        assert_eq!(screen.framebuffer(), 0x40_0000_0000);
    }

    #[test]
    fn what_cannot_be_described_is_no_display() {
        let refused = [
            GraphicsMode { width: 65_536, ..MODE },
            GraphicsMode { height: 65_536, ..MODE },
            GraphicsMode { stride: 16_384, ..MODE },
            GraphicsMode { stride: u32::MAX, ..MODE },
            GraphicsMode { size: 1 << 32, ..MODE },
            GraphicsMode {
                format: PixelFormat::BitMask([0xf0f0, 0, 0, 0]),
                ..MODE
            },
        ];
        for mode in refused {
            assert_eq!(mode.screen_info(), None, "{mode:?}");
        }
        let none = GraphicsMode {
            format: PixelFormat::BitMask([0; 4]),
            ..MODE
        };
        assert_eq!(none.screen_info().map(|screen| screen.lfb_depth), Some(0));
    }
}

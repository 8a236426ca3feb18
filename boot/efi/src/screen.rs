//! The screen: the mode that the firmware's graphics console shows, and where its framebuffer is.

use incipit_lib::bootparam::ScreenInfo;
use incipit_lib::efi::{GraphicsMode, PixelFormat};
use uefi_raw::protocol::console::{GraphicsOutputProtocol, GraphicsPixelFormat};

use crate::firmware::Firmware;

/// The display, if there is one with a framebuffer that can be described.
pub fn find(firmware: &Firmware) -> Option<ScreenInfo> {
    let output = firmware.any::<GraphicsOutputProtocol>()?;
    // SAFETY: the firmware keeps both up to date as long as the protocol is there.
    let (mode, info) = unsafe {
        let mode = output.mode.as_ref()?;
        (mode, mode.info.as_ref()?)
    };
    let masks = info.pixel_information;
    let format = match info.pixel_format {
        GraphicsPixelFormat::PIXEL_RED_GREEN_BLUE_RESERVED_8_BIT_PER_COLOR => PixelFormat::Rgb,
        GraphicsPixelFormat::PIXEL_BLUE_GREEN_RED_RESERVED_8_BIT_PER_COLOR => PixelFormat::Bgr,
        GraphicsPixelFormat::PIXEL_BIT_MASK => PixelFormat::BitMask([masks.red, masks.green, masks.blue, masks.reserved]),
        _ => return None,
    };
    GraphicsMode {
        width: info.horizontal_resolution,
        height: info.vertical_resolution,
        stride: info.pixels_per_scan_line,
        format,
        base: mode.frame_buffer_base,
        size: mode.frame_buffer_size as u64,
    }
    .screen_info()
}

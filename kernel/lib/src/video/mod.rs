//! Displays as the firmware and the loader left them: what `screen_info` says, checked, and the command line's `video=`.
//!
//! Comes from outside and is not believed: a framebuffer is described only if its lines hold their pixels, its colours fit a pixel, and its end can be
//! addressed. Where the memory is and who maps it is the drivers' business.

mod framebuffer;
mod option;
mod pixel;
mod text_mode;

#[cfg(test)]
mod tests;

pub use framebuffer::{BadFramebuffer, Framebuffer, Kind};
pub use option::{BadOption, FramebufferOptions, VideoOption};
pub use pixel::{Field, PixelFormat};
pub use text_mode::{Adapter, NoTextMode, TextMode};

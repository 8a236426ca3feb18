//! The command line's `video=`.

use core::fmt;

use super::framebuffer::Kind;
use crate::bootparam::ScreenInfo;
use crate::param::parse_int;

/// What `video=` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoOption<'a> {
    /// Words for the driver of one kind of framebuffer.
    Framebuffer(Kind, &'a str),
    /// Words for a driver that is not one of these.
    Other(&'a str),
    /// A mode for all: `1024x768-32@60`. Only a driver that sets modes could obey.
    Mode(&'a str),
}

impl<'a> VideoOption<'a> {
    /// Reads `driver:words` or `mode`.
    #[must_use]
    pub fn parse(value: &'a str) -> Self {
        match value.split_once(':') {
            Some(("efifb", words)) => Self::Framebuffer(Kind::Efi, words),
            Some(("vesafb", words)) => Self::Framebuffer(Kind::Vesa, words),
            Some((driver, _)) => Self::Other(driver),
            None => Self::Mode(value),
        }
    }
}

/// What a driver is told about its framebuffer: its use, and what the firmware got wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FramebufferOptions {
    /// Leave it alone.
    pub off: bool,
    /// Do not let the processor put writes together.
    pub no_write_combining: bool,
    base: Option<u32>,
    width: Option<u16>,
    height: Option<u16>,
    /// In pixels of 32 bits, as Linux counts it here.
    stride: Option<u16>,
}

/// A word that is not understood. Those before it count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadOption<'a> {
    /// Nobody knows it.
    Unknown(&'a str),
    /// Its number is none, or too large.
    Number(&'a str),
}

impl fmt::Display for BadOption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(word) => write!(f, "'{word}' is no option (off, nowc, base:, width:, height:, stride:)"),
            Self::Number(word) => write!(f, "'{word}': the number is none, or too large"),
        }
    }
}

/// Ways to scroll and to cache that Linux's `vesafb` can be told, and that make no difference to who draws only what changed.
const WITHOUT_EFFECT: [&str; 9] = ["inverse", "redraw", "ypan", "ywrap", "vgapal", "pmipal", "mtrr", "vtotal", "vremap"];

impl FramebufferOptions {
    /// Reads `off`, `nowc` and `name:number`, separated by commas.
    ///
    /// # Errors
    ///
    /// The first word that is not understood; the others are read all the same.
    pub fn parse<'a>(&mut self, words: &'a str) -> Result<(), BadOption<'a>> {
        let mut result = Ok(());
        for word in words.split(',').filter(|word| !word.is_empty()) {
            result = result.and(self.parse_word(word));
        }
        result
    }

    fn parse_word<'a>(&mut self, word: &'a str) -> Result<(), BadOption<'a>> {
        let (name, number) = word.split_once(':').unwrap_or((word, ""));
        match name {
            "off" => self.off = true,
            "nowc" | "nomtrr" => self.no_write_combining = true,
            "base" => self.base = Some(read(word, parse_int::<u32>(number.as_bytes()).ok())?),
            "width" => self.width = Some(read(word, parse_int::<u16>(number.as_bytes()).ok())?),
            "height" => self.height = Some(read(word, parse_int::<u16>(number.as_bytes()).ok())?),
            "stride" => self.stride = Some(read(word, parse_int::<u16>(number.as_bytes()).ok())?),
            _ if WITHOUT_EFFECT.contains(&name) => {}
            _ => return Err(BadOption::Unknown(word)),
        }
        Ok(())
    }

    /// Puts what the user knows better than the firmware into `screen`, as Linux's `efifb_setup` does.
    pub fn correct(&self, screen: &mut ScreenInfo) {
        if let Some(base) = self.base {
            screen.lfb_base = base;
            screen.ext_lfb_base = 0;
        }
        if let Some(width) = self.width {
            screen.lfb_width = width;
        }
        if let Some(height) = self.height {
            screen.lfb_height = height;
        }
        if let Some(stride) = self.stride {
            screen.lfb_linelength = stride.saturating_mul(4);
        }
    }
}

fn read<T>(word: &str, number: Option<T>) -> Result<T, BadOption<'_>> {
    number.ok_or(BadOption::Number(word))
}

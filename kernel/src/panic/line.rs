//! A line of text built piece by piece, without memory to ask for.

use core::fmt;

use crate::prelude::*;

/// At most `N` bytes of text; what does not fit is cut off at a character's border, and the writer is told.
pub struct Line<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Line<N> {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Line { bytes: [0; N], length: 0 }
    }

    /// The text so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The pieces end at borders of characters, so this is all of it.
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

impl<const N: usize> Default for Line<N> {
    fn default() -> Self {
        Line::new()
    }
}

impl<const N: usize> fmt::Write for Line<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = N - self.length;
        let taken = (0..=room.min(text.len()))
            .rev()
            .find(|&end| text.is_char_boundary(end))
            .unwrap_or(0);
        self.bytes[self.length..][..taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.length += taken;
        if taken == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[ktest]
fn a_line_that_overflows_is_cut_at_a_characters_border() {
    use core::fmt::Write;

    let mut line = Line::<6>::new();
    assert_eq!(line.write_str("abcd"), Ok(()));
    assert_eq!(line.write_str("e\u{20ac}"), Err(fmt::Error));
    assert_eq!(line.as_str(), "abcde");
    assert_eq!(line.write_str("f"), Ok(()));
    assert_eq!(line.write_str("g"), Err(fmt::Error));
    assert_eq!(line.as_str(), "abcdef");
}

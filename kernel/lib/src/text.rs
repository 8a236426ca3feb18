//! Showing bytes from outside in a log line.
//!
//! The command line, names in an initrd or strings left by firmware may hold any bytes. This room
//! turns them into something that a formatter takes, without copying; it does not judge them.

use core::fmt;

/// Displays bytes as text; each malformed UTF-8 sequence becomes U+FFFD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lossy<'a>(pub &'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn valid_text_is_shown_as_it_is() {
        assert_eq!(format!("{}", Lossy("größe=1".as_bytes())), "größe=1");
    }

    #[test]
    fn a_malformed_sequence_becomes_a_replacement_character() {
        assert_eq!(format!("{}", Lossy(b"a\xffb\xe2\x82")), "a\u{fffd}b\u{fffd}");
    }
}

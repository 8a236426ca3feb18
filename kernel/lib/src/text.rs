//! Showing text from outside in a line.
//!
//! The command line, names in an initrd or strings left by firmware may hold any bytes. This room
//! turns them into something that a formatter takes, without copying; it does not judge them.

use core::fmt::{self, Write};

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

/// Displays a value as one field of a line whose fields are separated by tabs: what would end the field is escaped, `\t`, `\n`, `\r`, `\\`, and `\x1b` for other
/// control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<T>(pub T);

impl<T: fmt::Display> fmt::Display for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping { out: f }, "{}", self.0)
    }
}

/// Passes text on as [`Field`] shows it.
struct Escaping<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(|character: char| character.is_ascii_control() || character == '\\') {
            self.out.write_str(&rest[..at])?;
            match rest.as_bytes()[at] {
                b'\t' => self.out.write_str("\\t")?,
                b'\n' => self.out.write_str("\\n")?,
                b'\r' => self.out.write_str("\\r")?,
                b'\\' => self.out.write_str("\\\\")?,
                control => write!(self.out, "\\x{control:02x}")?,
            }
            rest = &rest[at + 1..];
        }
        self.out.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_field_has_no_tab_and_no_line_break() {
        assert_eq!(format!("{}", Field("größe=1")), "größe=1");
        assert_eq!(format!("{}", Field("a\tb\r\n\\\x1b[0m\x7f")), "a\\tb\\r\\n\\\\\\x1b[0m\\x7f");
        assert_eq!(format!("{}", Field(format_args!("{}\t{}", 1, "\0"))), "1\\t\\x00");
    }

    #[test]
    fn valid_text_is_shown_as_it_is() {
        assert_eq!(format!("{}", Lossy("größe=1".as_bytes())), "größe=1");
    }

    #[test]
    fn a_malformed_sequence_becomes_a_replacement_character() {
        assert_eq!(format!("{}", Lossy(b"a\xffb\xe2\x82")), "a\u{fffd}b\u{fffd}");
    }
}

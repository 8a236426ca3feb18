//! What `crashkernel=` asks for: memory that is kept for a second kernel, which looks at what became
//! of the first (Linux's `Documentation/admin-guide/kdump/kdump.rst`).

use core::fmt;

use crate::param::{ParamError, memparse};

/// One value of the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `size[@base]`, or the size that a list of ranges has for this machine: this many bytes, from
    /// `base` on if it says so.
    Anywhere {
        /// How many bytes; none are asked for if 0.
        size: u64,
        /// Where, if it matters.
        base: Option<u64>,
    },
    /// `size,high`: above 4 GiB, if there is room.
    High(u64),
    /// `size,low`: this much below 4 GiB besides, if the other is above.
    Low(u64),
}

/// What is wrong with a value, and behind how many bytes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// What.
    pub kind: ErrorKind,
    /// Where.
    pub offset: usize,
}

/// What can be wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No size where one must be.
    ValueExpected,
    /// A size of more than 64 bits.
    TooLarge,
    /// Another character than this one.
    Expected(char),
    /// A range that ends before it starts.
    EndBeforeStart,
    /// More memory asked for than there is.
    InvalidSize,
    /// Something behind what would have been a whole value.
    UnrecognizedChar,
}

/// In Linux's words where it has some.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::ValueExpected => f.write_str("Memory value expected")?,
            ErrorKind::TooLarge => f.write_str("value too large")?,
            ErrorKind::Expected(expected) => write!(f, "'{expected}' expected")?,
            ErrorKind::EndBeforeStart => f.write_str("end <= start")?,
            ErrorKind::InvalidSize => f.write_str("invalid size")?,
            ErrorKind::UnrecognizedChar => f.write_str("unrecognized char")?,
        }
        write!(f, " at character {}", self.offset + 1)
    }
}

/// Reads a value on a machine with `system_ram` bytes of memory.
///
/// Sizes are numbers with a suffix, as [`memparse`] reads them. A list of ranges,
/// `start-[end]:size[,…][@base]`, gives the size of the first range that `system_ram` lies in, or 0.
///
/// # Errors
///
/// [`Error`].
pub fn parse(value: &[u8], system_ram: u64) -> Result<Request, Error> {
    let mut text = Text { whole: value, rest: value };
    if value.contains(&b':') {
        return text.ranges(system_ram);
    }
    let size = text.size()?;
    match text.rest {
        b",high" => Ok(Request::High(size)),
        b",low" => Ok(Request::Low(size)),
        _ => text.anywhere(size),
    }
}

/// A value, and what of it has not been read.
struct Text<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
}

impl Text<'_> {
    fn error(&self, kind: ErrorKind) -> Error {
        let offset = self.whole.len() - self.rest.len();
        Error { kind, offset }
    }

    fn size(&mut self) -> Result<u64, Error> {
        let (size, rest) = memparse(self.rest).map_err(|error| {
            self.error(match error {
                ParamError::OutOfRange => ErrorKind::TooLarge,
                _ => ErrorKind::ValueExpected,
            })
        })?;
        self.rest = rest;
        Ok(size)
    }

    fn take(&mut self, expected: u8) -> bool {
        let found = self.rest.first() == Some(&expected);
        self.rest = &self.rest[usize::from(found)..];
        found
    }

    fn expect(&mut self, expected: u8) -> Result<(), Error> {
        let found = self.take(expected);
        found.then_some(()).ok_or_else(|| self.error(ErrorKind::Expected(expected.into())))
    }

    /// `start-[end]:size[,…][@base]`. All of it must be right, whichever range counts.
    fn ranges(&mut self, system_ram: u64) -> Result<Request, Error> {
        let mut chosen = None;
        loop {
            let start = self.size()?;
            self.expect(b'-')?;
            let end = if self.rest.starts_with(b":") { u64::MAX } else { self.size()? };
            if end <= start {
                return Err(self.error(ErrorKind::EndBeforeStart));
            }
            self.expect(b':')?;
            let size = self.size()?;
            if (start..end).contains(&system_ram) && chosen.is_none() {
                if size >= system_ram {
                    return Err(self.error(ErrorKind::InvalidSize));
                }
                chosen = Some(size);
            }
            if !self.take(b',') {
                break;
            }
        }
        self.anywhere(chosen.unwrap_or(0))
    }

    /// `[@base]`, which ends a value.
    fn anywhere(&mut self, size: u64) -> Result<Request, Error> {
        let base = if self.take(b'@') { Some(self.size()?) } else { None };
        let at_end = self.rest.is_empty();
        at_end
            .then_some(Request::Anywhere { size, base })
            .ok_or_else(|| self.error(ErrorKind::UnrecognizedChar))
    }
}

#[cfg(test)]
mod tests;

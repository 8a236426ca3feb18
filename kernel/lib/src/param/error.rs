//! What can be wrong with a parameter, and the lines Linux logs for it.

use crate::errno::Errno;
use crate::text::Lossy;
use core::fmt;

/// Why a parameter could not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamError {
    /// No parameter has this name.
    Unknown,
    /// The text is no value of the parameter's type.
    Invalid,
    /// A number, but not one that the parameter's type holds.
    OutOfRange,
    /// A string of more than [`CHARP_MAX`](super::CHARP_MAX) bytes.
    StringTooLong,
    /// A string that does not fit in the parameter's array.
    DoesNotFit {
        /// How many bytes would.
        max: usize,
    },
    /// More list elements than the parameter takes.
    ArrayTooMany {
        /// How many it takes.
        max: usize,
    },
    /// Fewer list elements than the parameter needs.
    ArrayTooFew {
        /// How many it needs.
        min: usize,
    },
    /// The parameter's own handler refused the value.
    Refused(Errno),
}

impl ParamError {
    /// The error number that Linux uses for this.
    pub const fn errno(self) -> Errno {
        match self {
            Self::Unknown => Errno::ENOENT,
            Self::Invalid | Self::ArrayTooMany { .. } | Self::ArrayTooFew { .. } => Errno::EINVAL,
            Self::OutOfRange => Errno::ERANGE,
            Self::StringTooLong | Self::DoesNotFit { .. } => Errno::ENOSPC,
            Self::Refused(errno) => errno,
        }
    }

    /// The line about the rule that was broken, where Linux logs one before the
    /// [report](Self::report): `name: can only take 3 arguments`.
    pub fn detail(self, param: &[u8]) -> Option<Detail<'_>> {
        match self {
            Self::StringTooLong | Self::DoesNotFit { .. } | Self::ArrayTooMany { .. } | Self::ArrayTooFew { .. } => {
                Some(Detail { error: self, param })
            }
            Self::Unknown | Self::Invalid | Self::OutOfRange | Self::Refused(_) => None,
        }
    }

    /// The line that names the parameter and the value. `doing` is `Booting kernel` or the name
    /// of the initcall level.
    ///
    /// Where Linux calls a number out of range `invalid`, this says `too large`, as it does of
    /// strings: the user sees which of the two it is.
    pub fn report<'a>(self, doing: &'a str, param: &'a [u8], value: Option<&'a [u8]>) -> Report<'a> {
        Report {
            error: self,
            doing,
            param,
            value: value.unwrap_or_default(),
        }
    }
}

impl From<ParamError> for Errno {
    fn from(error: ParamError) -> Errno {
        error.errno()
    }
}

impl From<Errno> for ParamError {
    /// The error of a parameter's own handler: `ERANGE` and `EINVAL` mean what they mean in this
    /// module, the rest is kept as it is.
    fn from(errno: Errno) -> ParamError {
        match errno {
            Errno::EINVAL => ParamError::Invalid,
            Errno::ERANGE => ParamError::OutOfRange,
            Errno::ENOENT => ParamError::Unknown,
            errno => ParamError::Refused(errno),
        }
    }
}

/// Displays what [`ParamError::detail`] returns.
#[derive(Clone, Copy, Debug)]
pub struct Detail<'a> {
    error: ParamError,
    param: &'a [u8],
}

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", Lossy(self.param))?;
        match self.error {
            ParamError::StringTooLong => f.write_str("string parameter too long"),
            ParamError::DoesNotFit { max } => write!(f, "string doesn't fit in {max} chars."),
            ParamError::ArrayTooMany { max } => write!(f, "can only take {max} arguments"),
            ParamError::ArrayTooFew { min } => write!(f, "needs at least {min} arguments"),
            error => fmt::Display::fmt(&error.errno(), f),
        }
    }
}

/// Displays what [`ParamError::report`] returns.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    error: ParamError,
    doing: &'a str,
    param: &'a [u8],
    value: &'a [u8],
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (doing, param, value) = (self.doing, Lossy(self.param), Lossy(self.value));
        match self.error.errno() {
            Errno::ENOENT => write!(f, "{doing}: Unknown parameter `{param}'"),
            Errno::ENOSPC | Errno::ERANGE => {
                write!(f, "{doing}: `{value}' too large for parameter `{param}'")
            }
            _ => write!(f, "{doing}: `{value}' invalid for parameter `{param}'"),
        }
    }
}

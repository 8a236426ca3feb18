//! Parameter values: text to typed value, with Linux's rules (`kernel/params.c`).
//!
//! Only parsing and the text of its errors live here. Which parameter a word names is
//! [`cmdline`](crate::cmdline)'s business; where a value is stored is the kernel's. Nothing is
//! stored on an error, whatever the type.

mod array;
mod error;
mod number;
mod size;

pub use array::{parse_array, parse_array_by};
pub use error::{Detail, ParamError, Report};
pub use number::{Integer, parse_int};
pub use size::memparse;

/// Longest value of a `charp` parameter, in bytes.
pub const CHARP_MAX: usize = 1024;

/// A type that a parameter may have.
pub trait FromParam<'a>: Sized {
    /// Whether the bare name, without `=value`, is a value too (Linux's
    /// `KERNEL_PARAM_OPS_FL_NOARG`).
    const NOARG: bool = false;

    /// Reads a value; `None` is a bare name.
    ///
    /// # Errors
    ///
    /// What is wrong with the value; [`ParamError::Invalid`] for a bare name that the type does
    /// not take.
    fn from_param(value: Option<&'a [u8]>) -> Result<Self, ParamError>;
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl<'a> FromParam<'a> for $int {
            fn from_param(value: Option<&'a [u8]>) -> Result<Self, ParamError> {
                parse_int(value.ok_or(ParamError::Invalid)?)
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl<'a> FromParam<'a> for bool {
    const NOARG: bool = true;

    fn from_param(value: Option<&'a [u8]>) -> Result<Self, ParamError> {
        parse_bool(value)
    }
}

/// Linux's `charp`.
impl<'a> FromParam<'a> for &'a [u8] {
    fn from_param(value: Option<&'a [u8]>) -> Result<Self, ParamError> {
        parse_charp(value)
    }
}

/// A `charp` that must be UTF-8.
impl<'a> FromParam<'a> for &'a str {
    fn from_param(value: Option<&'a [u8]>) -> Result<Self, ParamError> {
        core::str::from_utf8(parse_charp(value)?).map_err(|_| ParamError::Invalid)
    }
}

/// Reads a bool: no value is `true`; otherwise only the beginning counts (`yYtT1`, `nNfF0`, `on`,
/// `of…`), so `yes`, `true` and `off` are fine and so is `nonsense`, as ever in Linux.
///
/// # Errors
///
/// [`ParamError::Invalid`] for any other beginning, and for an empty value.
pub fn parse_bool(value: Option<&[u8]>) -> Result<bool, ParamError> {
    let Some(value) = value else {
        return Ok(true);
    };
    match value {
        [b'y' | b'Y' | b't' | b'T' | b'1', ..] => Ok(true),
        [b'n' | b'N' | b'f' | b'F' | b'0', ..] => Ok(false),
        [b'o' | b'O', b'n' | b'N', ..] => Ok(true),
        [b'o' | b'O', b'f' | b'F', ..] => Ok(false),
        _ => Err(ParamError::Invalid),
    }
}

/// Reads a bool that is stored in an int (Linux's `bint`).
///
/// # Errors
///
/// As [`parse_bool`].
pub fn parse_bint(value: Option<&[u8]>) -> Result<i32, ParamError> {
    parse_bool(value).map(i32::from)
}

/// Reads a bool that is stored inverted (Linux's `invbool`): `nofoo` given means foo is `false`.
///
/// # Errors
///
/// As [`parse_bool`].
pub fn parse_invbool(value: Option<&[u8]>) -> Result<bool, ParamError> {
    parse_bool(value).map(|value| !value)
}

/// Reads a string of at most [`CHARP_MAX`] bytes (Linux's `charp`).
///
/// # Errors
///
/// [`ParamError::StringTooLong`]; [`ParamError::Invalid`] without a value.
pub fn parse_charp(value: Option<&[u8]>) -> Result<&[u8], ParamError> {
    let value = value.ok_or(ParamError::Invalid)?;
    if value.len() > CHARP_MAX {
        return Err(ParamError::StringTooLong);
    }
    Ok(value)
}

/// Reads a string of at most `max` bytes (Linux's `string`, which copies into an array).
///
/// # Errors
///
/// [`ParamError::DoesNotFit`]; [`ParamError::Invalid`] without a value.
pub fn parse_string(value: Option<&[u8]>, max: usize) -> Result<&[u8], ParamError> {
    let value = value.ok_or(ParamError::Invalid)?;
    if value.len() > max {
        return Err(ParamError::DoesNotFit { max });
    }
    Ok(value)
}

#[cfg(test)]
mod tests;

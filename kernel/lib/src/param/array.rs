//! Comma-separated lists.

use super::{FromParam, ParamError};

/// Reads a list of `min..=into.len()` elements into the front of `into` and returns how many there
/// were. The list is checked as a whole first: on an error `into` is as it was.
///
/// # Errors
///
/// [`ParamError::ArrayTooMany`], [`ParamError::ArrayTooFew`], the error of the first bad element
/// before that, or [`ParamError::Invalid`] without a value.
pub fn parse_array<'a, T: FromParam<'a>>(value: Option<&'a [u8]>, min: usize, into: &mut [T]) -> Result<usize, ParamError> {
    parse_array_by(value, min, into, |element| T::from_param(Some(element)))
}

/// [`parse_array`] with a parser of the caller's for the elements; it is called twice for each and
/// must give the same answer both times.
///
/// # Errors
///
/// As [`parse_array`].
pub fn parse_array_by<'a, T>(
    value: Option<&'a [u8]>,
    min: usize,
    into: &mut [T],
    parse: impl Fn(&'a [u8]) -> Result<T, ParamError>,
) -> Result<usize, ParamError> {
    let elements = value.ok_or(ParamError::Invalid)?.split(|byte| *byte == b',');
    let max = into.len();
    let mut count = 0;
    for element in elements.clone() {
        if count == max {
            return Err(ParamError::ArrayTooMany { max });
        }
        parse(element)?;
        count += 1;
    }
    if count < min {
        return Err(ParamError::ArrayTooFew { min });
    }
    for (place, element) in into.iter_mut().zip(elements) {
        *place = parse(element)?;
    }
    Ok(count)
}

//! Integers, as Linux's `kstrto*` functions read them with base 0.

use super::ParamError;

/// An integer type that [`parse_int`] can produce.
pub trait Integer: Sized {
    /// Whether a leading `-` is allowed.
    const SIGNED: bool;

    /// The number with this sign and magnitude, if the type holds it.
    fn from_parts(negative: bool, magnitude: u64) -> Option<Self>;
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl Integer for $int {
            const SIGNED: bool = <$int>::MIN != 0;

            fn from_parts(negative: bool, magnitude: u64) -> Option<Self> {
                let magnitude = i128::from(magnitude);
                Self::try_from(if negative { -magnitude } else { magnitude }).ok()
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

/// Reads an integer: hexadecimal after `0x`, octal after `0`, else decimal; an optional `+`, or `-`
/// for a signed type; one newline may follow, for values written through a file.
///
/// # Errors
///
/// [`ParamError::Invalid`] for anything else, [`ParamError::OutOfRange`] for a number that `T` does
/// not hold. As in Linux, one that exceeds even 64 bits is out of range whatever follows it.
pub fn parse_int<T: Integer>(text: &[u8]) -> Result<T, ParamError> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] if T::SIGNED => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let (magnitude, rest) = leading_number(digits);
    if rest.len() == digits.len() {
        return Err(ParamError::Invalid);
    }
    let magnitude = magnitude.ok_or(ParamError::OutOfRange)?;
    if !matches!(rest, b"" | b"\n") {
        return Err(ParamError::Invalid);
    }
    T::from_parts(negative, magnitude).ok_or(ParamError::OutOfRange)
}

/// Reads the digits that `text` begins with, base by prefix, and returns what follows them; the
/// number is `None` if it exceeds 64 bits, and nothing is consumed if there are no digits.
pub(super) fn leading_number(text: &[u8]) -> (Option<u64>, &[u8]) {
    let (base, digits) = match text {
        [b'0', b'x' | b'X', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => (16, digits),
        [b'0', ..] => (8, text),
        _ => (10, text),
    };
    let mut number = Some(0_u64);
    for (at, byte) in digits.iter().enumerate() {
        let Some(digit) = char::from(*byte).to_digit(base) else {
            return (number, &digits[at..]);
        };
        number = number
            .and_then(|number| number.checked_mul(u64::from(base)))
            .and_then(|number| number.checked_add(u64::from(digit)));
    }
    (number, &[])
}

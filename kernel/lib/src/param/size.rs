//! Sizes with a suffix, as in `mem=512M` and `crashkernel=64M@16M`.

use super::ParamError;
use super::number::leading_number;

/// Reads a size that `text` begins with, in bytes, and returns what follows it (Linux's
/// `memparse`). The number's base goes by its prefix; one of `K M G T P E`, in either case,
/// multiplies it by that power of 1024.
///
/// # Errors
///
/// [`ParamError::Invalid`] if `text` does not begin with a digit; [`ParamError::OutOfRange`] if the
/// size exceeds 64 bits, where Linux silently loses the upper bits.
pub fn memparse(text: &[u8]) -> Result<(u64, &[u8]), ParamError> {
    let (number, rest) = leading_number(text);
    if rest.len() == text.len() {
        return Err(ParamError::Invalid);
    }
    let (shift, rest) = match rest {
        [b'K' | b'k', rest @ ..] => (10, rest),
        [b'M' | b'm', rest @ ..] => (20, rest),
        [b'G' | b'g', rest @ ..] => (30, rest),
        [b'T' | b't', rest @ ..] => (40, rest),
        [b'P' | b'p', rest @ ..] => (50, rest),
        [b'E' | b'e', rest @ ..] => (60, rest),
        rest => (0, rest),
    };
    let size = number.and_then(|number| number.checked_mul(1 << shift));
    Ok((size.ok_or(ParamError::OutOfRange)?, rest))
}

//! What the attributes expand to calls of; nothing here is meant to be written by hand.

use incipit_lib::errno::Errno;

/// The rank of what comes after entries with these ranks: one more than the greatest, 0 after nothing.
#[must_use]
pub const fn rank_after(ranks: &[u32]) -> u32 {
    let (mut next, mut index) = (0, 0);
    while index < ranks.len() {
        if ranks[index] >= next {
            next = ranks[index] + 1;
        }
        index += 1;
    }
    next
}

/// `number` in ten decimal digits.
#[must_use]
pub const fn decimal(number: u32) -> [u8; 10] {
    let (mut digits, mut rest, mut index) = ([b'0'; 10], number, 10);
    while rest != 0 {
        index -= 1;
        digits[index] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    digits
}

/// Decimal digits as text.
#[must_use]
pub const fn text(digits: &'static [u8; 10]) -> &'static str {
    match str::from_utf8(digits) {
        Ok(text) => text,
        Err(_) => panic!("digits are text"),
    }
}

/// The length of all `pieces` together, in bytes.
#[must_use]
pub const fn length(pieces: &[&str]) -> usize {
    let (mut sum, mut index) = (0, 0);
    while index < pieces.len() {
        sum += pieces[index].len();
        index += 1;
    }
    sum
}

/// All `pieces`, one behind the other; `N` is their [`length`].
#[must_use]
pub const fn concat<const N: usize>(pieces: &[&str]) -> [u8; N] {
    let (mut bytes, mut filled, mut index) = ([0; N], 0, 0);
    while index < pieces.len() {
        let (_, place) = bytes.split_at_mut(filled);
        let (place, _) = place.split_at_mut(pieces[index].len());
        place.copy_from_slice(pieces[index].as_bytes());
        filled += pieces[index].len();
        index += 1;
    }
    bytes
}

/// The data word of an exception table entry: type, register, and the error as an immediate.
#[must_use]
pub const fn exception_data(kind: u32, register: u32, error: Errno) -> u32 {
    let immediate = (-error.code()) as u32 & 0xffff;
    kind | register << 8 | immediate << 16
}

//! What free pages are filled with, and what is wrong when they are not.

use core::ops::Range;

/// The byte that free pages are filled with: Linux's `PAGE_POISON`.
pub const PAGE_POISON: u8 = 0xaa;

/// From the first to the last of the bytes that are not `value`, if there is one: Linux's `memchr_inv`. Nearly always there is none, so that is found out by words.
#[must_use]
pub fn others(bytes: &[u8], value: u8) -> Option<Range<usize>> {
    let blocks = 64 * filled::<64>(bytes, value);
    let filled = blocks + 8 * filled::<8>(&bytes[blocks..], value);
    let differs = |&byte: &u8| byte != value;
    let first = filled + bytes[filled..].iter().position(differs)?;
    let last = bytes.iter().rposition(differs)?;
    Some(first..last + 1)
}

/// How many blocks of `N` bytes at the beginning are `value` throughout.
#[inline]
fn filled<const N: usize>(bytes: &[u8], value: u8) -> usize {
    let word = u64::from_ne_bytes([value; 8]);
    let is_filled = |block: &&[u8; N]| {
        let words = block.as_chunks::<8>().0;
        words.iter().fold(0, |wrong, found| wrong | (u64::from_ne_bytes(*found) ^ word)) == 0
    };
    bytes.as_chunks::<N>().0.iter().take_while(is_filled).count()
}

/// Bytes that are not what they were filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    first: usize,
    end: usize,
}

impl Damage {
    /// From the first wrong byte to the last one, if there is one.
    #[must_use]
    pub fn find(bytes: &[u8]) -> Option<Self> {
        let Range { start: first, end } = others(bytes, PAGE_POISON)?;
        Some(Self { first, end })
    }

    /// Where the bytes are.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.first..self.end
    }

    /// Whether a single bit is wrong: memory that fails, rather than a program that does.
    #[must_use]
    pub fn is_single_bit(self, bytes: &[u8]) -> bool {
        let bits = |byte: &u8| (byte ^ PAGE_POISON).count_ones();
        bytes[self.range()].iter().map(bits).sum::<u32>() == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_not_written_to_is_whole() {
        assert_eq!(Damage::find(&[PAGE_POISON; 64]), None);
        assert_eq!(Damage::find(&[]), None);
    }

    #[test]
    fn a_flipped_bit_is_told_from_a_write() {
        let mut bytes = [PAGE_POISON; 64];
        bytes[7] ^= 0x10;
        let damage = Damage::find(&bytes).expect("a wrong byte");
        assert!(damage.range() == (7..8) && damage.is_single_bit(&bytes));
        bytes[9] = 0;
        let damage = Damage::find(&bytes).expect("wrong bytes");
        assert!(damage.range() == (7..10) && !damage.is_single_bit(&bytes));
    }

    proptest! {
        #[test]
        fn one_wrong_byte_is_found_wherever_it_is(start in 0..8_usize, len in 1..300_usize, place in any::<prop::sample::Index>(), value: u8, flip in 1..=255_u8) {
            let mut bytes = [value; 308];
            let bytes = &mut bytes[start..start + len];
            prop_assert_eq!(others(bytes, value), None);
            let place = place.index(len);
            bytes[place] ^= flip;
            prop_assert_eq!(others(bytes, value), Some(place..place + 1));
        }

        #[test]
        fn the_range_begins_and_ends_with_a_wrong_byte(bytes in prop::collection::vec(prop_oneof![8 => Just(PAGE_POISON), 1 => any::<u8>()], 0..200)) {
            match Damage::find(&bytes) {
                None => prop_assert!(bytes.iter().all(|byte| *byte == PAGE_POISON)),
                Some(damage) => {
                    let range = damage.range();
                    prop_assert!(bytes[range.start] != PAGE_POISON && bytes[range.end - 1] != PAGE_POISON);
                    prop_assert!(bytes[..range.start].iter().chain(&bytes[range.end..]).all(|byte| *byte == PAGE_POISON));
                }
            }
        }
    }
}

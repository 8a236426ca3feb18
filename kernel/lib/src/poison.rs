//! What free pages are filled with, and what is wrong when they are not.

use core::ops::Range;

/// The byte that free pages are filled with: Linux's `PAGE_POISON`.
pub const PAGE_POISON: u8 = 0xaa;

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
        let wrong = |byte: &u8| *byte != PAGE_POISON;
        let first = bytes.iter().position(wrong)?;
        let end = bytes.iter().rposition(wrong)? + 1;
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

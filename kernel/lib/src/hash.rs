//! From numbers to places in a table: Linux's multiplicative hashes.

/// 2^32 divided by the golden ratio.
pub const GOLDEN_RATIO_32: u32 = 0x61c8_8647;
/// 2^64 divided by the golden ratio.
pub const GOLDEN_RATIO_64: u64 = 0x61c8_8646_80b5_83eb;

/// A number below 2^`bits`, `bits` being at most 32, that neighbouring values do not share (Linux's `hash_32`).
#[inline]
#[must_use]
pub const fn hash_32(value: u32, bits: u32) -> u32 {
    match value.wrapping_mul(GOLDEN_RATIO_32).checked_shr(32_u32.saturating_sub(bits)) {
        Some(hash) => hash,
        None => 0,
    }
}

/// A number below 2^`bits`, `bits` being at most 64, that neighbouring values do not share (Linux's `hash_64`).
#[inline]
#[must_use]
pub const fn hash_64(value: u64, bits: u32) -> u64 {
    match value.wrapping_mul(GOLDEN_RATIO_64).checked_shr(64_u32.saturating_sub(bits)) {
        Some(hash) => hash,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn the_high_bits_of_the_product_count() {
        // (1 · φ₃₂) >> 24 and (1 · φ₆₄) >> 56 by hand: the first byte of either constant.
        assert_eq!((hash_32(1, 8), hash_64(1, 8)), (0x61, 0x61));
        assert_eq!((hash_32(7, 0), hash_64(7, 0)), (0, 0));
        assert_eq!(hash_64(1, 64), GOLDEN_RATIO_64);
    }

    #[test]
    fn neighbours_share_few_places() {
        let places: HashSet<u64> = (0..512).map(|value| hash_64(value, 9)).collect();
        assert!(places.len() > 256, "{}", places.len());
    }

    proptest! {
        #[test]
        fn a_place_is_inside_the_table(value in any::<u64>(), bits in 0..=64_u32) {
            prop_assert!(bits == 64 || hash_64(value, bits) < 1 << bits);
            prop_assert!(bits >= 32 || hash_32(value as u32, bits) < 1 << bits);
        }
    }
}

//! The checksum of firmware tables: all bytes of a structure, the checksum among them, add up to 0 modulo 256.

/// The sum of all bytes modulo 256: 0 if the checksum is right.
///
/// Firmware tables are long, so eight bytes are added at a time: the bytes at odd places to those at even ones, each sum in 16 bits of its own.
#[must_use]
pub fn sum(bytes: &[u8]) -> u8 {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    let (words, rest) = bytes.as_chunks::<8>();
    let lanes = words.iter().fold(0, |lanes: u64, word| {
        let word = u64::from_le_bytes(*word);
        // At most 3 * 255 in a lane.
        (lanes & EVEN) + (word & EVEN) + (word >> 8 & EVEN)
    });
    let whole = lanes.to_le_bytes().into_iter().step_by(2).fold(0, u8::wrapping_add);
    rest.iter().fold(whole, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sum_of_the_longest_run_of_ones_does_not_spill() {
        assert_eq!(sum(&[0xff; 4096]), (0xff_u32 * 4096 % 256) as u8);
        assert_eq!(sum(&[]), 0);
    }

    proptest! {
        #[test]
        fn it_is_the_sum_of_the_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(sum(&bytes), bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
        }
    }
}

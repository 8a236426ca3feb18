//! Option ROMs: what an adapter's own firmware begins with.

use crate::checksum::sum;

/// What a ROM begins with, in this order.
const SIGNATURE: [u8; 2] = [0x55, 0xaa];
/// The unit of its length.
const BLOCK: usize = 512;

/// What is at the beginning of memory where a ROM may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rom {
    /// Nothing that is one.
    Absent,
    /// A ROM of so many bytes.
    Sound(usize),
    /// One whose length is impossible: 0, or further than memory for ROMs reaches.
    Length(usize),
    /// One of so many bytes that do not add up to 0.
    Checksum(usize),
}

impl Rom {
    /// Looks at what `memory` begins with; it reaches to the end of what ROMs may use.
    #[must_use]
    pub fn at(memory: &[u8]) -> Self {
        let Some(&[a, b, blocks]) = memory.first_chunk() else {
            return Self::Absent;
        };
        if [a, b] != SIGNATURE {
            return Self::Absent;
        }
        let length = usize::from(blocks) * BLOCK;
        match memory.get(..length) {
            Some([]) | None => Self::Length(length),
            Some(rom) if sum(rom) == 0 => Self::Sound(length),
            Some(_) => Self::Checksum(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{vec, vec::Vec};

    /// A ROM of so many blocks whose checksum is right.
    fn rom(blocks: u8) -> Vec<u8> {
        let mut bytes = vec![0x11; usize::from(blocks).max(1) * BLOCK];
        bytes[..3].copy_from_slice(&[0x55, 0xaa, blocks]);
        bytes[5] = 0;
        bytes[5] = sum(&bytes).wrapping_neg();
        bytes
    }

    #[test]
    fn a_rom_has_a_signature_a_length_and_a_checksum() {
        assert_eq!(Rom::at(&rom(2)), Rom::Sound(1024));
        assert_eq!(Rom::at(&rom(255)), Rom::Sound(255 * 512));
        let mut damaged = rom(2);
        damaged[900] ^= 1;
        assert_eq!(Rom::at(&damaged), Rom::Checksum(1024));
        damaged[1] = 0;
        assert_eq!(Rom::at(&damaged), Rom::Absent);
    }

    #[test]
    fn impossible_lengths_are_told() {
        assert_eq!(Rom::at(&rom(0)), Rom::Length(0));
        assert_eq!(Rom::at(&rom(8)[..4095]), Rom::Length(4096));
        for end in 0..3 {
            assert_eq!(Rom::at(&rom(8)[..end]), Rom::Absent);
        }
    }
}

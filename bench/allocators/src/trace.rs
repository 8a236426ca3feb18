//! What every contender has to do: one sequence of taking and freeing, the same for each.

/// Blocks that may live at once.
pub const SLOTS: usize = 65_536;
/// Operations of the sequence.
pub const OPERATIONS: usize = 1_000_000;

/// The generator of all that is random here: xorshift.
pub struct Sequence(u64);

impl Sequence {
    /// One with a start of its own.
    pub const fn new(seed: u64) -> Sequence {
        Sequence(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        // The upper half: the lowest bits of numbers that follow each other have much to do with each other.
        ((self.next() >> 32) as usize * limit) >> 32
    }

    /// A size as a kernel asks for: most are below 256 bytes, each doubling is half as frequent, and some are whole pages.
    pub fn size(&mut self) -> usize {
        if self.below(512) == 0 {
            return 4096 << self.below(4);
        }
        let doubling = (self.next().leading_zeros() as usize).min(9);
        8 + self.below(16 << doubling)
    }
}

/// A step: the slot that it is about, which is filled with a block of `size` bytes if it is empty, and emptied if it is not.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Where the block is kept.
    pub slot: usize,
    /// Bytes, if one is taken.
    pub size: usize,
}

/// The sequence.
pub fn steps() -> Vec<Step> {
    let mut sequence = Sequence::new(0x1234_5678_9abc_def0);
    (0..OPERATIONS)
        .map(|_| Step {
            slot: sequence.below(SLOTS),
            size: sequence.size(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_sizes_are_small_and_none_is_nothing() {
        let steps = steps();
        let small = steps.iter().filter(|step| step.size <= 256).count();
        assert!(small * 2 > steps.len() && small < steps.len());
        assert!(steps.iter().all(|step| (8..=32768).contains(&step.size) && step.slot < SLOTS));
        assert!(steps.iter().any(|step| step.size == 32768));
    }
}

//! Which bytes of a unit are taken: first fit, by a bitmap with a bit for each [`MIN_ALLOC`] bytes.
//!
//! A second bitmap marks where allocations begin, so that the size of one need not be remembered elsewhere, and an address that nobody was given is found out.

use core::ops::{DerefMut, Range};

/// What sizes are multiples of, and what everything is aligned to: Linux's `PCPU_MIN_ALLOC_SIZE`.
pub const MIN_ALLOC: usize = 4;

/// The bytes `start..end` of a unit, some of them taken. `S` holds the bitmaps.
#[derive(Clone, Debug)]
pub struct Map<S> {
    /// The bits of what is taken, then those of what begins.
    words: S,
    start: usize,
    bits: usize,
    free_bits: usize,
    /// No bit below is free.
    first_free: usize,
}

/// How many words the bitmaps for `bytes` bytes take.
#[must_use]
pub const fn words_for(bytes: usize) -> usize {
    2 * (bytes / MIN_ALLOC).div_ceil(64)
}

impl<S: DerefMut<Target = [u64]>> Map<S> {
    /// A map of a region of a unit in which nothing is taken. Both ends are rounded inwards to [`MIN_ALLOC`]. Of `words` there must be [`words_for`] the bytes;
    /// with fewer the region is as much shorter.
    #[must_use]
    pub fn new(mut words: S, region: Range<usize>) -> Self {
        let start = region.start.next_multiple_of(MIN_ALLOC);
        let bits = (region.end.saturating_sub(start) / MIN_ALLOC).min(words.len() / 2 * 64);
        words.fill(0);
        Map {
            words,
            start,
            bits,
            free_bits: bits,
            first_free: 0,
        }
    }

    /// Bytes that are free.
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        self.free_bits * MIN_ALLOC
    }

    /// Bytes that are taken.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        (self.bits - self.free_bits) * MIN_ALLOC
    }

    /// Takes the lowest `size` free bytes that are aligned to `align`, a power of two, and gives their place in the unit. Nothing if there are no such bytes, or
    /// for a size of 0 or an alignment that is none.
    pub fn alloc(&mut self, size: usize, align: usize) -> Option<usize> {
        if size == 0 || !align.is_power_of_two() {
            return None;
        }
        let wanted = size.div_ceil(MIN_ALLOC);
        if wanted > self.free_bits {
            return None;
        }
        let at = self.find(wanted, align)?;
        self.fill(at..at + wanted, true);
        let (word, bit) = self.begin(at);
        self.words[word] |= bit;
        self.free_bits -= wanted;
        if at == self.first_free {
            self.first_free = at + wanted;
        }
        Some(self.start + at * MIN_ALLOC)
    }

    /// Gives back what begins at `place`, and says how many bytes that are; nothing, and nothing changes, if no allocation begins there.
    pub fn free(&mut self, place: usize) -> Option<usize> {
        let at = self.begins_at(place)?;
        let (word, bit) = self.begin(at);
        self.words[word] &= !bit;
        let end = self.end_of(at);
        self.fill(at..end, false);
        self.free_bits += end - at;
        self.first_free = self.first_free.min(at);
        Some((end - at) * MIN_ALLOC)
    }

    /// The bytes that what begins at `place` takes, if something does.
    #[must_use]
    pub fn size_of(&self, place: usize) -> Option<usize> {
        let at = self.begins_at(place)?;
        Some((self.end_of(at) - at) * MIN_ALLOC)
    }

    /// Moves the bitmaps to `words`, which must not be fewer, and gives those back that held them. Nothing moves if they are fewer.
    pub fn move_to(&mut self, mut words: S) -> S {
        if words.len() >= self.words.len() {
            words[..self.words.len()].copy_from_slice(&self.words);
            // The second bitmap begins in the middle of the words.
            let (half, new_half) = (self.half(), words.len() / 2);
            words.copy_within(half..2 * half, new_half);
            core::mem::swap(&mut self.words, &mut words);
        }
        words
    }

    fn half(&self) -> usize {
        self.words.len() / 2
    }

    /// The word and the bit that say whether an allocation begins at bit `at`.
    fn begin(&self, at: usize) -> (usize, u64) {
        (self.half() + at / 64, 1 << (at % 64))
    }

    fn begins_at(&self, place: usize) -> Option<usize> {
        let offset = place.checked_sub(self.start)?;
        let at = offset / MIN_ALLOC;
        let (word, bit) = self.begin(at);
        (offset.is_multiple_of(MIN_ALLOC) && at < self.bits && self.words[word] & bit != 0).then_some(at)
    }

    /// Where the allocation that has bit `at` ends: where the next one begins, or something is free.
    fn end_of(&self, at: usize) -> usize {
        let (taken, begins) = self.words.split_at(self.half());
        let ends = |index: usize| !taken[index] | begins[index];
        next(at + 1..self.bits, ends).unwrap_or(self.bits)
    }

    /// The lowest `wanted` free bits that stand for aligned bytes.
    fn find(&self, wanted: usize, align: usize) -> Option<usize> {
        let mut at = self.first_free;
        loop {
            let free = next(at..self.bits, |index| !self.words[index])?;
            let place = (self.start + free * MIN_ALLOC).checked_next_multiple_of(align)?;
            let from = (place - self.start) / MIN_ALLOC;
            let end = from.checked_add(wanted).filter(|&end| end <= self.bits)?;
            match next(from..end, |index| self.words[index]) {
                None => return Some(from),
                Some(taken) => at = taken + 1,
            }
        }
    }

    fn fill(&mut self, range: Range<usize>, taken: bool) {
        let mut at = range.start;
        while at < range.end {
            let count = (64 - at % 64).min(range.end - at);
            let mask = (u64::MAX >> (64 - count)) << (at % 64);
            let word = &mut self.words[at / 64];
            *word = if taken { *word | mask } else { *word & !mask };
            at += count;
        }
    }
}

/// The first bit of `range` that is set in the words that `word` gives.
fn next(range: Range<usize>, word: impl Fn(usize) -> u64) -> Option<usize> {
    let mut at = range.start;
    while at < range.end {
        let left = word(at / 64) >> (at % 64);
        if left != 0 {
            return Some(at + left.trailing_zeros() as usize).filter(|&found| found < range.end);
        }
        at = (at / 64 + 1) * 64;
    }
    None
}

#[cfg(test)]
mod tests;

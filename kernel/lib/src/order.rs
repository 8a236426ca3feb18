//! Random orders that keep given pairs apart: what stands first in a pair stands first in the order.
//!
//! The boot uses them to find functions that rely on an order that nobody declared. Works in buffers of the caller; every order follows from a seed, so that
//! it can be had again.

/// The source of randomness: `SplitMix64`, whose whole state is its seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The sequence that `seed` stands for.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `limit`, which must not be 0.
    pub const fn below(&mut self, limit: usize) -> usize {
        // The product's upper half is spread evenly enough for limits far below 2^64.
        ((self.next_u64() as u128 * limit as u128) >> 64) as usize
    }
}

/// That the pairs contradict each other: no order keeps them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle;

/// Fills `order` with the numbers from 0 up in a random order in which `first` stands before `then` for each pair `(first, then)` of `pairs`.
///
/// `pairs` are sorted on the way. `waiting` is as long as `order`; what was in the two does not matter. All numbers in `pairs` are below that length. Takes
/// O((n + pairs) log pairs) steps.
///
/// # Errors
///
/// [`Cycle`] if the pairs contradict each other.
///
/// # Panics
///
/// If `waiting` is not as long as `order`, or a number in `pairs` is too large.
pub fn shuffle(pairs: &mut [(u32, u32)], order: &mut [u32], waiting: &mut [u32], random: &mut SplitMix64) -> Result<(), Cycle> {
    assert_eq!(order.len(), waiting.len());
    pairs.sort_unstable();
    waiting.fill(0);
    for (_, then) in pairs.iter() {
        waiting[*then as usize] += 1;
    }
    // In front the numbers that are placed, behind them those whose turn may come.
    let mut ready = 0;
    for (number, count) in waiting.iter().enumerate() {
        if *count == 0 {
            order[ready] = number as u32;
            ready += 1;
        }
    }
    for placed in 0..order.len() {
        if placed == ready {
            return Err(Cycle);
        }
        order.swap(placed, placed + random.below(ready - placed));
        let chosen = order[placed];
        let start = pairs.partition_point(|(first, _)| *first < chosen);
        for (_, then) in pairs[start..].iter().take_while(|(first, _)| *first == chosen) {
            let count = &mut waiting[*then as usize];
            *count -= 1;
            if *count == 0 {
                order[ready] = *then;
                ready += 1;
            }
        }
    }
    Ok(())
}

/// Changes `order` into one between itself and the numbers from 0 up: its first `taken` numbers, then the others from 0 up; and the last of the first
/// stands behind the first `passed` of those that it has overtaken.
///
/// Keeps every pair that both orders keep. `marks` is as long as `order`; what was in it does not matter. A `taken` or `passed` that is too large counts as the
/// greatest that fits.
///
/// # Panics
///
/// If `marks` is not as long as `order`.
pub fn approach(order: &mut [u32], taken: usize, passed: usize, marks: &mut [u32]) {
    assert_eq!(order.len(), marks.len());
    let taken = taken.min(order.len());
    marks.fill(0);
    for number in &order[..taken] {
        marks[*number as usize] = 1;
    }
    let others = (0..order.len() as u32).filter(|number| marks[*number as usize] == 0);
    for (place, number) in order[taken..].iter_mut().zip(others) {
        *place = number;
    }
    if let Some(last) = taken.checked_sub(1) {
        let overtaken = order[taken..].iter().take_while(|number| **number < order[last]).count();
        order[last..=last + passed.min(overtaken)].rotate_left(1);
    }
}

#[cfg(test)]
mod tests;

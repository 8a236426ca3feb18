//! Entries that come after each other, taken by several CPUs: which of them may run now, and which of them decide how long all take.
//!
//! Entries are numbers from 0 up, in an order that keeps all relations: the one in which a single CPU would run them. Nothing here runs anything or waits; the caller has the lock and
//! the memory.

/// How an entry stands: how many of those that it comes after are not over, or one of these.
const CLAIMED: u32 = u32::MAX - 1;
const OVER: u32 = u32::MAX;

/// That a relation goes against the order of the entries, or leads to one that there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misplaced;

/// What a CPU that asks for an entry is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Run this one. It is nobody else's.
    Entry(usize),
    /// What is left waits for entries that run: ask again when one is over.
    Wait,
    /// Nothing is left to be run, though some may still be at it.
    Done,
}

/// The walk through the entries.
#[derive(Debug)]
pub struct Walk<'a> {
    /// `(first, then)`, sorted.
    pairs: &'a [(u32, u32)],
    waiting: &'a mut [u32],
    /// The first entry that is not over.
    turn: usize,
    /// The first entry that nobody has claimed.
    unclaimed: usize,
}

impl<'a> Walk<'a> {
    /// A walk through as many entries as `waiting` is long, in which `first` is over before `then` begins for each pair `(first, then)`. `pairs` are sorted on the way; what was in
    /// `waiting` does not matter.
    ///
    /// # Errors
    ///
    /// [`Misplaced`] if the order of the entries does not keep the pairs: then there might be no end.
    pub fn new(pairs: &'a mut [(u32, u32)], waiting: &'a mut [u32]) -> Result<Self, Misplaced> {
        pairs.sort_unstable();
        waiting.fill(0);
        for (first, then) in pairs.iter() {
            if first >= then {
                return Err(Misplaced);
            }
            *waiting.get_mut(*then as usize).ok_or(Misplaced)? += 1;
        }
        Ok(Self {
            pairs,
            waiting,
            turn: 0,
            unclaimed: 0,
        })
    }

    /// Whether two entries may ever run at the same time: without that, one CPU is as good as many.
    #[must_use]
    pub fn has_choice(&self) -> bool {
        (1..self.waiting.len() as u32).any(|then| self.pairs.binary_search(&(then - 1, then)).is_err())
    }

    /// The first entry that is not over. It is claimed, or the next claim gets it: all that it comes after are over.
    #[must_use]
    pub fn turn(&self) -> usize {
        self.turn
    }

    /// Gives away the first entry that may begin.
    pub fn claim(&mut self) -> Claim {
        let Some(ahead) = self.waiting[self.unclaimed..].iter().position(|waiting| *waiting < CLAIMED) else {
            self.unclaimed = self.waiting.len();
            return Claim::Done;
        };
        self.unclaimed += ahead;
        match self.waiting[self.unclaimed..].iter().position(|waiting| *waiting == 0) {
            Some(ahead) => {
                let entry = self.unclaimed + ahead;
                self.waiting[entry] = CLAIMED;
                Claim::Entry(entry)
            }
            None => Claim::Wait,
        }
    }

    /// Notes that `entry`, which was claimed, is over, and says whose turn it is then: [`turn`](Self::turn).
    ///
    /// # Panics
    ///
    /// If nobody has claimed it, or it is over.
    pub fn finish(&mut self, entry: usize) -> usize {
        assert_eq!(self.waiting[entry], CLAIMED, "entry {entry} does not run");
        self.waiting[entry] = OVER;
        let start = self.pairs.partition_point(|(first, _)| (*first as usize) < entry);
        for (_, then) in self.pairs[start..].iter().take_while(|(first, _)| *first as usize == entry) {
            self.waiting[*then as usize] -= 1;
        }
        while self.waiting.get(self.turn) == Some(&OVER) {
            self.turn += 1;
        }
        self.turn
    }
}

/// Finds the chain of entries, each of which comes after the one before, that takes longest, and says with which it begins and how long it takes. It goes on with `next` of that,
/// and so on, until `next` is the entry itself. Of equal ones it is the one that begins first. `None` without entries.
///
/// There are as many entries as `rest` and `next` are long; `cost` says how long one takes, `is_after(then, first)` whether one comes after another. Takes the square of their number
/// in steps, and no memory.
///
/// # Panics
///
/// If `next` is shorter than `rest`.
pub fn longest_chain(
    rest: &mut [u64],
    next: &mut [u16],
    cost: impl Fn(usize) -> u64,
    is_after: impl Fn(usize, usize) -> bool,
) -> Option<(usize, u64)> {
    for first in (0..rest.len()).rev() {
        (rest[first], next[first]) = (0, first as u16);
        for then in first + 1..rest.len() {
            if rest[then] > rest[first] && is_after(then, first) {
                (rest[first], next[first]) = (rest[then], then as u16);
            }
        }
        rest[first] = rest[first].saturating_add(cost(first));
    }
    let longest = *rest.iter().max()?;
    let start = rest.iter().position(|whole| *whole == longest)?;
    Some((start, longest))
}

#[cfg(test)]
mod tests;

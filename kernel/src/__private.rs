//! What the attributes expand to calls of; nothing here is meant to be written by hand.

use incipit_lib::errno::Errno;

pub use linkme;

pub use crate::init::memory::with_init_memory;

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

/// A search at compile time for a function among those that another one comes after, from one to the next.
///
/// It goes so many steps and no further: a graph has more ways than links. What it does not find is found when the image is linked.
#[derive(Debug)]
pub struct Search {
    path: &'static str,
    rank: u32,
    steps: u32,
}

impl Search {
    /// For the function at `path`, of rank `rank`.
    #[must_use]
    pub const fn for_function(path: &'static str, rank: u32) -> Self {
        Self { path, rank, steps: 4096 }
    }

    /// Whether the function at `path` is the one.
    #[must_use]
    pub const fn is_at(&self, path: &str) -> bool {
        is_same(self.path, path)
    }

    /// Whether to go on behind a function of rank `rank`. Ranks fall from link to link: what is not above the one that is looked for cannot lead there.
    pub const fn goes_behind(&mut self, rank: u32) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0 && rank > self.rank
    }
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
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

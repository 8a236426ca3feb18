//! What the attributes expand to calls of; nothing here is meant to be written by hand.

use incipit_lib::errno::Errno;

/// A function, and those that it comes after (or, in a chain the other way, before).
///
/// Chains are constants made of each other, so one that would have to hold itself does not compile.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    path: &'static str,
    rank: u32,
    next: &'static [Chain],
}

impl Chain {
    /// The function at `path` and what it comes after. Its rank is one more than the greatest of those.
    #[must_use]
    pub const fn after(path: &'static str, next: &'static [Chain]) -> Self {
        let (mut rank, mut index) = (0, 0);
        while index < next.len() {
            if next[index].rank >= rank {
                rank = next[index].rank + 1;
            }
            index += 1;
        }
        Self { path, rank, next }
    }

    /// The function of the chain `after`, and what it comes before.
    #[must_use]
    pub const fn before(after: &Chain, next: &'static [Chain]) -> Self {
        Self {
            path: after.path,
            rank: after.rank,
            next,
        }
    }

    /// Whether the function of `other` is among those that this one comes after.
    const fn comes_after(&self, other: &Chain) -> bool {
        let mut index = 0;
        while index < self.next.len() {
            let next = &self.next[index];
            // Ranks fall from link to link: what is not above the one that is looked for cannot lead there.
            let found = if next.rank > other.rank {
                next.comes_after(other)
            } else {
                is_same(next.path, other.path)
            };
            if found {
                return true;
            }
            index += 1;
        }
        false
    }
}

/// Fails the build if something that a function comes before is also something that it comes after. `after` and `before` are the function's own chains.
pub const fn refuse_contradiction(after: &Chain, before: &Chain) {
    let mut index = 0;
    while index < before.next.len() {
        let next = &before.next[index];
        if after.comes_after(next) {
            panic!("a cycle: `before(…)` names a function, or one that must run behind it, that `after(…)` puts first");
        }
        refuse_contradiction(after, next);
        index += 1;
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

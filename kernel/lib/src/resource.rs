//! Who has which addresses: the tree of resources behind Linux's `/proc/iomem` and `/proc/ioports`.
//!
//! Resources lie inside of one another or beside each other, never across: so a list sorted by first
//! address, the longer ones first, is the tree. Where the list is kept, and how it grows, is the
//! kernel's business; here is where a new one belongs, and how the list reads.

use core::cmp::Reverse;
use core::fmt;
use core::ops::RangeInclusive;

/// A range of addresses and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The first address.
    pub start: u64,
    /// The last address, not below `start`.
    pub end: u64,
    /// Whose it is, as people see it.
    pub name: &'static str,
    /// In use: nobody else can take a part of it (Linux's `IORESOURCE_BUSY`).
    pub busy: bool,
}

/// Why a range cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The range ends before it starts.
    Backwards,
    /// It is, or has a part of, or lies across the border of somebody else's.
    With(Resource),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backwards => f.write_str("it ends before it starts"),
            Self::With(other) => write!(f, "conflicts with {} [{:#010x}-{:#010x}]", other.name, other.start, other.end),
        }
    }
}

impl Resource {
    const fn contains(&self, other: &Resource) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// What the list is sorted by: of two that begin together the longer one comes first.
    const fn key(&self) -> (u64, Reverse<u64>) {
        (self.start, Reverse(self.end))
    }

    const fn overlaps(&self, other: &Resource) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

/// Where in `list` a description of what is there belongs: around what lies inside of it, inside of
/// what it lies in, busy or not (Linux's `insert_resource`). Of equal ranges the new one is the
/// outer.
///
/// # Errors
///
/// [`Conflict`] if it would lie across the border of another.
pub fn place(list: &[Resource], new: &Resource) -> Result<usize, Conflict> {
    if new.end < new.start {
        return Err(Conflict::Backwards);
    }
    let across = |old: &&Resource| old.overlaps(new) && !old.contains(new) && !new.contains(old);
    if let Some(other) = list.iter().find(across) {
        return Err(Conflict::With(*other));
    }
    Ok(list.partition_point(|old| old.key() < new.key()))
}

/// Where in `list` the claim of a driver belongs: inside of what describes the place, and nowhere
/// where somebody else is (Linux's `request_region`). Of equal ranges the new one is the inner.
///
/// # Errors
///
/// [`Conflict`] with what is busy there, or does not lie all around it.
pub fn place_claim(list: &[Resource], new: &Resource) -> Result<usize, Conflict> {
    if new.end < new.start {
        return Err(Conflict::Backwards);
    }
    let in_the_way = |old: &&Resource| old.overlaps(new) && (old.busy || !old.contains(new));
    if let Some(other) = list.iter().find(in_the_way) {
        return Err(Conflict::With(*other));
    }
    Ok(list.partition_point(|old| old.key() <= new.key()))
}

/// The parts of `within`, in order, that no resource of `list` has.
pub fn gaps(list: &[Resource], within: RangeInclusive<u64>) -> impl Iterator<Item = RangeInclusive<u64>> {
    // Where the next gap can begin; none behind the last address.
    let mut next = Some(*within.start());
    let end = *within.end();
    let mut rest = list.iter();
    core::iter::from_fn(move || {
        loop {
            let start = next.filter(|&start| start <= end)?;
            let Some(taken) = rest.by_ref().find(|taken| taken.end >= start) else {
                next = None;
                return Some(start..=end);
            };
            next = taken.end.checked_add(1);
            if taken.start > start {
                return Some(start..=end.min(taken.start - 1));
            }
        }
    })
}

/// Levels that are shown indented; what lies deeper is shown at the last (Linux's
/// `MAX_IORES_LEVEL`).
const MAX_LEVEL: usize = 5;

/// The tree as Linux's files show it, a line for each: addresses with at least `digits` digits,
/// indented by two spaces for each resource around it.
pub fn lines(list: &[Resource], digits: usize) -> impl Iterator<Item = impl fmt::Display> {
    list.iter().enumerate().map(move |(index, resource)| {
        let around = list[..index].iter().filter(|outer| outer.contains(resource)).count();
        fmt::from_fn(move |f| {
            let Resource { start, end, name, .. } = resource;
            let indent = 2 * around.min(MAX_LEVEL - 1);
            write!(f, "{:indent$}{start:0digits$x}-{end:0digits$x} : {name}", "")
        })
    })
}

#[cfg(test)]
mod tests;

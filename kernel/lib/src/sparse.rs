//! For which page frames there is a `struct page`.
//!
//! Frames come in granules of [`GRANULE`], the largest block of the page allocator, and a granule has its pages if any of its frames is memory. So the buddy of a frame
//! that has a page always has one, too.

use core::ops::Range;

/// Frames of a granule: one block of the largest order, 10.
pub const GRANULE: u64 = 1 << 10;

/// The runs of frames that have pages: those of `memory`, in order and apart from each other, rounded to granules and put together where they touch.
///
/// `same` says whether two neighbours may be one run; a granule that two runs would share goes to the first of them either way.
pub fn populated<T: Clone>(
    memory: impl Iterator<Item = (Range<u64>, T)>,
    same: impl Fn(&T, &T) -> bool,
) -> impl Iterator<Item = (Range<u64>, T)> {
    let mut memory = memory
        .filter(|(range, _)| !range.is_empty())
        .map(|(range, key)| (range.start / GRANULE * GRANULE..range.end.next_multiple_of(GRANULE), key))
        .peekable();
    let mut done = 0;
    core::iter::from_fn(move || {
        // Memory whose granules all belong to the run before has none of its own.
        while memory.next_if(|(range, _)| range.end <= done).is_some() {}
        let (mut run, key) = memory.next()?;
        run.start = run.start.max(done);
        while let Some((next, _)) = memory.next_if(|(next, other)| next.end <= run.end || (next.start <= run.end && same(&key, other))) {
            run.end = run.end.max(next.end);
        }
        done = run.end;
        Some((run, key))
    })
}

/// Whether `pfn` lies in one of `runs`, which are in order.
#[must_use]
pub fn contains(runs: &[Range<u64>], pfn: u64) -> bool {
    let after = runs.partition_point(|run| run.end <= pfn);
    runs.get(after).is_some_and(|run| run.start <= pfn)
}

#[cfg(test)]
mod tests;

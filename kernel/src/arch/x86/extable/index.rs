//! Where to begin in the exception table: the text is divided into stretches of equal length, and for each of them the index says which entries it has.
//!
//! A stretch has two entries on average, so a look-up takes the same time in a table of a hundred entries and in one of a hundred thousand.

use core::ops::Range;

use crate::mm::slab::KVec;

/// Entries that a stretch has on average, at the most.
const ENTRIES_PER_STRETCH: usize = 2;

/// The index of a sorted table.
pub(super) struct Index {
    /// The address at which the first stretch begins.
    base: usize,
    /// The length of a stretch is two to this power.
    shift: u32,
    /// For each stretch the number of its first entry, and behind the last one the number of entries.
    starts: KVec<u32>,
}

impl Index {
    /// The index of the table whose instructions are at `addresses`, in ascending order. `None` if there is nothing to index or no memory for it: the whole
    /// table is searched then.
    pub(super) fn new(addresses: impl ExactSizeIterator<Item = usize> + Clone) -> Option<Index> {
        let count = addresses.len();
        let (base, last) = (addresses.clone().next()?, addresses.clone().last()?);
        let span = last.checked_sub(base)? + 1;
        let wanted = count.div_ceil(ENTRIES_PER_STRETCH);
        let shift = span.div_ceil(wanted).next_power_of_two().ilog2();
        let stretches = ((span - 1) >> shift) + 1;

        let mut starts = KVec::with_capacity(stretches + 1).ok()?;
        for (number, address) in (0..).zip(addresses) {
            let stretch = address.checked_sub(base)? >> shift;
            // What has no entry of its own begins where the next one does.
            while starts.len() <= stretch {
                starts.push(number).ok()?;
            }
        }
        starts.push(u32::try_from(count).ok()?).ok()?;
        Some(Index { base, shift, starts })
    }

    /// The entries that the instruction at `ip` is among if it is in the table.
    #[inline]
    pub(super) fn narrow(&self, ip: usize) -> Option<Range<usize>> {
        let stretch = ip.wrapping_sub(self.base) >> self.shift;
        match self.starts.get(stretch..)? {
            [start, end, ..] => Some(*start as usize..*end as usize),
            _ => None,
        }
    }
}

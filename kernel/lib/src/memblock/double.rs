//! More room for the lists, in memory that they themselves say is free.

use super::{List, Memblock, MemblockError, Region};
use core::ops::Range;

/// A list has moved.
#[derive(Debug)]
pub struct Doubled {
    /// Which one.
    pub list: List,
    /// How many regions it has room for now.
    pub capacity: usize,
    /// Where it is; reserved.
    pub place: Range<u64>,
    /// The array that it was in, which nobody uses now. It is none if that was the list's own first one.
    pub old: Option<&'static mut [Region]>,
}

impl<const N: usize> Memblock<N> {
    /// Moves a list into an array of twice the size (`memblock_double_array`), of whole pages of free memory that `array` makes one of: it is given the
    /// physical address, aligned to a page, and the number of regions.
    ///
    /// Nothing of `avoid` is used, which is what the caller is about to reserve or take away. A list of reservations that is full has to be doubled
    /// first, since what the other is moved to has to be reserved.
    ///
    /// # Errors
    ///
    /// [`MemblockError::NoMemory`], or [`MemblockError::Full`] of the reservations; nothing has changed then.
    pub fn double(
        &mut self,
        list: List,
        avoid: Range<u64>,
        array: impl FnOnce(u64, usize) -> &'static mut [Region],
    ) -> Result<Doubled, MemblockError> {
        const PAGE: u64 = 0x1000;
        if list == List::Memory && self.reserved.len() == self.reserved.capacity() {
            return Err(MemblockError::Full(List::Reserved));
        }
        let capacity = 2 * self.list(list).capacity();
        let size = ((capacity * size_of::<Region>()) as u64).next_multiple_of(PAGE);
        let place = self
            .find_in_range(size, PAGE, avoid.end, u64::MAX)
            .or_else(|_| self.find_in_range(size, PAGE, 0, avoid.start))?;
        let old = self.list_mut(list).move_to(array(place, capacity));
        // The list of reservations has room: it had some before, or is the one that was doubled.
        self.reserve(place, size)?;
        Ok(Doubled {
            list,
            capacity,
            place: place..place + size,
            old,
        })
    }

    /// Moves a list into this array, larger than the one that it is in, and returns the latter unless it was the list's own first one.
    pub fn move_to(&mut self, list: List, array: &'static mut [Region]) -> Option<&'static mut [Region]> {
        self.list_mut(list).move_to(array)
    }

    fn list(&self, list: List) -> &super::Regions<N> {
        match list {
            List::Memory => &self.memory,
            List::Reserved => &self.reserved,
        }
    }

    fn list_mut(&mut self, list: List) -> &mut super::Regions<N> {
        match list {
            List::Memory => &mut self.memory,
            List::Reserved => &mut self.reserved,
        }
    }
}

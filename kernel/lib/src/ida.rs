//! Numbers that stand for nothing, only free or taken: Linux's `ida`.
//!
//! A bit each, 1024 to an entry of an [`XArray`]: the first 63 in the entry itself, so that few numbers take no memory, all of them in a bitmap. Entries with a free
//! bit are marked. One changes it at a time; nobody looks meanwhile.

use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::errno::Errno;
use crate::xarray::{Entry, Nodes, XArray};

/// Numbers to an entry: Linux's `IDA_BITMAP_BITS`.
const BITS: usize = 1024;
/// Numbers that an entry holds without a bitmap.
const SMALL_BITS: usize = 63;

/// Which of 1024 numbers are taken: 128 bytes.
#[derive(Debug)]
#[repr(C)]
pub struct Bitmap {
    words: [AtomicU64; BITS / 64],
}

impl Bitmap {
    /// None is.
    #[must_use]
    pub const fn new() -> Bitmap {
        Bitmap {
            words: [const { AtomicU64::new(0) }; BITS / 64],
        }
    }

    /// The first clear bit from `start` on.
    fn first_clear(&self, start: usize) -> Option<usize> {
        let words = self.words.iter().enumerate().skip(start / 64);
        words.into_iter().find_map(|(index, word)| {
            let passed = if index == start / 64 { (1 << (start % 64)) - 1 } else { 0 };
            let taken = word.load(Relaxed) | passed;
            (taken != u64::MAX).then(|| index * 64 + taken.trailing_ones() as usize)
        })
    }

    /// Sets or clears a bit, and says how it was.
    fn put(&self, bit: usize, set: bool) -> bool {
        let (word, mask) = (&self.words[bit / 64], 1 << (bit % 64));
        let old = word.load(Relaxed);
        word.store(if set { old | mask } else { old & !mask }, Relaxed);
        old & mask != 0
    }

    fn all(&self, word: u64) -> bool {
        self.words.iter().all(|other| other.load(Relaxed) == word)
    }
}

impl Default for Bitmap {
    fn default() -> Self {
        Bitmap::new()
    }
}

/// Where bitmaps lie and come from, beside the nodes of the array.
pub trait Bitmaps: Nodes {
    /// The bitmap of that number.
    fn bitmap(&self, id: usize) -> &Bitmap;

    /// A bitmap without a bit set. Its number is a multiple of 4, and not 0.
    fn alloc_bitmap(&self) -> Option<usize>;

    /// Takes a bitmap back.
    fn free_bitmap(&self, id: usize);
}

/// Numbers, free or taken.
#[derive(Debug)]
pub struct Ida {
    array: XArray,
}

impl Ida {
    /// All are free.
    #[must_use]
    pub const fn new() -> Ida {
        Ida {
            array: XArray::tracking_free(),
        }
    }

    /// Takes the lowest free number of `range`: Linux's `ida_alloc_range`.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if none is free, `ENOMEM` without memory; nothing has changed then.
    pub fn alloc<M: Bitmaps>(&self, memory: &M, range: RangeInclusive<u32>) -> Result<u32, Errno> {
        let (min, max) = (*range.start() as usize, *range.end() as usize);
        let mut from = min;
        while from <= max {
            let (index, entry) = self.array.find_room(memory, from / BITS, max / BITS).ok_or(Errno::ENOSPC)?;
            from = from.max(index * BITS);
            let Some(bit) = first_clear(memory, entry, from % BITS) else {
                from = (index + 1) * BITS;
                continue;
            };
            let id = index * BITS + bit;
            if id > max {
                break;
            }
            self.take(memory, index, entry, bit)?;
            return Ok(id as u32);
        }
        Err(Errno::ENOSPC)
    }

    /// Takes a bit that is clear.
    fn take<M: Bitmaps>(&self, memory: &M, index: usize, entry: Option<Entry>, bit: usize) -> Result<(), Errno> {
        if let Some(bitmap) = entry.and_then(Entry::as_pointer) {
            let bitmap = memory.bitmap(bitmap.get());
            bitmap.put(bit, true);
            if bitmap.all(u64::MAX) {
                self.array.set_room(memory, index, false);
            }
            return Ok(());
        }
        let small = entry.and_then(Entry::as_value).unwrap_or(0);
        if let Some(entry) = 1_usize
            .checked_shl(bit as u32)
            .and_then(|mask| Entry::value(small | mask))
            .filter(|_| bit < SMALL_BITS)
        {
            self.array.store(memory, index, entry)?;
        } else {
            let id = memory.alloc_bitmap().ok_or(Errno::ENOMEM)?;
            let stored = core::num::NonZeroUsize::new(id)
                .and_then(Entry::pointer)
                .ok_or(Errno::EINVAL)
                .and_then(|entry| Ok(self.array.store(memory, index, entry)?));
            if let Err(error) = stored {
                memory.free_bitmap(id);
                return Err(error);
            }
            let bitmap = memory.bitmap(id);
            bitmap.words[0].store(small as u64, Relaxed);
            bitmap.put(bit, true);
        }
        self.array.set_room(memory, index, true);
        Ok(())
    }

    /// Gives a number back, and says whether it was taken: Linux's `ida_free`.
    pub fn free<M: Bitmaps>(&self, memory: &M, id: u32) -> bool {
        let (index, bit) = (id as usize / BITS, id as usize % BITS);
        let Some(entry) = self.array.load(memory, index) else {
            return false;
        };
        if let Some(bitmap) = entry.as_pointer() {
            let number = bitmap.get();
            let bitmap = memory.bitmap(number);
            if !bitmap.put(bit, false) {
                return false;
            }
            self.array.set_room(memory, index, true);
            if bitmap.all(0) {
                self.array.remove(memory, index);
                memory.free_bitmap(number);
            }
            return true;
        }
        let small = entry.as_value().unwrap_or(0);
        if bit >= SMALL_BITS || small & 1 << bit == 0 {
            return false;
        }
        match small & !(1 << bit) {
            0 => drop(self.array.remove(memory, index)),
            rest => {
                // What is there is replaced, which takes no memory.
                let replaced = Entry::value(rest).map(|entry| self.array.store(memory, index, entry));
                debug_assert!(replaced.is_some_and(|stored| stored.is_ok()));
            }
        }
        true
    }

    /// Whether `id` is taken.
    pub fn is_taken<M: Bitmaps>(&self, memory: &M, id: u32) -> bool {
        let bit = id as usize % BITS;
        self.array
            .load(memory, id as usize / BITS)
            .is_some_and(|entry| match entry.as_pointer() {
                Some(bitmap) => memory.bitmap(bitmap.get()).words[bit / 64].load(Relaxed) & 1 << (bit % 64) != 0,
                None => bit < SMALL_BITS && entry.as_value().unwrap_or(0) & 1 << bit != 0,
            })
    }

    /// Whether all numbers are free.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.array.is_empty()
    }

    /// Gives all numbers back: Linux's `ida_destroy`.
    pub fn clear<M: Bitmaps>(&self, memory: &M) {
        for found in self.array.iter(memory, 0, usize::MAX, None) {
            if let Some(bitmap) = found.entry.as_pointer() {
                memory.free_bitmap(bitmap.get());
            }
        }
        self.array.clear(memory);
    }
}

/// The first clear bit of an entry, from `start` on.
fn first_clear<M: Bitmaps>(memory: &M, entry: Option<Entry>, start: usize) -> Option<usize> {
    match entry.and_then(Entry::as_pointer) {
        Some(bitmap) => memory.bitmap(bitmap.get()).first_clear(start),
        None if start >= SMALL_BITS => Some(start),
        None => {
            let taken = entry.and_then(Entry::as_value).unwrap_or(0) | ((1 << start) - 1);
            Some((taken.trailing_ones() as usize).min(SMALL_BITS))
        }
    }
}

impl Default for Ida {
    fn default() -> Self {
        Ida::new()
    }
}

#[cfg(test)]
mod tests;

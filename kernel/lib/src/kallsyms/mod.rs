//! The kernel's own symbol table, for names in backtraces: Linux's kallsyms.
//!
//! The post-link step writes the table with `build::build` (feature `std`) into a section of
//! the image; the kernel reads it in place with [`Kallsyms`]. All numbers are little-endian:
//!
//! | offset | size | what |
//! | --- | --- | --- |
//! | 0 | 8 | `kallsyms` |
//! | 8 | 4 | number of symbols, *n* |
//! | 12 | 4 | size of the names in bytes |
//! | 16 | 8 | base address |
//! | 24 | 8 | address behind the last symbol |
//! | 32 | 4·*n* | addresses, less the base, ascending |
//! | | 4·(*n*+1) | where each name begins, and where the last one ends |
//! | | 4·*n* | the symbols in the order of their names |
//! | | | names: a letter for the type, as `nm` gives it, then the name |
//!
//! Both look-ups are binary searches. A table that is cut off or inconsistent gives no answer; it
//! never makes the reader fail, because it is read when something has failed already.

#[cfg(any(feature = "std", test))]
pub mod build;

use core::cmp::Ordering;

/// The first bytes of a table.
pub const MAGIC: [u8; 8] = *b"kallsyms";

/// Size of what stands before the addresses.
const HEADER: usize = 32;

/// How much of a table must be at hand to know how long it is.
pub const PREFIX: usize = 16;

/// The size in bytes of the table that begins with `prefix`; `None` if those are not the first
/// bytes of one.
#[must_use]
pub fn size(prefix: &[u8; PREFIX]) -> Option<usize> {
    if prefix[..8] != MAGIC {
        return None;
    }
    let (count, names) = (word(prefix, 2)? as usize, word(prefix, 3)? as usize);
    // Three arrays, one of them with a number more than there are symbols.
    count.checked_mul(12)?.checked_add(HEADER + 4)?.checked_add(names)
}

/// A symbol of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Its name, one word.
    pub name: &'a str,
    /// Its type, as `nm` gives it: `t` and `T` are code.
    pub kind: char,
    /// Its address.
    pub address: u64,
    /// Bytes up to the next symbol.
    pub size: u64,
}

/// A symbol table in memory.
#[derive(Debug, Clone, Copy)]
pub struct Kallsyms<'a> {
    base: u64,
    end: u64,
    count: usize,
    addresses: &'a [u8],
    starts: &'a [u8],
    by_name: &'a [u8],
    names: &'a [u8],
}

impl<'a> Kallsyms<'a> {
    /// The table that `bytes` begin with; `None` if they do not hold a whole one.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        if header[..8] != MAGIC {
            return None;
        }
        let count = word(header, 2)? as usize;
        let names_size = word(header, 3)? as usize;
        let mut rest = &bytes[HEADER..];
        let mut take = |size: usize| {
            let (taken, left) = rest.split_at_checked(size)?;
            rest = left;
            Some(taken)
        };
        let array = count.checked_mul(4)?;
        Some(Self {
            base: double_word(header, 2)?,
            end: double_word(header, 3)?,
            count,
            addresses: take(array)?,
            starts: take(array.checked_add(4)?)?,
            by_name: take(array)?,
            names: take(names_size)?,
        })
    }

    /// How many symbols there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The symbol at `index`, by address.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Symbol<'a>> {
        let address = self.address(index)?;
        let next = if index + 1 < self.count {
            self.address(index + 1)?
        } else {
            self.end
        };
        let (kind, name) = self.name(index)?;
        Some(Symbol {
            name,
            kind,
            address,
            size: next.saturating_sub(address),
        })
    }

    /// All symbols, by address.
    pub fn iter(&self) -> impl Iterator<Item = Symbol<'a>> + use<'a> {
        let table = *self;
        (0..self.count).map_while(move |index| table.get(index))
    }

    /// The symbol that `address` lies in: the last one that does not begin above it. Of several at
    /// one address it is the first.
    #[must_use]
    pub fn lookup(&self, address: u64) -> Option<Symbol<'a>> {
        if address < self.base || address >= self.end {
            return None;
        }
        let above = self.partition(|index| Some(self.address(index)? <= address))?;
        let start = self.address(above.checked_sub(1)?)?;
        let first = self.partition(|index| Some(self.address(index)? < start))?;
        // Of aliases only the last reaches up to the next symbol.
        let size = if above < self.count { self.address(above)? } else { self.end }.saturating_sub(start);
        Some(Symbol { size, ..self.get(first)? })
    }

    /// The address of the symbol called `name`; of several, the lowest.
    #[must_use]
    pub fn address_of(&self, name: &str) -> Option<u64> {
        let ordered = |place: usize| word(self.by_name, place).map(|index| index as usize);
        let place = self.partition(|place| Some(self.name(ordered(place)?)?.1.cmp(name) == Ordering::Less))?;
        let index = ordered(place)?;
        let (_, found) = self.name(index)?;
        (found == name).then(|| self.address(index)).flatten()
    }

    /// The number of places for which `before` holds, which are the first ones.
    fn partition(&self, before: impl Fn(usize) -> Option<bool>) -> Option<usize> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if before(middle)? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Some(low)
    }

    fn address(&self, index: usize) -> Option<u64> {
        Some(self.base.wrapping_add(u64::from(word(self.addresses, index)?)))
    }

    fn name(&self, index: usize) -> Option<(char, &'a str)> {
        let (start, end) = (word(self.starts, index)?, word(self.starts, index + 1)?);
        let text = str::from_utf8(self.names.get(start as usize..end as usize)?).ok()?;
        let mut characters = text.chars();
        Some((characters.next()?, characters.as_str()))
    }
}

/// The 32-bit number at `index` of the array `bytes`.
fn word(bytes: &[u8], index: usize) -> Option<u32> {
    bytes
        .get(index.checked_mul(4)?..)?
        .first_chunk()
        .map(|bytes| u32::from_le_bytes(*bytes))
}

/// The 64-bit number at `index` of the array `bytes`.
fn double_word(bytes: &[u8], index: usize) -> Option<u64> {
    bytes
        .get(index.checked_mul(8)?..)?
        .first_chunk()
        .map(|bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests;

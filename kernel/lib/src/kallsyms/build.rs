//! Writes a symbol table: the other half of the format, for the post-link step.

extern crate std;

use std::vec::Vec;

use super::MAGIC;

/// A symbol that is to be in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type, as `nm` gives it.
    pub kind: char,
    /// Its address.
    pub address: u64,
}

/// Why a table cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The symbols lie further apart than 4 GiB.
    TooFarApart,
    /// The names take more than 4 GiB.
    NamesTooLong,
}

impl core::fmt::Display for Error {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::TooFarApart => "the symbols lie further apart than 4 GiB",
            Self::NamesTooLong => "the names of the symbols take more than 4 GiB",
        })
    }
}

impl core::error::Error for Error {}

/// The table of `symbols`, in any order, in memory that ends at `end`. Symbols of one address stay
/// in the order given.
///
/// # Errors
///
/// If they do not fit the format's 32-bit fields.
pub fn build(symbols: &[Input<'_>], end: u64) -> Result<Vec<u8>, Error> {
    let mut symbols: Vec<&Input<'_>> = symbols.iter().collect();
    symbols.sort_by_key(|symbol| symbol.address);
    let base = symbols.first().map_or(end, |symbol| symbol.address);

    let mut names = Vec::new();
    let mut starts = Vec::with_capacity(symbols.len() + 1);
    let mut addresses = Vec::with_capacity(symbols.len());
    for symbol in &symbols {
        addresses.push(u32::try_from(symbol.address - base).map_err(|_| Error::TooFarApart)?);
        starts.push(names.len());
        names.extend_from_slice(symbol.kind.encode_utf8(&mut [0; 4]).as_bytes());
        names.extend_from_slice(symbol.name.as_bytes());
    }
    starts.push(names.len());
    let names_size = u32::try_from(names.len()).map_err(|_| Error::NamesTooLong)?;
    let count = u32::try_from(symbols.len()).map_err(|_| Error::NamesTooLong)?;
    let mut by_name: Vec<u32> = (0..count).collect();
    by_name.sort_by_key(|&index| symbols[index as usize].name);

    let mut table = MAGIC.to_vec();
    table.extend(count.to_le_bytes());
    table.extend(names_size.to_le_bytes());
    table.extend(base.to_le_bytes());
    table.extend(end.to_le_bytes());
    table.extend(addresses.iter().flat_map(|address| address.to_le_bytes()));
    table.extend(starts.iter().flat_map(|&start| (start as u32).to_le_bytes()));
    table.extend(by_name.iter().flat_map(|index| index.to_le_bytes()));
    table.extend(names);
    Ok(table)
}

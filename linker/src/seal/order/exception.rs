//! Sorts the exception table, and says so to the kernel.
//!
//! An entry is Linux's: three 32-bit fields, the faulting instruction and its fixup each relative to the field itself, then the kind of handling. What is
//! left behind is what Linux's `sorttable` leaves: entries by address, and `main_extable_sort_needed` cleared, so that the kernel does not sort at boot.

use anyhow::{Context, Result};

use crate::seal::image::Image;
use crate::seal::placed::Placed;
use crate::seal::problem::Problems;
use crate::tables::EX_TABLE;

/// The kernel's flag, a `u32`: not 0 if the table is yet to be sorted.
const FLAG: &str = "main_extable_sort_needed";

/// An entry with its addresses made absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The instruction that may fault.
    pub instruction: u64,
    /// Where to go on.
    pub fixup: u64,
    /// Kind of handling, register, flags and immediate.
    pub data: u32,
}

/// The exception table as `image` has it.
///
/// # Errors
///
/// If the file does not hold the table.
pub fn read(image: &Image, placed: &Placed) -> Result<Vec<Entry>> {
    let range = placed.range();
    let bytes = image
        .at(range.clone())
        .with_context(|| format!("the exception table at {:#x} is not in the file", range.start))?;
    let entries = bytes.chunks_exact(EX_TABLE.entry_size as usize).zip(placed.slots());
    Ok(entries.map(|(entry, address)| Entry::decode(entry, address)).collect())
}

/// Sorts the table by faulting address and clears the flag.
///
/// # Errors
///
/// If the file does not hold the table or the flag.
pub fn sort(image: &mut Image, placed: &Placed, problems: &mut Problems) -> Result<()> {
    let mut entries = read(image, placed)?;
    entries.sort_unstable();
    let mut bytes = Vec::with_capacity(entries.len() * EX_TABLE.entry_size as usize);
    for (entry, address) in entries.iter().zip(placed.slots()) {
        match entry.encode(address) {
            Some(encoded) => bytes.extend_from_slice(&encoded),
            None => {
                problems.add(
                    EX_TABLE.name,
                    format!("the entry for {:#x} is more than 2 GiB from its target", entry.instruction),
                );
                return Ok(());
            }
        }
    }
    image.patch(placed.range().start, &bytes)?;
    match image.address_of(FLAG) {
        Some(flag) => image
            .patch(flag, &0u32.to_le_bytes())
            .with_context(|| format!("{FLAG} must be initialised data")),
        None => {
            problems.add(
                EX_TABLE.name,
                format!("no symbol {FLAG}: the kernel must define it, a u32 that is 1"),
            );
            Ok(())
        }
    }
}

impl Entry {
    /// The entry that `bytes`, loaded at `address`, are.
    fn decode(bytes: &[u8], address: u64) -> Self {
        let field = |at: usize| i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let target = |at: usize| (address + at as u64).wrapping_add_signed(i64::from(field(at)));
        Self {
            instruction: target(0),
            fixup: target(4),
            data: field(8).cast_unsigned(),
        }
    }

    /// The bytes of the entry at `address`; `None` if a target is out of reach.
    fn encode(&self, address: u64) -> Option<[u8; 12]> {
        let relative = |target: u64, at: u64| i32::try_from(target.wrapping_sub(address + at).cast_signed()).ok();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&relative(self.instruction, 0)?.to_le_bytes());
        bytes[4..8].copy_from_slice(&relative(self.fixup, 4)?.to_le_bytes());
        bytes[8..].copy_from_slice(&self.data.to_le_bytes());
        Some(bytes)
    }
}

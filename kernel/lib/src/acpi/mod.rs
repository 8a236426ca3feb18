//! ACPI tables: found, checked, listed and read.
//!
//! Tables come from firmware, which lies: lengths that reach past the end, checksums that are wrong, entries of length 0, root tables that point to themselves.
//! Everything here reads from slices whose bounds it checks, and ends. Memory is seen through the caller's mapping only. Layouts are those of the ACPI
//! specification 6.4; the texts are those of Linux's log. The AML in DSDT and SSDT is not looked at.

#[cfg(any(test, feature = "std"))]
pub mod build;
mod description;
mod fadt;
mod madt;
mod record;
mod rsdp;
mod small;
mod srat;
mod walk;

pub use description::{GenericAddress, Header, Signature};
pub use fadt::Fadt;
pub use madt::{InterruptFlags, Madt, MadtEntry};
pub use record::RecordError;
pub use rsdp::{Rsdp, RsdpError, search};
pub use small::{Bgrt, Hpet, Mcfg, McfgEntry, Slit, SlitError};
pub use srat::{MemoryAffinity, Srat, SratEntry};
pub use walk::{MAX_LENGTH, MAX_TABLES, Root, Table, TableError, find_root, walk};

use crate::wire::Wire;

/// Reads a structure of which older firmware has only the beginning: what the bytes lack is 0.
fn padded<T: Wire, const N: usize>(bytes: &[u8]) -> T {
    const { assert!(N == T::SIZE) };
    let mut whole = [0; N];
    let given = bytes.len().min(N);
    whole[..given].copy_from_slice(&bytes[..given]);
    match T::read(&whole) {
        Some(value) => value,
        None => unreachable!(),
    }
}

#[cfg(test)]
mod tests;

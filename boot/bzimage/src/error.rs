//! What can be wrong with a kernel that is to be packed.

use std::fmt;

use crate::LOAD_ADDRESS;

/// Why there is no bzImage. Each displays as one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The file does not begin with a valid header of a 64-bit little-endian ELF file.
    NotElf,
    /// An ELF file, but of another machine, or not linked at fixed addresses.
    NotExecutable,
    /// The program or section headers, or the names of the sections, lie outside the file.
    Headers,
    /// Nothing in it is to be loaded.
    NoSegments,
    /// The lowest segment is for another physical address.
    WrongAddress(u64),
    /// A segment goes further than the file, or is longer in the file than in memory. Its physical address.
    BadSegment(u64),
    /// The end of one segment's memory and the lower start of the next.
    Overlap(u64, u64),
    /// A segment reaches this physical address, which is beyond what the head maps.
    TooLarge(u64),
    /// It is a kernel, but does not begin like ours.
    NotIncipit,
    /// There is no such section.
    NoSection(&'static str),
    /// The set-up code has this many bytes.
    SetupSize(usize),
    /// The set-up code does not hold a setup header where it belongs.
    NoSetupHeader,
    /// What is wrong with the EFI stub.
    Stub(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => f.write_str("not a 64-bit little-endian ELF file"),
            Self::NotExecutable => f.write_str("not an executable for x86-64 that is linked at fixed addresses"),
            Self::Headers => f.write_str("cut short: its program or section headers lie outside the file"),
            Self::NoSegments => f.write_str("there is nothing to load in it"),
            Self::WrongAddress(at) => write!(f, "its first segment is for physical address {at:#x} instead of {LOAD_ADDRESS:#x}"),
            Self::BadSegment(at) => write!(
                f,
                "the segment for physical address {at:#x} is cut short or larger in the file than in memory"
            ),
            Self::Overlap(end, start) => write!(
                f,
                "a segment that ends at physical address {end:#x} overlaps the one from {start:#x} on"
            ),
            Self::TooLarge(end) => write!(
                f,
                "a segment ends at physical address {end:#x}, beyond the 512 MiB that an image may have"
            ),
            Self::NotIncipit => f.write_str("its first page does not hold the mark of this kernel's head"),
            Self::NoSection(name) => write!(f, "no section {name}: was it linked without incipit-boot?"),
            Self::SetupSize(size) => write!(
                f,
                "section .setup16 has {size} bytes, which is too few for a setup header or too many for its segment"
            ),
            Self::Stub(what) => write!(f, "the EFI stub: {what}"),
            Self::NoSetupHeader => f.write_str("section .setup16 holds no setup header at 0x1f1"),
        }
    }
}

impl std::error::Error for Error {}

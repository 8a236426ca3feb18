//! The root pointer: the one structure that is searched for.

use core::fmt;

use super::description::Padded;
use crate::checksum::sum;
use crate::wire::{Wire, wire};

wire! {
    /// The root system description pointer (ACPI 5.2.5.3).
    pub struct Rsdp[36] {
        /// [`Rsdp::SIGNATURE`].
        signature: [u8; 8] => 0,
        /// Makes the first 20 bytes add up to 0.
        checksum: u8 => 8,
        /// Who made the machine.
        oem_id: [u8; 6] => 9,
        /// 0: ACPI 1.0, of which only the first 20 bytes exist; 2: later versions.
        revision: u8 => 15,
        /// Physical address of the root table with 32-bit addresses.
        rsdt: u32 => 16,
        /// Bytes of the structure.
        length: u32 => 20,
        /// Physical address of the root table with 64-bit addresses.
        xsdt: u64 => 24,
        /// Makes all bytes add up to 0.
        extended_checksum: u8 => 32,
    }
}

/// Why bytes are no root pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsdpError {
    /// There are too few.
    CutShort,
    /// They do not begin with the signature.
    Signature,
    /// The first 20 do not add up to 0, but to this.
    Checksum(u8),
    /// The first 20 do, but all 36 add up to this.
    ExtendedChecksum(u8),
}

impl fmt::Display for RsdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort => f.write_str("out of reach"),
            Self::Signature => f.write_str("no \"RSD PTR \" there"),
            Self::Checksum(sum) => write!(f, "bytes add up to {sum:#04x} instead of 0"),
            Self::ExtendedChecksum(sum) => write!(f, "extended bytes add up to {sum:#04x} instead of 0"),
        }
    }
}

impl core::error::Error for RsdpError {}

impl Rsdp {
    /// What it begins with.
    pub const SIGNATURE: [u8; 8] = *b"RSD PTR ";
    /// Bytes of it in ACPI 1.0.
    pub const OLD_SIZE: usize = 20;
    /// Bytes of it in later versions.
    pub const LENGTH: usize = <Self as Wire>::SIZE;

    /// Reads and checks what should be a root pointer. Of revision 0 and 1 only the first 20 bytes count, and the others are 0 in the result.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn check(bytes: &[u8]) -> Result<Self, RsdpError> {
        let old = bytes.get(..Self::OLD_SIZE).ok_or(RsdpError::CutShort)?;
        if !old.starts_with(&Self::SIGNATURE) {
            return Err(RsdpError::Signature);
        }
        match sum(old) {
            0 => {}
            wrong => return Err(RsdpError::Checksum(wrong)),
        }
        let short: Self = super::padded::<_, { Self::SIZE }>(old);
        if !short.is_extended() {
            return Ok(short);
        }
        let whole = bytes.get(..Self::SIZE).ok_or(RsdpError::CutShort)?;
        match sum(whole) {
            0 => Self::read(whole).ok_or(RsdpError::CutShort),
            wrong => Err(RsdpError::ExtendedChecksum(wrong)),
        }
    }

    /// Whether the structure has more than ACPI 1.0 knew.
    #[must_use]
    pub const fn is_extended(&self) -> bool {
        self.revision >= 2
    }
}

/// The part of Linux's line that follows the address.
impl fmt::Display for Rsdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = if self.is_extended() { self.length } else { Self::OLD_SIZE as u32 };
        write!(f, "{length:06X} (v{:02} {})", self.revision, Padded(&self.oem_id))
    }
}

/// Searches `area` for root pointers, which lie at multiples of 16. Gives the offset of each signature, with the root pointer or why it is none.
pub fn search(area: &[u8]) -> impl Iterator<Item = (usize, Result<Rsdp, RsdpError>)> {
    const STEP: usize = 16;
    area.as_chunks::<STEP>()
        .0
        .iter()
        .enumerate()
        .filter(|(_, paragraph)| paragraph.starts_with(&Rsdp::SIGNATURE))
        .map(move |(index, _)| (index * STEP, Rsdp::check(&area[index * STEP..])))
}

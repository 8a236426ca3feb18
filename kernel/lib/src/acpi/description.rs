//! What all tables begin with, and the names in it.

use core::fmt::{self, Write};

use crate::wire::{Wire, wire};

/// The four characters that name a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Signature(pub [u8; 4]);

impl Signature {
    /// The root table with 32-bit addresses.
    pub const RSDT: Self = Self(*b"RSDT");
    /// The root table with 64-bit addresses.
    pub const XSDT: Self = Self(*b"XSDT");
    /// The fixed hardware's description.
    pub const FADT: Self = Self(*b"FACP");
    /// The memory shared with the firmware.
    pub const FACS: Self = Self(*b"FACS");
    /// The description of everything that has no table of its own.
    pub const DSDT: Self = Self(*b"DSDT");
    /// The interrupt controllers.
    pub const MADT: Self = Self(*b"APIC");

    /// Whether every character is one that a name may have: a table's name is text.
    #[must_use]
    pub fn is_printable(self) -> bool {
        self.0.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Padded(&self.0).fmt(f)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Wire for Signature {
    const SIZE: usize = 4;

    fn read(bytes: &[u8]) -> Option<Self> {
        Wire::read(bytes).map(Self)
    }

    fn write(&self, bytes: &mut [u8]) -> Option<()> {
        self.0.write(bytes)
    }
}

/// A name of fixed width: it ends at a NUL and is filled up with spaces; what cannot be printed becomes `?`.
pub(super) struct Padded<'a>(pub &'a [u8]);

impl fmt::Display for Padded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        for byte in &self.0[..end] {
            let printable = byte.is_ascii_graphic() || *byte == b' ';
            f.write_char(if printable { char::from(*byte) } else { '?' })?;
        }
        (end..self.0.len()).try_for_each(|_| f.write_char(' '))
    }
}

wire! {
    /// What every table but `FACS` begins with (ACPI 5.2.6).
    pub struct Header[36] {
        /// The table's name.
        signature: Signature => 0,
        /// Bytes of the table, these included.
        length: u32 => 4,
        /// Version of the table's layout.
        revision: u8 => 8,
        /// Makes all bytes add up to 0.
        checksum: u8 => 9,
        /// Who made the machine.
        oem_id: [u8; 6] => 10,
        /// What he calls the table.
        oem_table_id: [u8; 8] => 16,
        /// His number for it.
        oem_revision: u32 => 24,
        /// Who made the tool that made the table.
        creator_id: [u8; 4] => 28,
        /// The tool's number.
        creator_revision: u32 => 32,
    }
}

/// The part of Linux's line that follows the address: length, then names and revisions.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06X}", self.length)?;
        if self.signature == Signature::FACS {
            return Ok(());
        }
        write!(
            f,
            " (v{:02} {} {} {:08X} {} {:08X})",
            self.revision,
            Padded(&self.oem_id),
            Padded(&self.oem_table_id),
            self.oem_revision,
            Padded(&self.creator_id),
            self.creator_revision
        )
    }
}

wire! {
    /// Where a register is (ACPI 5.2.3.2).
    pub struct GenericAddress[12] {
        /// 0 memory, 1 ports, 2 PCI configuration space, …
        space: u8 => 0,
        /// Bits of the register.
        bit_width: u8 => 1,
        /// Its first bit.
        bit_offset: u8 => 2,
        /// How it must be accessed: 0 any, 1 bytes, 2 words, 3 double words, 4 quad words.
        access_size: u8 => 3,
        /// The address in that space.
        address: u64 => 4,
    }
}

impl GenericAddress {
    /// [`space`](Self::space) of memory.
    pub const MEMORY: u8 = 0;
    /// [`space`](Self::space) of ports.
    pub const PORTS: u8 = 1;
}
